"""The routes of the admin server: health, readiness, metrics, explanations, the World in numbers, decisions.

Knows where each answer is to be had, and how it looks as JSON.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from ipaddress import ip_address
from itertools import islice
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from vpcdns import __version__
from vpcdns.control.errors import bad_request, failed, hung_up, is_call, read_name, refused
from vpcdns.control.json_body import json_body, listed_changes
from vpcdns.control.long_responses import LongResponse, listed, room
from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.request import ApiRequest
from vpcdns.errors import MalformedChange, MalformedName, MalformedSource
from vpcdns.model.clients import identify
from vpcdns.model.dns import Question, RRType, type_number
from vpcdns.model.policy import addresses_of
from vpcdns.model.private_zones import PrivateZones
from vpcdns.model.rendering import resolution_data
from vpcdns.model.resolution import resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.observe.metrics import Sources, exposition
from vpcdns.observe.query_record import decision_data, time_text
from vpcdns.observe.recent_decisions import CAPACITY, RecentDecisions
from vpcdns.rehearsal.http_answers import path_answer, plan_answer

_SHOWN: Final = 50  # private zones, and VPCs of each: the console asks every two seconds

# The console: one page without any data in it. Whatever a name holds, it is written as text (`textContent`).
PAGE: Final = files("vpcdns.control").joinpath("console.html").read_text(encoding="utf-8")


def _source(element: str) -> str:
    """The hash of what stands between the tags (CSP Level 3 §2.3.1)."""
    inner = "".join(re.findall(rf"<{element}>(.*?)</{element}>", PAGE, re.DOTALL))
    return f"'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; script-src {_source('script')}; style-src {_source('style')}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(
    sources: Sources, decisions: RecentDecisions, api: OpenApi, more: Sequence[Route] = ()
) -> ASGIApp:
    """The whole of it, but for its guard."""
    routes = _Routes(sources, decisions, api)
    app = Starlette(
        routes=[
            Route("/", routes.root, methods=["GET", "POST"]),
            Route("/health", routes.health),
            Route("/ready", routes.ready),
            Route("/metrics", routes.metrics),
            Route("/explain", routes.explain),
            Route("/world", routes.world),
            Route("/decisions", routes.decisions),
            Route("/path", routes.path, methods=["GET"]),
            Route("/plan", routes.plan, methods=["POST"]),
            *more,
        ],
        exception_handlers={
            **dict.fromkeys((HTTPException, MalformedChange, MalformedName, MalformedSource), refused),
            ClientDisconnect: hung_up,
            Exception: failed,
        },
    )
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True, slots=True)
class _Routes:
    sources: Sources
    recent: RecentDecisions
    api: OpenApi
    long: asyncio.Semaphore = field(default_factory=room)
    scrapes: asyncio.Semaphore = field(default_factory=room)  # they have no token, and block no others

    async def root(self, request: Request) -> Response:
        """The console for people, the cloud's API for its clients."""
        if is_call(request.scope):
            path, query = request.scope.get("raw_path", b"/"), request.scope["query_string"]
            asked = (request.method, path.decode("latin-1"), query.decode("latin-1"), dict(request.headers))
            answer = await self.api.respond(ApiRequest(*asked, await request.body()))
            return Response(json.dumps(answer.body), answer.status, answer.headers, "application/json")
        return HTMLResponse(PAGE, headers={"content-security-policy": CONTENT_SECURITY_POLICY})

    async def health(self, request: Request) -> Response:
        """200 for as long as the event loop runs, which is the one that answers queries."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Whether queries are answered. A failed reload is reported, but the old configuration serves.

        So are tasks that failed and began again.
        """
        service, forwarding = self.sources.service, self.sources.state.world.forwarding
        problems = self.sources.names.problems
        serving, waiting = service.serving, service.waiting
        why = "shutting down" if service.stopping else "" if serving else "not bound yet"
        if serving and len(waiting) == len(serving):
            why = why or "this host has none of their addresses yet"
        not_ready = [{"part": "listeners", "why": why}] if why else []
        restarts = {name: number for name, number in self.sources.tasks.restarts.items() if number}
        body = {
            "ready": not not_ready,
            "not_ready": not_ready,
            "last_reload": "ok" if self.sources.reloads.problem is None else "failed",
            "state_problem": self.sources.state.journal.problem,
            "restarts": restarts,
            "waiting": list(map(str, waiting)),
            "upstreams": len(addresses_of(forwarding.upstreams)),
            "unresolved": {one.host: problems[one.host] for one in forwarding.names if one.host in problems},
        }
        return JSONResponse(body, 503 if not_ready else 200)

    async def metrics(self, request: Request) -> Response:
        return LongResponse(
            self.scrapes, lambda: exposition(self.sources), media_type=CONTENT_TYPE_PLAIN_0_0_4
        )

    async def explain(self, request: Request) -> Response:
        """How a name resolves for a client: what `vpcdns explain --json` prints."""
        world = self.sources.state.world
        asked = request.query_params
        if not asked.get("name"):
            raise bad_request("name: the domain name to explain is missing")
        question = Question(read_name(asked["name"]), _type(asked.get("type", "A")))
        client = identify(_address(asked.get("from"), world), world)
        return _json(resolution_data(resolve(question, client, world)))

    async def world(self, request: Request) -> Response:
        """What is configured, in numbers, and where it is served; of private zones 50 at most."""
        world, service, reloads = self.sources.state.world, self.sources.service, self.sources.reloads
        body = {
            "version": __version__,
            "revision": world.revision,
            "source_hash": reloads.source_hash,
            "loaded_at": time_text(reloads.succeeded_at),
            "reload_problem": reloads.problem,
            "listeners": [{"address": str(listen), "vpc_id": listen.vpc_id} for listen in service.serving],
            "suffix": str(world.answers.suffix),
            "counts": world.object_counts(),
            "private_zones": _zones_data(world.private_zones),
        }
        return _json(body)

    async def decisions(self, request: Request) -> Response:
        """The latest decisions, the newest first."""
        limit = request.query_params.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 9 and 0 < int(limit) <= CAPACITY):
            raise bad_request(f"limit: a number from 1 to {CAPACITY}")

        async def make() -> Iterator[str]:
            return listed("decisions", map(decision_data, await self.recent.of_all(int(limit))))

        return LongResponse(self.long, make)

    async def path(self, request: Request) -> Response:
        """Whether a source reaches a name: what `vpcdns path --json` prints."""
        name, source = request.query_params.get("name"), request.query_params.get("from")
        if not name or not source:
            raise bad_request("name and from: both are needed, as in /path?name=…&from=vpc-…")
        return JSONResponse(path_answer(self.sources.state.world, name, source))

    async def plan(self, request: Request) -> Response:
        """What changes would mean for whom: what `vpcdns plan --format json` prints. Nothing is changed.

        In a thread: over a million groups it takes seconds, and a World does not change meanwhile.
        """
        changes = listed_changes(await json_body(request), " in words, and only that")
        if not all(isinstance(change, str) for change in changes):
            raise bad_request("changes: each is a text, such as 'unbind apigateway-hz-1'")

        def pieces() -> Iterator[str]:
            # Not `dumps`: it would keep the interpreter's lock.
            yield from json.JSONEncoder().iterencode(plan_answer(self.sources.state.world, changes))

        return LongResponse(self.long, pieces)


