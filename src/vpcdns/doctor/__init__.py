"""What goes wrong between a container and vpcdns, examined from the container's side.

A client like any other: reads resolv.conf, asks libc and the server. Knows nothing of how a server decides
(an import contract), and prints nothing. `host` and `probes` do the I/O; the checks are functions
from what those saw to findings.
"""
