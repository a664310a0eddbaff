"""What can be wrong with an HTTP request: a status, its code for programs, and a message.

Every refusal has the same body: `{"error": {"code": …, "message": …}}`. 5xx are our own: bugs, a full disk.
"""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vpcdns.errors import MalformedName
from vpcdns.model.names import Name

# RFC 9110 §15
_CODES: Final = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "refused",
    412: "revision",
    413: "body-too-large",
    415: "media-type",
    421: "misdirected",
    431: "headers-too-large",
    500: "internal",
    503: "unavailable",
}
# What the router finds has no message but the status's own.
_OF_THE_ROUTER: Final = {404: "there is no such path", 405: "this path has other methods"}


def bad_request(message: str) -> HTTPException:
    return HTTPException(400, message)


def read_name(text: str) -> Name:
    """The parameter `name`."""
    try:
        return Name.from_text(text)
    except MalformedName as error:
        raise bad_request(f"name: {error}") from error


def error_response(error: HTTPException) -> Response:
    status = error.status_code if error.status_code in _CODES else 400
    message = error.detail
    if message == HTTPStatus(error.status_code).phrase:
        message = _OF_THE_ROUTER.get(status, message)
    return JSONResponse({"error": {"code": _CODES[status], "message": message}}, status, error.headers)


async def refused(request: Request, error: Exception) -> Response:
    """Our own refusals, the router's, and what cannot be read."""
    return error_response(error if isinstance(error, HTTPException) else bad_request(str(error)))


async def failed(request: Request, error: Exception) -> Response:
    """A bug of ours: no details for the client; whoever called us logs the traceback."""
    return error_response(HTTPException(500, "this is a bug of vpcdns; its log has the details"))


async def hung_up(request: Request, error: Exception) -> Response:
    """The client has gone in the middle of its request: nobody reads this, and it is no bug."""
    return error_response(bad_request("the request has no end"))
