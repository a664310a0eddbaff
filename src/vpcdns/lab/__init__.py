"""A World built out of Linux network namespaces, so that the kernel says what the model claims.

`blueprint` is pure; `kernel` builds it by netlink (the extra `lab`: pyroute2) and needs root. Takes the
routes from the model and leaves every decision about a packet to the kernel.
"""
