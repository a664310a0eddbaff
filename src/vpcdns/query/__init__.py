"""The life of one query without I/O: (message, where it arrived, world) -> Response, Forward or Drop.

Knows the order of the checks (facts/security.md §2): form, then identity, then stranger or not, and only
then the name. Holds no state, reads no clock; `server` and `recall` bring the octets and take them away.
"""

from vpcdns.query.beginning import asked_by, begin
from vpcdns.query.finishing import finish
from vpcdns.query.responses import error_response, response_to, servfail, truncated_response, turns_of
from vpcdns.query.values import (
    STALE_TTL,
    Arrival,
    Drop,
    Failure,
    Fetched,
    Forward,
    ForwardKey,
    Response,
    parts_of_key,
    whom_text,
)
