"""What would be: `GET /path` and `POST /plan` against the World that is served. Nothing is changed.

Knows JSON over HTTP; what the answers say is `rehearsal`'s.
"""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vpcdns.control.errors import bad_request
from vpcdns.control.json_body import json_body
from vpcdns.control.long_responses import LongResponses
from vpcdns.errors import MalformedChange, MalformedName, MalformedSource
from vpcdns.rehearsal.http_answers import path_answer, plan_answer
from vpcdns.state import State

MAX_CHANGES: Final = 1_000


class Rehearsing:
    """The two routes, for the World that `state` holds when they are asked."""

    def __init__(self, state: State, long: LongResponses) -> None:
        self._state = state
        self._long = long

    def routes(self) -> list[Route]:
        return [
            Route("/path", self.path, methods=["GET"]),
            Route("/plan", self.plan, methods=["POST"]),
        ]

    async def path(self, request: Request) -> Response:
        """Whether a source reaches a name: what `vpcdns path --json` prints."""
        name, source = request.query_params.get("name"), request.query_params.get("from")
        if not name or not source:
            raise bad_request("name and from: both are needed, as in /path?name=…&from=vpc-…")
        try:
            return JSONResponse(path_answer(self._state.world, name, source))
        except (MalformedName, MalformedSource) as error:
            raise bad_request(str(error)) from error

    async def plan(self, request: Request) -> Response:
        """What changes would mean for whom: what `vpcdns plan --format json` prints.

        In a thread: over a million groups it takes seconds, and a World does not change meanwhile.
        """
        changes, world = _changes(await json_body(request)), self._state.world
        try:
            return await self._long.made(lambda: json.dumps(plan_answer(world, changes)))
        except (MalformedChange, MalformedName) as error:
            raise bad_request(str(error)) from error


def _changes(found: Any) -> list[str]:
    """The changes of `{"changes": ["bind …"]}`."""
    changes = found.get("changes") if isinstance(found, dict) and set(found) == {"changes"} else None
    if not isinstance(changes, list) or not 0 < len(changes) <= MAX_CHANGES:
        raise bad_request(f"changes: a list of 1 to {MAX_CHANGES} changes in words, and only that")
    if not all(isinstance(change, str) for change in changes):
        raise bad_request("changes: each is a text, such as 'unbind apigateway-hz-1'")
    return changes
