"""The routes of the admin server: health, readiness, metrics, explanations, the World in numbers, decisions.

Knows where each answer is to be had, and how it looks as JSON.
"""

import asyncio
import json
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from vpcdns import __version__
from vpcdns.control.console import CONTENT_SECURITY_POLICY, PAGE
from vpcdns.control.errors import Fault, Refused, failed, hung_up, refused
from vpcdns.control.guard import Door, Guard
from vpcdns.control.long_responses import LongResponses
from vpcdns.control.openapi import OpenApi
from vpcdns.control.openapi.http import answered, is_api_request
from vpcdns.control.path_and_plan import Rehearsing
from vpcdns.errors import MalformedName
from vpcdns.model.clients import identify
from vpcdns.model.dns import Question, RRType, type_number
from vpcdns.model.names import Name
from vpcdns.model.rendering import resolution_data
from vpcdns.model.resolution import resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.observe.metrics import Sources, exposition
from vpcdns.observe.query_record import decision_data, time_text
from vpcdns.observe.recent_decisions import CAPACITY, RecentDecisions

# A decision takes some 20 µs to render; queries wait no longer than for so many.
_RENDERED_AT_ONCE: Final = 50


def application(
    door: Door,
    sources: Sources,
    decisions: RecentDecisions,
    api: OpenApi | None = None,
    more: Sequence[Route] = (),
) -> ASGIApp:
    """The whole of it, behind its guard."""
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
            *Rehearsing(sources.state, LongResponses()).routes(),
            *more,
        ],
        exception_handlers={
            HTTPException: refused,
            Refused: refused,
            ClientDisconnect: hung_up,
            Exception: failed,
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, door)


class _Routes:
    def __init__(self, sources: Sources, decisions: RecentDecisions, api: OpenApi | None) -> None:
        self._sources = sources
        self._decisions = decisions
        self._api = api

    async def root(self, request: Request) -> Response:
        """The console for people, the cloud's API for its clients."""
        if self._api is not None and is_api_request(request):
            return await answered(self._api, request)
        if request.method == "POST":
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        return HTMLResponse(PAGE, headers={"content-security-policy": CONTENT_SECURITY_POLICY})

    async def health(self, request: Request) -> Response:
        """200 for as long as the event loop runs, which is the one that answers queries."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Whether queries are answered. A failed reload is reported, but the old configuration serves.

        So are tasks that failed and began again.
        """
        not_ready = self._not_ready()
        reloads = self._sources.reloads
        last_reload = None if reloads is None else ("ok" if reloads.problem is None else "failed")
        restarts = {name: number for name, number in self._sources.tasks.restarts.items() if number}
        body = {
            "ready": not not_ready,
            "not_ready": not_ready,
            "last_reload": last_reload,
            "restarts": restarts,
            "upstreams": len(self._sources.state.world.forwarding.upstreams),
        }
        return JSONResponse(body, 503 if not_ready else 200)

    async def metrics(self, request: Request) -> Response:
        return Response(await exposition(self._sources), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def explain(self, request: Request) -> Response:
        """How a name resolves for a client: what `vpcdns explain --json` prints."""
        world = self._sources.state.world
        asked = request.query_params
        question = Question(_name(asked.get("name")), _type(asked.get("type", "A")))
        client = identify(_address(asked.get("from"), world), world)
        return _json(resolution_data(resolve(question, client, world)))

    async def world(self, request: Request) -> Response:
        """What is configured, in numbers, and where it is served."""
        world, service, reloads = self._sources.state.world, self._sources.service, self._sources.reloads
        listens = () if service is None else service.serving
        body = {
            "version": __version__,
            "revision": world.revision,
            "source_hash": None if reloads is None else reloads.source_hash,
            "loaded_at": None if reloads is None else time_text(reloads.succeeded_at),
            "reload_problem": None if reloads is None else reloads.problem,
            "listeners": [{"address": str(listen), "vpc_id": listen.vpc_id} for listen in listens],
            "suffix": str(world.answers.suffix),
            "counts": {
                "vpcs": len(world.topology.vpcs),
                "networks": len(world.topology.networks),
                "connections": len(world.topology.connections),
                "instances": len(world.instances),
                "groups": len(world.groups),
                "custom_domains": len(world.custom_domains.owners),
            },
        }
        return _json(body)

    async def decisions(self, request: Request) -> Response:
        """The latest decisions, the newest first."""
        limit = request.query_params.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 9 and 0 < int(limit) <= CAPACITY):
            raise Refused(Fault.BAD_REQUEST, f"limit: a number from 1 to {CAPACITY}")
        rendered: list[dict[str, Any]] = []
        for number, query in enumerate(await self._decisions.of_all(int(limit)), 1):
            rendered.append(decision_data(query))
            if number % _RENDERED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return _json({"decisions": rendered})

    def _not_ready(self) -> list[dict[str, str]]:
        service = self._sources.service
        if service is None or service.stopping:
            return [{"part": "listeners", "why": "shutting down"}] if service else []
        return [] if service.serving else [{"part": "listeners", "why": "not bound yet"}]


def _json(body: Any) -> Response:
    """ASCII only: whatever a name holds, no reader takes it for anything else."""
    return Response(json.dumps(body) + "\n", media_type="application/json")


def _name(text: str | None) -> Name:
    if not text:
        raise Refused(Fault.BAD_REQUEST, "name: the domain name to explain is missing")
    try:
        return Name.from_text(text)
    except MalformedName as error:
        raise Refused(Fault.BAD_REQUEST, f"name: {error}") from error


def _type(text: str) -> int:
    try:
        rtype = type_number(text)
    except ValueError as error:
        raise Refused(Fault.BAD_REQUEST, f"type: {error}") from error
    if rtype == RRType.OPT:
        raise Refused(Fault.BAD_REQUEST, "type: OPT is no type to ask for")
    return rtype


def _address(text: str | None, world: World) -> Address:
    """An address, or one of the VPC of that id."""
    if not text:
        raise Refused(Fault.BAD_REQUEST, "from: the address of the client that asks, or a vpc_id, is missing")
    if text in world.topology.vpcs:
        inside = world.topology.address_in(text)
        if inside is None:
            raise Refused(Fault.BAD_REQUEST, f"from: no address counts as {text}: give it `source_networks`")
        return inside
    try:
        return ip_address(text)
    except ValueError as error:
        raise Refused(
            Fault.BAD_REQUEST, "from: write an IPv4 or IPv6 address, or the vpc_id of a VPC"
        ) from error
