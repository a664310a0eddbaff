"""What a responder may answer with."""

from __future__ import annotations

from collections.abc import Awaitable

# Octets to send; something that gives them later; or None: no response, which over TCP closes the connection.
Answer = bytes | Awaitable[bytes | None] | None
