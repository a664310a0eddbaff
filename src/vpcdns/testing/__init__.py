"""For those who test against vpcdns: a client, a server of one's own, a pytest plugin, a container.

Knows a server from outside only, over DNS and HTTP (docs/testing.md).
"""

from vpcdns.testing.client import Client, Problem
from vpcdns.testing.dns import Answer
from vpcdns.testing.process import Server

__all__ = ["Answer", "Client", "Problem", "Server"]
