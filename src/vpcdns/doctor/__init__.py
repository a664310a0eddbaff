"""What goes wrong between a container and vpcdns, looked for from the container's side.

A client like any other: knows resolv.conf, libc and the wire format, and asks. Knows nothing of how the
server decides (no state, server, exchange or config), and prints nothing. `host` and `ask` do the I/O;
the checks are functions from what they saw to findings.
"""
