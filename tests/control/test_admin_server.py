"""The admin server over real sockets: what each route says, and who is let in."""

from __future__ import annotations

import asyncio
import signal
import socket
import stat
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import example_world, messages
from tests.support.admin_server import admin, idle_sources
from tests.support.decided_queries import HOSTILE
from tests.support.event_loop import on_loop
from tests.support.obedient_service import Udp
from vpcdns.control.admin_server import AdminServer
from vpcdns.errors import StartupError
from vpcdns.model.clients import identify
from vpcdns.model.dns import Question, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.model.private_zones import PrivateZone, PrivateZones
from vpcdns.model.rendering import resolution_data
from vpcdns.model.resolution import resolve
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.state import State

EVERYWHERE = Listen(ip_address("0.0.0.0"), 0)
TOKEN = "correct horse"  # noqa: S105 - of the tests


@on_loop
async def test_healthy_before_it_is_ready_and_while_it_stops() -> None:
    async with admin() as it:
        assert (await it.ask("/health")).body == b"ok\n"
        answer = await it.ask("/ready")
        assert (answer.status, answer.json()["not_ready"]) == (
            503,
            [{"part": "listeners", "why": "not bound yet"}],
        )
        await it.service.start()
        answer = await it.ask("/ready")
        assert (answer.status, answer.json()) == (
            200,
            {
                "ready": True,
                "not_ready": [],
                "last_reload": "ok",
                "state_problem": None,
                "restarts": {},
                "waiting": [],
                "upstreams": 1,
                "unresolved": {},
            },
        )
        await it.service.stop(0)
        answer = await it.ask("/ready")
        assert (answer.status, answer.json()["not_ready"][0]["why"]) == (503, "shutting down")
        assert (await it.ask("/health")).status == 200


@on_loop
async def test_a_failed_reload_is_told_but_what_serves_is_ready() -> None:
    async with admin() as it:
        await it.service.start()
        it.status.problem = "vpcdns.yaml:1:1: no"
        answer = await it.ask("/ready")
        assert (answer.status, answer.json()["last_reload"]) == (200, "failed")
        assert (await it.ask("/world")).json()["reload_problem"] == "vpcdns.yaml:1:1: no"


@on_loop
async def test_a_query_is_in_the_decisions_and_the_metrics() -> None:
    async with admin() as it:
        (listen,) = await it.service.start()
        with Udp() as udp:
            await udp.ask(messages.query("localhost").to_wire(), ("127.0.0.1", listen.port))
            await udp.ask(messages.query(HOSTILE).to_wire(), ("127.0.0.1", listen.port))
        answer = await it.ask("/decisions?limit=1")
        (hostile,) = answer.json()["decisions"]
        assert hostile["qname"].startswith("<img\\032src=x")
        assert answer.body.isascii()
        assert len((await it.ask("/decisions")).json()["decisions"]) == 2
        metrics = await it.ask("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = {
            sample.name: sample.value
            for family in text_string_to_metric_families(metrics.body.decode())
            for sample in family.samples
            if sample.name.startswith("vpcdns_dns_requests")
        }
        assert found == {"vpcdns_dns_requests_total": 2}
        world = (await it.ask("/world")).json()
        assert world["listeners"] == [{"address": str(listen), "vpc_id": None}]
        assert world["counts"]["vpcs"] == 3


@on_loop
async def test_private_zones_are_listed_for_the_console() -> None:
    """A page that asks every two seconds gets 50 at most, of whatever size."""
    vpcs = frozenset(f"vpc-{number}" for number in range(60))
    async with admin() as it:
        zones = [PrivateZone(f"zone-{number}", Name.from_text(f"z{number}.test")) for number in range(59)]
        zones.append(PrivateZone("wide", Name.from_text("wide.test"), vpcs, fall_through=True))
        it.state.reload(replace(it.state.world, private_zones=PrivateZones.of(zones[-1:])))
        (listed,) = (await it.ask("/world")).json()["private_zones"]
        assert (listed["zone"], listed["records"], listed["fall_through"]) == ("wide.test", 0, True)
        assert (len(listed["vpcs"]), listed["more_vpcs"]) == (50, 10)
        it.state.reload(replace(it.state.world, private_zones=PrivateZones.of(zones)))
        world = (await it.ask("/world")).json()
        assert len(world["private_zones"]) == 50
        assert world["counts"]["private_zones"] == 60


@on_loop
async def test_explain_is_what_the_command_prints() -> None:
    async with admin() as it:
        answer = await it.ask(f"/explain?name={example_world.CUSTOM}&type=AAAA&from={example_world.IN_B}")
        world = it.state.world
        question = Question(Name.from_text(example_world.CUSTOM), RRType.AAAA)
        assert answer.json() == resolution_data(
            resolve(question, identify(ip_address(example_world.IN_B), world), world)
        )


BAD = (
    *("/explain", "/explain?name=a", "/explain?name=a..b&from=10.0.0.1", "/explain?name=a&from=somewhere"),
    *("/explain?name=a&from=10.0.0.1&type=NONE", "/explain?name=a&from=10.0.0.1&type=OPT"),
    *("/decisions?limit=0", "/decisions?limit=1001", "/decisions?limit=-1", "/decisions?limit=99999999999"),
    *("/decisions?limit=%C2%B2", "/explain?name=%FF&from=10.0.0.1"),
)


