"""The body of a request as JSON; what it means is the caller's business."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from vpcdns.control.errors import bad_request

MAX_CHANGES: Final = 1_000
# Labels of names, octets of addresses, and other text in all changes of a call: what its cost grows with,
# some 30 to 70 µs each. A thousand custom domains of four labels have 6,000.
MAX_PIECES: Final = 10_000
MAX_DIGITS: Final = 20  # an Int64 has 19, and a sign


async def json_body(request: Request) -> Any:
    """Raises HTTPException for a body that is not JSON, or not declared as JSON.

    A page of another origin can send `text/plain` without asking, but not `application/json` (Fetch §3.2).
    Text that UTF-8 cannot hold, and integers too large for every field, are refused here: once stored, they
    would fail whoever reads them.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send JSON, as application/json")
    try:
        body = json.loads(await request.body() or b"{}", parse_int=_integer)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise bad_request(f"the body is no JSON that can be kept: {_reason(error)}") from error
    return body


async def checked_body(request: Request, *, open_for_writes: bool) -> Mapping[str, Any]:
    """The JSON object of a request that changes something, if that may be asked for."""
    check_writes(open_for_writes=open_for_writes)
    body = await json_body(request)
    if not isinstance(body, dict):
        raise bad_request("the body is no JSON object")
    return body


def check_writes(*, open_for_writes: bool) -> None:
    """Raises HTTPException where nobody has proved who they are."""
    if not open_for_writes:
        raise HTTPException(403, "where access keys are configured, this needs a token")


def listed_changes(body: Any, more: str = "") -> list[Any]:
    """The changes of `{"changes": […]}`."""
    changes = body.get("changes") if isinstance(body, dict) and set(body) == {"changes"} else None
    if not isinstance(changes, list) or not 0 < len(changes) <= MAX_CHANGES:
        raise bad_request(f"changes: a list of 1 to {MAX_CHANGES} changes{more}")
    if (pieces := _pieces(changes)) > MAX_PIECES:
        what = f"{pieces} labels, octets of addresses and other values"
        raise bad_request(f"changes: {what}, at most {MAX_PIECES} in one call")
    return changes


def _pieces(value: Any) -> int:
    if isinstance(value, str):
        return 1 + value.count(".")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return 1
    return 1 + sum(map(_pieces, value))


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "half of a surrogate pair"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