def _zones_data(zones: PrivateZones) -> list[dict[str, Any]]:
    shown = [zone for _, zone in islice(zones.zones.scan(), _SHOWN)]
    return [
        {
            "zone_id": zone.zone_id,
            "zone": str(zone.zone),
            "vpcs": sorted(islice(zone.vpcs, _SHOWN)),
            "more_vpcs": max(0, len(zone.vpcs) - _SHOWN),
            "records": len(zone.records),
            "fall_through": zone.fall_through,
        }
        for zone in sorted(shown, key=lambda zone: (str(zone.zone), zone.zone_id))
    ]


def _json(body: Any) -> Response:
    """ASCII only: whatever a name holds, no reader takes it for anything else."""
    return Response(json.dumps(body) + "\n", media_type="application/json")


def _type(text: str) -> int:
    try:
        rtype = type_number(text)
    except ValueError as error:
        raise bad_request(f"type: {error}") from error
    if rtype == RRType.OPT:
        raise bad_request("type: OPT is no type to ask for")
    return rtype


def _address(text: str | None, world: World) -> Address:
    """An address, or one of the VPC of that id."""
    if not text:
        raise bad_request("from: the address of the client that asks, or a vpc_id, is missing")
    if text in world.topology.vpcs:
        inside = world.topology.address_in(text)
        if inside is None:
            raise bad_request(f"from: no address counts as {text}: give it `source_networks`")
        return inside
    try:
        return ip_address(text)
    except ValueError as error:
        raise bad_request("from: write an IPv4 or IPv6 address, or the vpc_id of a VPC") from error
