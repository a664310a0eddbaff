"""`GET /path` and `POST /plan`: what the command line prints, of the World that is served."""

from __future__ import annotations

import json

import pytest

from tests.support import example_world
from tests.support.admin_server import Admin, Answer, admin
from tests.support.event_loop import on_loop
from vpcdns.rehearsal.http_answers import path_answer, plan_answer

DISABLE = f"disable {example_world.DEDICATED}"


async def plan(it: Admin, body: str, kind: str = "application/json") -> Answer:
    octets = body.encode()
    head = "POST /plan HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nConnection: close\r\n"
    more = f"Content-Length: {len(octets)}\r\nContent-Type: {kind}\r\n\r\n"
    return await it.raw((head + more).encode() + octets)


@on_loop
async def test_what_a_page_of_another_origin_can_send_is_no_plan() -> None:
    async with admin() as it:
        answer = await plan(it, json.dumps({"changes": [DISABLE]}), "text/plain")
        assert (answer.status, answer.code) == (415, "media-type")


@on_loop
async def test_a_path() -> None:
    async with admin() as it:
        answer = await it.ask(f"/path?name={example_world.CUSTOM}&from={example_world.VPC_A}")
        assert answer.status == 200
        assert answer.json() == path_answer(it.state.world, example_world.CUSTOM, example_world.VPC_A)
        assert answer.json()["verdict"] == "reachable"


@pytest.mark.parametrize(
    "query", ["", "?name=x.example", "?name=a..b&from=vpc-a", "?name=x.example&from=vpc-zz"]
)
@on_loop
async def test_a_path_that_makes_no_sense(query: str) -> None:
    async with admin() as it:
        answer = await it.ask(f"/path{query}")
        assert (answer.status, answer.code) == (400, "bad-request")


@on_loop
async def test_a_plan_changes_nothing() -> None:
    async with admin() as it:
        before = it.state.world
        answer = await plan(it, json.dumps({"changes": [DISABLE]}))
        assert answer.status == 200
        assert answer.json() == json.loads(json.dumps(plan_answer(before, [DISABLE])))
        assert it.state.world is before


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"changes": []}',
        '{"changes": [1]}',
        '{"changes": ["dance"]}',
        "[" * 100_000,
        '{"changes": ["bind \\ud800"]}',
        '{"changes": [' + "1" * 5_000 + "]}",
    ],
)
@on_loop
async def test_a_plan_that_makes_no_sense(body: str) -> None:
    async with admin() as it:
        answer = await plan(it, body)
        assert (answer.status, answer.code) == (400, "bad-request")