@on_loop
async def test_bad_parameters_are_the_clients_fault() -> None:
    async with admin() as it:
        for path in BAD:
            answer = await it.ask(path)
            assert (answer.status, answer.code) == (400, "bad-request")


@on_loop
async def test_unknown_paths_and_methods_are_json_too() -> None:
    async with admin() as it:
        assert (await it.ask("/nothing")).code == "not-found"
        assert (await it.ask("/health/")).code == "not-found"
        answer = await it.ask("/health", "POST", b"x")
        assert (answer.status, answer.code) == (405, "method-not-allowed")
        assert "GET" in answer.headers["allow"]


@on_loop
async def test_no_response_lets_another_site_read_it() -> None:
    async with admin() as it:
        for path in ("/", "/health", "/decisions", "/nothing"):
            answer = await it.ask(path, origin="http://evil.example")
            assert not any(name.startswith("access-control") for name in answer.headers)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"


OURS = (
    *("localhost", "LOCALHOST:5380", "127.0.0.1", "127.0.0.1:15380", "127.1.2.3", "[::1]:5380", "[::1]"),
    *("http://127.0.0.1:5380", "http://localhost:5380/", "[::ffff:127.0.0.1]"),
    # Whatever a bridge, a forwarded port or a load balancer has: there is no name in it to rebind.
    *("192.0.2.1", "172.17.0.1:32768", "[::2]", "[2001:db8::1]:80"),
)
NOT_OURS = (
    *("evil.example", "evil.example:5380", "localhost.evil.example", "127.0.0.1.evil.example", "vpcdns"),
    *("", "http://evil.example", "127.0.0.1@evil.example", "localhost:x", "2130706433"),
    *("[::1].evil.example", "[::1]x", "[::1]:80.evil.example"),
)


@on_loop
async def test_only_our_own_names_are_served() -> None:
    async with admin() as it:
        for host in OURS:
            assert (await it.ask("/world", host=host)).status == 200
        for host in NOT_OURS:
            for path in ("/", "/world", "/metrics"):
                answer = await it.ask(path, host=host)
                assert (answer.status, answer.code) == (421, "misdirected")


@on_loop
async def test_the_operators_names_are_served() -> None:
    async with admin(hosts=("dns.corp.example", "vpcdns")) as it:
        for host in ("dns.corp.example", "DNS.corp.example.:5380", "vpcdns:80"):
            assert (await it.ask("/world", host=host)).status == 200
        for host in ("corp.example", "a.dns.corp.example", "evil.example"):
            assert (await it.ask("/world", host=host)).code == "misdirected"


@on_loop
async def test_beyond_loopback_a_token_opens() -> None:
    async with admin(EVERYWHERE, TOKEN) as it:
        for path in ("/", "/health", "/metrics"):
            assert (await it.ask(path)).status == 200
        for path in ("/world", "/decisions", "/explain", "/nothing"):
            answer = await it.ask(path)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            for wrong in ("Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
                assert (await it.ask(path, authorization=wrong)).status == 401
        assert (await it.ask("/world", authorization=f"Bearer {TOKEN}")).status == 200


@on_loop
async def test_beyond_loopback_a_container_may_be_called_by_its_name() -> None:
    async with admin(EVERYWHERE, TOKEN) as it:
        for host in ("vpcdns:5380", "127.0.0.1", socket.gethostname()):
            assert (await it.ask("/metrics", host=host)).status == 200
        for host in ("evil.example", ""):
            assert (await it.ask("/metrics", host=host)).status == 421


def lone(listen: Listen | Path, token: str | None = None) -> AdminServer:
    state = State(example_world.example())
    return AdminServer(listen, idle_sources(state), RecentDecisions(state), token)


@pytest.mark.parametrize("token", [None, ""])
def test_beyond_loopback_it_does_not_start_without_a_token(token: str | None) -> None:
    with pytest.raises(StartupError, match="VPCDNS_ADMIN_TOKEN"):
        lone(EVERYWHERE, token).bind()


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = lone(Listen(ip_address("127.0.0.1"), taken.getsockname()[1]))
        with pytest.raises(StartupError, match=r"admin\.listen: .*the port is taken"):
            server.bind()


@on_loop
async def test_a_unix_socket_is_for_the_owner_and_taken_over_from_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with admin(path) as it:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert (await it.ask("/world", host="anything.example")).status == 200
        with pytest.raises(StartupError, match="cannot listen on"):
            lone(path).bind()
        assert path.exists()
    assert not path.exists()


@on_loop
async def test_stopping_ends_idle_connections_and_can_be_repeated() -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        await it.server.stop()
        assert await reader.read() == b""
        writer.close()
        await it.server.stop()
        assert isinstance(it.at, Listen)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", it.at.port)


def test_it_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)

    @on_loop
    async def run() -> None:
        async with admin() as it:
            await it.ask("/health")
            assert signal.getsignal(signal.SIGTERM) is before

    run()
