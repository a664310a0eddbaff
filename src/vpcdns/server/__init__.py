"""Listeners and the life cycle: octets in, octets out, over UDP and TCP.

Knows sockets, addresses, deadlines and limits. Must not know what is in a message, beyond the length that
frames it over TCP, nor what a VPC is: the core behind `Responder` decides all that.
"""
