"""The life of one query without I/O: (message, where it arrived, world) -> Reply, Forward or Drop.

Knows the order of the checks (security.md §2): form, then identity, then stranger or not, and only
then the name. Holds no state, reads no clock; `server` brings the octets and takes them away.
"""

from vpcdns.query.beginning import asked_by, begin
from vpcdns.query.finishing import STALE_TTL, finish
from vpcdns.query.responses import fault, over_tcp_please, reply, servfail
from vpcdns.query.values import (
    Arrival,
    Drop,
    Failure,
    Fetched,
    Forward,
    ForwardKey,
    Reply,
)

__all__ = [
    "STALE_TTL",
    "Arrival",
    "Drop",
    "Failure",
    "Fetched",
    "Forward",
    "ForwardKey",
    "Reply",
    "asked_by",
    "begin",
    "fault",
    "finish",
    "over_tcp_please",
    "reply",
    "servfail",
]
