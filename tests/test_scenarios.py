"""Runs tests/scenarios: every step against the pure core, and over real UDP and TCP sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
import yaml

from tests.support.messages import ede, query, read, soa
from vpcdns.config import Loaded, loads
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen, Transport
from vpcdns.query import Arrival, Drop, Forward, Response, begin
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

Step = dict[str, Any]

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
LOOPBACK = IPv4Address("127.0.0.1")
DEADLINE = 10.0
MARKER = 0xFFFF  # the id of a query that is always answered


def scenario(file: Path) -> tuple[Loaded, list[Step]]:
    story = yaml.safe_load(file.read_text())
    assert set(story) == {"about", "configuration", "steps"}
    for step in story["steps"]:
        assert set(step) <= {"client", "listener", "subnet", "edns", "ask", "expect"}
        assert set(step["expect"]) <= {
            *("rcode", "reason", "answers", "ttl", "soa", "ede", "aa"),
            *("drop", "forward"),
        }
    return loads(story["configuration"], file.name), story["steps"]


def asked(step: Step, subnet: str | None) -> dns.message.QueryMessage:
    name, rtype, *rclass = step["ask"].split()
    edns = 0 if step.get("edns", True) else False
    return query(name, rtype, rclass=rclass[0] if rclass else "IN", edns=edns, subnet=subnet)


def compare(response: dns.message.Message, expect: Step) -> None:
    rcode = expect.get("rcode", "NOERROR")
    assert dns.rcode.to_text(response.rcode()) == rcode
    answers = [
        f"{dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for rrset in response.answer
        for rdata in rrset
    ]
    assert answers == expect.get("answers", [])
    if "ttl" in expect:
        assert {rrset.ttl for rrset in response.answer} == {expect["ttl"]}
    assert soa(response) == expect.get("soa")
    error = expect.get("ede")
    assert ede(response) == (None if error is None else (error["code"], error["text"]))
    assert bool(response.flags & dns.flags.AA) == expect.get("aa", rcode != "REFUSED")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_by_the_core(file: Path) -> None:
    loaded, steps = scenario(file)
    for step in steps:
        for transport in ("udp", "tcp"):
            expect, message = step["expect"], asked(step, step.get("subnet")).to_wire()
            arrival = Arrival(
                ip_address(step["client"]), transport, Listen(LOOPBACK, 53, step.get("listener"))
            )
            if expect["reason"] == "stranger" and transport == "udp" and step["client"] != str(LOOPBACK):
                expect = {**expect, "ede": None}  # no room for it (docs/decisions/0009)
            result = begin(message, arrival, loaded.world)
            assert result.resolution is not None
            assert result.resolution.reason.value == expect["reason"], step["ask"]
            if "forward" in expect:
                assert isinstance(result, Forward)
                assert [str(upstream) for upstream in result.resolution.upstreams] == expect["forward"]
            elif expect.get("drop"):
                assert isinstance(result, Drop)
            else:
                assert isinstance(result, Response), step["ask"]
                compare(read(result.octets), expect)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_over_sockets(file: Path, transport: Transport) -> None:
    loaded, steps = scenario(file)
    asyncio.run(
        asyncio.wait_for(_served(loaded, steps, _over_udp if transport == "udp" else _over_tcp), DEADLINE)
    )


async def _served(loaded: Loaded, steps: list[Step], ask: Callable[[Step, str, int], None]) -> None:
    """Serves the configuration at ports of its own, and has a thread ask there."""
    vpc_ids = [None, *sorted({step["listener"] for step in steps if "listener" in step})]
    service = Service(Resolver(State(loaded.world)), [Listen(LOOPBACK, 0, vpc_id) for vpc_id in vpc_ids])
    ports = {listen.vpc_id: listen.port for listen in await service.start()}
    try:
        for step in steps:
            if (source := _source(step)) is not None:
                await asyncio.to_thread(ask, step, source, ports[step.get("listener")])
    finally:
        await service.stop()


def _source(step: Step) -> str | None:
    """The loopback address to ask from; None when sockets cannot show this step."""
    client = ip_address(step["client"])
    if "forward" in step["expect"]:
        return None
    if client.is_loopback and client.version == 4:
        return str(client)
    return None if "subnet" in step or not step.get("edns", True) else str(LOOPBACK)


def _message(step: Step) -> dns.message.QueryMessage:
    client = ip_address(step["client"])
    if client.is_loopback:
        return asked(step, step.get("subnet"))
    return asked(step, f"{client}/{client.max_prefixlen}")


def _over_udp(step: Step, source: str, port: int) -> None:
    message, marker = _message(step), query("version.bind", "TXT", rclass="CH", identity=MARKER)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.connect((str(LOOPBACK), port))
        sock.settimeout(DEADLINE)
        sock.send(message.to_wire())
        if step["expect"].get("drop"):
            sock.send(marker.to_wire())
        response = read(sock.recv(65535))
    _judge(step, message, marker if step["expect"].get("drop") else None, response)


def _over_tcp(step: Step, source: str, port: int) -> None:
    message = _message(step)
    with socket.create_connection((str(LOOPBACK), port), DEADLINE, (source, 0)) as sock:
        octets = message.to_wire()
        sock.sendall(len(octets).to_bytes(2, "big") + octets)
        with sock.makefile("rb") as stream:
            length = stream.read(2)
            if step["expect"].get("drop"):
                assert length == b"", "a dropped query closes the connection"
                return
            response = read(stream.read(int.from_bytes(length, "big")))
    _judge(step, message, None, response)


def _judge(
    step: Step,
    message: dns.message.Message,
    marker: dns.message.Message | None,
    response: dns.message.Message,
) -> None:
    if marker is not None:
        assert response.id == marker.id, "only the query behind the dropped one is answered"
        return
    assert response.id == message.id
    assert response.question == message.question
    compare(response, step["expect"])
