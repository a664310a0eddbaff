"""Pure values and rules: what the cloud's objects are, and how a question resolves for a client.

No I/O, no sockets, no clock, no randomness, no logging; the import contracts check it.
"""
