"""What can be wrong with an HTTP request, and the one table of its statuses.

Every refusal has the same body: `{"error": {"code": …, "message": …}}`. 5xx are our own: bugs, a full disk.
"""

from collections.abc import Mapping
from enum import Enum

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Fault(Enum):
    """A code for programs, and its status (RFC 9110 §15)."""

    BAD_REQUEST = ("bad-request", 400)
    UNAUTHORIZED = ("unauthorized", 401)
    FORBIDDEN = ("forbidden", 403)
    NOT_FOUND = ("not-found", 404)
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405)
    REFUSED = ("refused", 409)
    REVISION = ("revision", 412)
    BODY_TOO_LARGE = ("body-too-large", 413)
    MISDIRECTED = ("misdirected", 421)
    MEDIA_TYPE = ("media-type", 415)
    HEADERS_TOO_LARGE = ("headers-too-large", 431)
    INTERNAL = ("internal", 500)
    UNAVAILABLE = ("unavailable", 503)

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status


class Refused(Exception):
    """A request that cannot be answered as it is; never leaves `control`."""

    def __init__(self, fault: Fault, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.headers = headers


def refusal(refused: Refused) -> JSONResponse:
    body = {"error": {"code": refused.fault.code, "message": refused.message}}
    return JSONResponse(body, refused.fault.status, refused.headers)


_BY_STATUS = {fault.status: fault for fault in Fault}


async def refused(request: Request, error: Exception) -> Response:
    """Our own refusals, and those of the router: no such path, no such method."""
    if isinstance(error, Refused):
        return refusal(error)
    if not isinstance(error, HTTPException):
        raise error
    fault = _BY_STATUS.get(error.status_code, Fault.BAD_REQUEST)
    message = {
        Fault.NOT_FOUND: "there is no such path",
        Fault.METHOD_NOT_ALLOWED: "this path has other methods",
    }.get(fault, error.detail)
    return refusal(Refused(fault, message, error.headers))


async def failed(request: Request, error: Exception) -> Response:
    """A bug of ours: no details for the client; whoever called us logs the traceback."""
    return refusal(Refused(Fault.INTERNAL, "this is a bug of vpcdns; its log has the details"))


async def hung_up(request: Request, error: Exception) -> Response:
    """The client has gone in the middle of its request: nobody reads this, and it is no bug."""
    return refusal(Refused(Fault.BAD_REQUEST, "the request has no end"))
