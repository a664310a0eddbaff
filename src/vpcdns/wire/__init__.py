"""Octets <-> queries and responses: the only place that knows the wire format (RFC 1035 §4).

Knows no VPC, no policy and no socket. Strict in what it reads, before anything else sees it; exact in
what it writes. That no other room reads or writes octets of messages is tested
(tests/wire/test_format_is_here.py), and that none imports dnslib is an import contract.
"""
