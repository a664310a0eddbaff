"""What can be wrong with an HTTP request: a status, its code for programs, and a message.

Every refusal has the same body: `{"error": {"code": …, "message": …}}`; what looks like a call of the
cloud's API gets the cloud's. 5xx are our own: bugs, a full disk.
"""

import json
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from vpcdns.control.openapi.errors import error_body
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


def is_call(scope: Scope) -> bool:
    """Whether a request looks like a call of the cloud's API."""
    headers, query = Headers(scope=scope), QueryParams(scope["query_string"])
    asked = scope["method"] == "POST" or "Action" in query or "x-acs-action" in headers
    return bool(scope["path"] == "/" and asked)


def error_response(error: HTTPException, *, is_call: bool = False) -> Response:
    status = error.status_code if error.status_code in _CODES else 400
    message = error.detail
    if message == HTTPStatus(error.status_code).phrase:
        message = _OF_THE_ROUTER.get(status, message)
    code = _CODES[status]
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    if is_call:
        body = error_body("".join(map(str.capitalize, code.split("-"))), message)
    return JSONResponse(body, status, error.headers)


def unreadable(status: int) -> Response:
    """The response to what is no HTTP. Nobody knows whose request it is, so it has both bodies in one."""
    message = "the headers are too long" if status == 431 else "this is no HTTP request"
    error = HTTPException(status if status == 431 else 400, message, {"connection": "close"})
    ours, clouds = (json.loads(bytes(error_response(error, is_call=one).body)) for one in (False, True))
    return JSONResponse(ours | clouds, error.status_code, error.headers)


async def refused(request: Request, error: Exception) -> Response:
    """Our own refusals, the router's, and what cannot be read."""
    refusal = error if isinstance(error, HTTPException) else bad_request(str(error))
    return error_response(refusal, is_call=is_call(request.scope))


async def failed(request: Request, error: Exception) -> Response:
    """A bug of ours: no details for the client; whoever called us logs the traceback."""
    bug = HTTPException(500, "this is a bug of vpcdns; its log has the details")
    return error_response(bug, is_call=is_call(request.scope))


async def hung_up(request: Request, error: Exception) -> Response:
    """The client has gone in the middle of its request: nobody reads this, and it is no bug."""
    return error_response(bad_request("the request has no end"))
