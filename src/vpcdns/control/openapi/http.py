"""The API over HTTP: a starlette request in, JSON out. Decides nothing."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import Response

from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.request import ApiRequest


def is_api_request(request: Request) -> bool:
    """Whether a request to `/` is a call of the API, and not somebody looking for the console."""
    return request.method == "POST" or "Action" in request.query_params or "x-acs-action" in request.headers


async def answered(api: OpenApi, request: Request) -> Response:
    """The body is read before anything is decided; from there to the answer nothing else has its turn.

    Between two calls all others have theirs: DNS above all.
    """
    asked = ApiRequest(
        request.method,
        request.scope.get("raw_path", b"/").decode("latin-1"),
        request.scope["query_string"].decode("latin-1"),
        dict(request.headers),
        await request.body(),
    )
    async with api.one_at_a_time:
        answer = api.answer(asked)
        await asyncio.sleep(0)
    return Response(json.dumps(answer.body), answer.status, answer.headers, "application/json")
