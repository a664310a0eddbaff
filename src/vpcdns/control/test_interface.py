"""For those who test against vpcdns: queries that came, faults, the whole World, changes (docs/testing.md).

Knows JSON over HTTP and where each answer is to be had. Writes are JSON, so that no page in a browser can
send them, and are refused where calls of the cloud's API must be signed and these are not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vpcdns.config import check_expressible, written_json
from vpcdns.control.drafts import Drafts
from vpcdns.control.errors import bad_request, read_name
from vpcdns.control.json_body import check_writes, checked_body, listed_changes
from vpcdns.control.long_responses import LongResponse, listed, room
from vpcdns.errors import MalformedChange, MalformedName, StateError
from vpcdns.forward.flush import CacheSelection
from vpcdns.model.rules import Refusal
from vpcdns.model.world import World
from vpcdns.observe.query_record import QueryRecord, decision_data
from vpcdns.observe.recent_decisions import CAPACITY, RecentDecisions
from vpcdns.server.faults import MAX_DELAY, MAX_FAULTS, FaultKind, Faults, InjectedFault
from vpcdns.server.threads import in_thread
from vpcdns.state import Commit, State
from vpcdns.state.change_json import decode_change

WHO: Final = "test"


@dataclass(frozen=True)
class TestInterface:
    """The routes below `/test`. `open_for_writes` is False where nobody has proved who they are."""

    __test__ = False  # pytest collects classes by their names
    state: State
    recent: RecentDecisions
    injected: Faults
    flush: Callable[[CacheSelection], Awaitable[int]]
    open_for_writes: bool = True
    long: asyncio.Semaphore = field(default_factory=room)

    @cached_property
    def drafts(self) -> Drafts:
        return Drafts(self.state)

    def routes(self) -> list[Route]:
        return [
            Route("/test/world", self.world),
            Route("/test/changes", self.change, methods=["POST"]),
            Route("/test/reset", self.reset, methods=["POST"]),
            Route("/test/queries", self.queries, methods=["GET"]),
            Route("/test/queries", self.clear_queries, methods=["DELETE"]),
            Route("/test/faults", self.faults, methods=["GET"]),
            Route("/test/faults", self.add_fault, methods=["POST"]),
            Route("/test/faults", self.clear_faults, methods=["DELETE"]),
            Route("/test/faults/{fault_id}", self.remove_fault, methods=["DELETE"]),
        ]

    async def world(self, request: Request) -> Response:
        """The current World as a configuration; its revision is the ETag."""
        world = self.state.world

        def pieces() -> Iterator[str]:
            yield f'{{"revision":{world.revision},"configuration":'
            yield from written_json(world)
            yield "}"

        return LongResponse(self.long, pieces, _etag(world.revision))

    async def change(self, request: Request) -> Response:
        """Changes, all or none; `If-Match` makes sure of the revision that they are meant for."""
        body = await self._body(request)
        given, expected = listed_changes(body), _expected(request)

        def work(state: State) -> World | Refusal:
            changes = tuple(map(decode_change, given))
            for change in changes:
                check_expressible(change)
            current = state.world.revision
            if expected not in (None, current):
                problem = f"revision {expected} is not current: {current} is; read it again and repeat"
                raise HTTPException(412, problem)
            return state.commit(Commit(changes, who=WHO))

        try:
            done = await self.drafts.make(work)
        except (MalformedChange, MalformedName) as error:
            raise bad_request(f"changes: {error}") from error
        except StateError as error:
            raise HTTPException(503, "the change cannot be kept; see the log") from error
        if isinstance(done, Refusal):
            raise HTTPException(409, str(done))
        return self._json({"revision": done.revision})

    async def reset(self, request: Request) -> Response:
        """What the file says again, no faults, no queries, nothing of what upstreams said."""
        await self._body(request)
        try:
            await in_thread(self.state.prepare_reset)
            world = self.state.reset()
        except StateError as error:
            raise HTTPException(503, "the reset cannot be kept; see the log") from error
        self.injected.clear()
        self.recent.clear()
        await self.flush(CacheSelection())
        return self._json({"revision": world.revision})

    async def queries(self, request: Request) -> Response:
        """The latest queries and what was decided, the newest first; by name and VPC, if asked for."""
        name, vpc_id = request.query_params.get("name"), request.query_params.get("vpc_id")
        wanted = None if name is None else read_name(name)

        def fits(query: QueryRecord) -> bool:
            if wanted is not None and (query.question is None or query.question.name != wanted):
                return False
            client = None if query.resolution is None else query.resolution.client
            return vpc_id is None or (client is not None and client.vpc_id == vpc_id)

        async def make() -> Iterator[str]:
            return listed("queries", map(decision_data, filter(fits, await self.recent.of_all(CAPACITY))))

        return LongResponse(self.long, make, _etag(self.state.world.revision))

    async def clear_queries(self, request: Request) -> Response:
        self._check_writes()
        self.recent.clear()
        return self._json({})

    async def faults(self, request: Request) -> Response:
        def pieces() -> Iterator[str]:
            return listed("faults", map(_fault_data, self.injected.current()))

        return LongResponse(self.long, pieces, _etag(self.state.world.revision))

    async def add_fault(self, request: Request) -> Response:
        body = await self._body(request)
        if len(self.injected.current()) >= MAX_FAULTS:
            raise HTTPException(409, f"at most {MAX_FAULTS} faults; clear some")
        fault = self.injected.add(_fault(body, time.monotonic()))
        return self._json(_fault_data(fault), 201)

    async def clear_faults(self, request: Request) -> Response:
        self._check_writes()
        self.injected.clear()
        return self._json({})

    async def remove_fault(self, request: Request) -> Response:
        self._check_writes()
        fault_id: str = request.path_params["fault_id"]
        # No fault has an id of more digits; `int` refuses thousands of them.
        if not (fault_id.isdecimal() and len(fault_id) < 20 and self.injected.remove(int(fault_id))):
            raise HTTPException(404, "there is no such fault")
        return self._json({})

    def _check_writes(self) -> None:
        check_writes(open_for_writes=self.open_for_writes)

    async def _body(self, request: Request) -> Mapping[str, Any]:
        return await checked_body(request, open_for_writes=self.open_for_writes)

    def _json(self, body: Any, status: int = 200) -> Response:
        return JSONResponse(body, status, _etag(self.state.world.revision))


def _etag(revision: int) -> dict[str, str]:
    return {"etag": f'"{revision}"'}


def _expected(request: Request) -> int | None:
    """The revision of `If-Match` (RFC 9110 §13.1.1); `*` is any."""
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    number = text.strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise bad_request("If-Match: the ETag of /test/world, a revision in quotes")
    return int(number)


class _GivenFault(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: FaultKind = Field(strict=False)
    name: str | None = None
    vpc_id: str | None = None
    delay_ms: float | None = Field(None, gt=0, le=MAX_DELAY * 1000)
    times: int | None = Field(None, gt=0, le=1_000_000_000)
    seconds: float | None = Field(None, gt=0, le=86_400)


def _fault(body: Mapping[str, Any], now: float) -> InjectedFault:
    try:
        given = _GivenFault.model_validate(body)
    except ValidationError as error:
        keys, first = ", ".join(_GivenFault.model_fields), error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise bad_request(f"{where}: {first['msg']}; a fault has {keys}") from error
    if (given.kind is FaultKind.DELAY) != (given.delay_ms is not None):
        raise bad_request("delay_ms: a delay has one, and nothing else has")
    return InjectedFault(
        0,
        given.kind,
        None if given.name is None else read_name(given.name),
        given.vpc_id,
        (given.delay_ms or 0.0) / 1000,
        given.times,
        None if given.seconds is None else now + given.seconds,
    )


def _fault_data(fault: InjectedFault) -> dict[str, Any]:
    return {
        "fault_id": fault.fault_id,
        "kind": fault.kind.value,
        "name": None if fault.name is None else str(fault.name),
        "vpc_id": fault.vpc_id,
        "delay_ms": round(fault.delay * 1000, 3),
        "times": fault.times,
        "happened": fault.happened,
    }
