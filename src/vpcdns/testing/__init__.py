"""For those who test against vpcdns: a client, a server of their own, a pytest plugin, a container.

Knows a server from outside only, over DNS and HTTP (docs/testing.md).
"""

from vpcdns.admin_client import AdminError
from vpcdns.stub import StubAnswer
from vpcdns.testing.client import Client
from vpcdns.testing.process import Server

__all__ = ["AdminError", "Client", "Server", "StubAnswer"]
