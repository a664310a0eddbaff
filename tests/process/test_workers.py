"""`serve --workers`: several processes that are one server, whatever happens to it and to them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import select
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.faults.load import Load
from tests.support.command_line import vpcdns_process
from tests.support.event_loop import on_loop
from tests.support.repository import EXAMPLE
from tests.support.server_process import ServerProcess, is_gone, served
from tests.support.waiting import DEADLINE, eventually
from vpcdns.process.workers import Worker, channel

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux only")

DEDICATED = "apigateway-hz-ead4f4b0bac8"
WEATHER = "523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com"
VPC_A = "vpc-bp11w979o2s9rcr962w25"
IN_A, IN_B = "127.10.0.5", "127.20.0.5"
CLIENTS = 32  # that one worker of two gets them all: once in 2^31 runs


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with several() as started:
        yield started


@contextmanager
def several(
    config: Path = EXAMPLE,
    workers: int = 2,
    *,
    listens: Sequence[str] = ("127.0.0.1:0",),
    state: Path | None = None,
) -> Iterator[ServerProcess]:
    """A server of so many processes."""
    options = ["--workers", str(workers), "--admin", "127.0.0.1:0"]
    if state is not None:
        options += ["--state", str(state)]
    with served(config, listens, options) as started:
        yield started


def workers_of(server: ServerProcess) -> list[int]:
    pid = server.pid
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@contextmanager
def asked(at: tuple[str, int], source: str, name: str = WEATHER) -> Iterator[list[socket.socket]]:
    """Many clients of one address, each of which has asked."""
    query = dns.message.make_query(name, "A").to_wire()
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.bind((source, 0))
            client.connect(at)
            client.send(query)
        yield clients


def answers(
    clients: Sequence[socket.socket], number: int = CLIENTS, within: float = DEADLINE
) -> list[dns.message.Message]:
    """So many, or those that have come when the time is over."""
    found: list[dns.message.Message] = []
    deadline = time.monotonic() + within
    while len(found) < number:
        ready = select.select(clients, [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ready:
            break
        found += (dns.message.from_wire(client.recv(4096)) for client in ready)
    return found


def answered(at: tuple[str, int], source: str, name: str = WEATHER) -> list[str]:
    """What all clients get: addresses and RCODEs, each once."""
    with asked(at, source, name) as clients:
        found = answers(clients)
    assert len(found) == CLIENTS
    return sorted({str(one.answer[0][0]) if one.answer else dns.rcode.to_text(one.rcode()) for one in found})


def read(server: ServerProcess, path: str) -> str:
    with urllib.request.urlopen(server.url + path, timeout=DEADLINE) as response:  # noqa: S310 - ours
        text: str = response.read().decode()
    return text


def metric(server: ServerProcess, name: str) -> float:
    text = read(server, "/metrics")
    return sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))


def rebind(vpc_id: str, vswitch_id: str) -> dict[str, object]:
    return {
        "change": "Bind",
        "instance_key": ["cn-hangzhou", DEDICATED],
        "vpc_id": vpc_id,
        "vswitch_id": vswitch_id,
    }


def test_all_answer_and_are_counted_as_one(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGSTOP)
    with asked(server.dns, IN_A) as clients:
        main = len(answers(clients, within=0.5))
        assert 0 < main < CLIENTS
        os.kill(worker, signal.SIGCONT)
        assert len(answers(clients, CLIENTS - main)) == CLIENTS - main
    assert answered(server.dns, IN_A) == ["10.1.8.20"]
    assert metric(server, "vpcdns_server_workers") == 2
    assert metric(server, "vpcdns_dns_requests_total") == 2 * CLIENTS
    assert metric(server, "vpcdns_server_udp_answered_total") == 2 * CLIENTS
    assert metric(server, "vpcdns_dns_request_duration_seconds_count") == 2 * CLIENTS
    queries = server.client.queries()
    assert len(queries) == 2 * CLIENTS
    assert [one["time"] for one in queries] == sorted((one["time"] for one in queries), reverse=True)
    server.client.clear_queries()
    assert server.client.queries() == []


def test_tcp(server: ServerProcess) -> None:
    query = dns.message.make_query(WEATHER, "A")
    for _ in range(8):
        response = dns.query.tcp(query, *server.dns[:1], port=server.dns[1], source=IN_A, timeout=DEADLINE)
        assert str(response.answer[0][0]) == "10.1.8.20"


def test_a_change_has_reached_all_when_it_is_answered(server: ServerProcess) -> None:
    vpc = {"vpc_id": "vpc-new", "region_id": "cn-hangzhou", "cidr_blocks": ["10.9.0.0/16"]}
    vpc |= {"source_networks": ["127.90.0.0/16"]}
    vswitch = {"vswitch_id": "vsw-new", "cidr_block": "10.9.8.0/24"}
    client = server.client
    client.change({"change": "CreateVpc", "vpc": {**vpc, "vswitches": [vswitch]}})
    for _ in range(3):
        client.change(rebind("vpc-new", "vsw-new"))
        assert answered(server.dns, IN_A) == ["NXDOMAIN"]
        assert answered(server.dns, "127.90.0.5") == ["10.9.8.1"]
        client.change(rebind(VPC_A, "vsw-bp1a"))
        assert answered(server.dns, "127.90.0.5") == ["NXDOMAIN"]
    client.change(rebind("vpc-new", "vsw-new"))
    client.reset()
    assert answered(server.dns, IN_A) == ["10.1.8.20"]
    assert "rror" not in server.log


def test_a_private_zone_of_the_clouds_api_has_reached_all_when_it_is_answered(server: ServerProcess) -> None:
    def call(action: str, **parameters: str) -> dict[str, str]:
        named = {name.replace("__", "."): value for name, value in parameters.items()}
        query = urlencode({"Action": action, "Version": "2018-01-01", **named})
        request = urllib.request.Request(f"{server.url}/?{query}", b"")  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=DEADLINE) as response:  # noqa: S310 - ours
            told: dict[str, str] = json.loads(response.read())
        return told

    zone = {"ZoneId": call("AddZone", ZoneName="made.internal")["ZoneId"]}
    call("BindZoneVpc", **zone, Vpcs__1__VpcId=VPC_A)
    made = call("AddZoneRecord", **zone, Rr="www", Type="A", Value="10.1.0.80")
    record = {"RecordId": str(made["RecordId"])}
    for _ in range(3):
        assert answered(server.dns, IN_A, "www.made.internal") == ["10.1.0.80"]
        call("SetZoneRecordStatus", **record, Status="DISABLE")
        assert answered(server.dns, IN_A, "www.made.internal") == ["NXDOMAIN"]
        call("SetZoneRecordStatus", **record, Status="ENABLE")
    call("UpdateZoneRecord", **record, Rr="www", Type="A", Value="10.1.0.81")
    assert answered(server.dns, IN_A, "www.made.internal") == ["10.1.0.81"]
    assert "rror" not in server.log


def test_a_fault_happens_so_many_times_in_all(server: ServerProcess) -> None:
    server.client.add_fault("servfail", times=5)
    with asked(server.dns, IN_A) as clients:
        codes = [one.rcode() for one in answers(clients)]
    assert codes.count(dns.rcode.SERVFAIL) == 5
    assert len(codes) == CLIENTS
    server.client.add_fault("servfail")
    assert answered(server.dns, IN_A) == ["SERVFAIL"]
    assert [one["happened"] for one in server.client.faults()] == [CLIENTS]
    server.client.clear_faults()
    assert answered(server.dns, IN_A) == ["10.1.8.20"]


def test_a_reload_reaches_all(tmp_path: Path) -> None:
    file = tmp_path / "vpcdns.yaml"
    file.write_text(EXAMPLE.read_text().replace("127.0.0.1:5300", "127.0.0.1:0"))
    with several(file, listens=()) as server:
        assert answered(server.dns, IN_A) == ["10.1.8.20"]
        listen = f'["127.0.0.1:0", {{address: "127.0.0.2:0", vpc_id: {VPC_A}}}]'
        changed = file.read_text().replace("10.1.8.20", "10.1.8.30").replace('["127.0.0.1:0"]', listen)
        file.write_text(changed)
        server.await_log("10.1.8.30")
        assert answered(server.dns, IN_A) == ["10.1.8.30"]
        port = re.search(r"127\.0\.0\.2:(\d+)", read(server, "/world"))
        assert port
        assert answered(("127.0.0.2", int(port[1])), "127.0.0.1") == ["10.1.8.30"]
        assert answered(("127.0.0.2", int(port[1])), IN_B) == ["10.1.8.30"]
        os.kill(server.pid, signal.SIGHUP)
        server.await_log("nothing changed")
        assert metric(server, "vpcdns_reload_total") == 2
        assert metric(server, "vpcdns_server_workers") == 2


def moving(vpc: str) -> str:
    """A listener that counts as `vpc`, and an instance that is bound there."""
    vpcs = "".join(
        f"""
  - vpc_id: vpc-{one}
    region_id: cn-hangzhou
    cidr_blocks: [10.{number}.0.0/16]
    source_networks: [127.{number}.0.0/16]
    vswitches: [{{vswitch_id: vsw-{one}, cidr_block: 10.{number}.8.0/24}}]"""
        for number, one in enumerate("ab", 1)
    )
    return f"""
server: {{listen: [{{address: "127.0.0.1:0", vpc_id: vpc-{vpc}}}]}}
forward: {{upstreams: []}}
vpcs:{vpcs}
instances:
  - instance_id: {DEDICATED}
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-{vpc}, vswitch_id: vsw-{vpc}}}
groups: [{{group_id: {WEATHER[:32]}, instance_id: {DEDICATED}, vpc_domain: true}}]
"""


def test_a_listener_and_a_binding_that_move_together_are_never_apart(tmp_path: Path) -> None:
    """No answer is of the listener of one World and the binding of the other."""
    file = tmp_path / "vpcdns.yaml"
    file.write_text(moving("a"))
    sources = tuple(f"127.10.0.{last}" for last in range(1, 9))
    with several(file, listens=()) as server:
        with Load(server.dns[1], WEATHER, sources) as load:
            for number in range(1, 13):
                file.write_text(moving("ab"[number % 2]))
                os.kill(server.pid, signal.SIGHUP)
                eventually(lambda done=number: server.log.count("Reloaded") >= done)  # type: ignore[misc]
        assert metric(server, "vpcdns_server_workers") == 2
    assert set(load.answers) == {("NOERROR", "10.1.8.1"), ("NOERROR", "10.2.8.1")}
    assert load.lost == 0


def test_a_journal_that_cannot_be_written_leaves_a_listener_its_vpc(tmp_path: Path) -> None:
    file, state = tmp_path / "vpcdns.yaml", tmp_path / "state"
    file.write_text(moving("a"))
    with several(file, listens=(), state=state) as server:
        limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        full = Path(f"{state}-wal").stat().st_size
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (full, limit[1]))
        file.write_text(moving("b"))
        server.await_log("Not reloaded")
        assert "cannot be used" in server.log
        assert answered(server.dns, "127.0.0.1") == ["10.1.8.1"]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, limit)
        os.kill(server.pid, signal.SIGHUP)
        server.await_log("Reloaded")
        assert answered(server.dns, "127.0.0.1") == ["10.2.8.1"]


def test_the_query_log_is_one(tmp_path: Path) -> None:
    log = tmp_path / "queries.log"
    config = tmp_path / "vpcdns.yaml"
    logged = f"server:\n  log: {{queries: full, file: {log}}}\n"
    config.write_text(EXAMPLE.read_text().replace("server:\n", logged))
    with several(config) as server:
        answered(server.dns, IN_A)
        log.rename(tmp_path / "old.log")
        os.kill(server.pid, signal.SIGHUP)
        server.await_log("nothing changed")
        answered(server.dns, IN_B)
    lines = [*(tmp_path / "old.log").read_text().splitlines(), *log.read_text().splitlines()]
    assert len(lines) == 2 * CLIENTS
    assert all(line.startswith("{") and line.endswith("}") for line in lines)


def test_a_worker_that_dies_is_replaced(server: ServerProcess) -> None:
    server.client.add_fault("servfail", times=2 * CLIENTS, name="localhost")
    assert answered(server.dns, IN_A, "localhost") == ["SERVFAIL"]
    answered(server.dns, IN_A)
    counted = metric(server, "vpcdns_dns_requests_total")
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGKILL)
    server.await_log("has ended (status -9); 1 left")
    server.client.change(rebind(VPC_A, "vsw-bp1a") | {"address": "10.1.8.40"})
    server.await_log("Worker 1 was replaced")
    assert answered(server.dns, IN_A) == ["10.1.8.40"]
    assert answered(server.dns, IN_A, "localhost") == ["SERVFAIL"], "as often as it was left to happen"
    assert metric(server, "vpcdns_server_workers") == 2
    counted += CLIENTS
    assert metric(server, "vpcdns_dns_requests_total") == counted, "what the dead one counted is kept"
    server.client.clear_faults()
    server.client.change(rebind(VPC_A, "vsw-bp1a") | {"address": "10.1.8.41"})
    assert answered(server.dns, IN_A) == ["10.1.8.41"]
    (other,) = workers_of(server)
    assert other != worker


@pytest.mark.parametrize("again", [1, 2])
def test_a_worker_that_hangs_is_lost_within_two_seconds_and_replaced(
    server: ServerProcess, again: int
) -> None:
    for _ in range(again):
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGSTOP)
        before = time.monotonic()
        eventually(partial(is_gone, worker))
        assert time.monotonic() - before < 2.5  # the machine is shared; what is promised is 2
        eventually(lambda: metric(server, "vpcdns_server_workers") == 2)
    eventually(lambda: "hung and was killed" in server.log)
    assert answered(server.dns, IN_A) == ["10.1.8.20"]


def test_a_replacement_takes_part_in_reloads(tmp_path: Path) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text(EXAMPLE.read_text())
    with several(config, 3) as server:
        server.client.change({"change": "RenameGroup", "group_id": WEATHER[:32], "name": "climate"})
        for worker in workers_of(server):
            os.kill(worker, signal.SIGKILL)
        eventually(lambda: metric(server, "vpcdns_server_workers") == 3)
        config.write_text(EXAMPLE.read_text().replace("10.1.8.20", "10.1.8.33"))
        server.await_log("Reloaded")
        assert answered(server.dns, IN_A) == ["10.1.8.33"]
        assert metric(server, "vpcdns_server_workers") == 3
        assert "was killed" not in server.log


def test_a_worker_that_does_not_listen_is_killed(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGSTOP)
    server.client.change({"change": "RenameGroup", "group_id": WEATHER[:32], "name": "climate"})
    assert is_gone(worker)
    eventually(lambda: re.search("did not answer in time|hung and was killed", server.log) is not None)
    assert answered(server.dns, IN_A) == ["10.1.8.20"]


def test_a_worker_that_is_frozen_at_any_place_hangs_nobody_else(server: ServerProcess) -> None:
    """While faults are counted and lines are logged no process waits for another."""
    server.client.add_fault("delay", delay_ms=1)
    with Load(server.dns[1], WEATHER, (IN_A,) * 6) as load:
        for _ in range(3):
            eventually(lambda: len(workers_of(server)) == 1)
            (worker,) = workers_of(server)
            os.kill(worker, signal.SIGSTOP)
            eventually(partial(is_gone, worker))
            eventually(lambda: metric(server, "vpcdns_server_workers") == 2)
    assert load.count > 100
    assert load.lost <= 3 * 6, "what was in its queue"


def test_none_is_left_when_the_main_process_dies(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    server.kill()
    eventually(lambda: is_gone(worker))


def test_drains_and_ends(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    server.client.add_fault("delay", delay_ms=300)
    with asked(server.dns, IN_A) as clients:
        eventually(lambda: sum(one["happened"] for one in server.client.faults()) == CLIENTS)
        os.kill(worker, signal.SIGINT)  # as Ctrl-C does to everybody
        code, log = server.end()
        assert len(answers(clients)) == CLIENTS
    assert code == 0
    assert is_gone(worker)
    assert "Traceback" not in log


def test_a_second_signal_ends_it_at_once(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    server.client.add_fault("delay", delay_ms=60_000)
    with asked(server.dns, IN_A):
        eventually(lambda: sum(one["happened"] for one in server.client.faults()) == CLIENTS)
        os.kill(server.pid, signal.SIGTERM)
        server.await_log("SIGTERM: stopping")
        before = time.monotonic()
        assert server.end()[0] == 128 + signal.SIGTERM
        assert time.monotonic() - before < 3
    assert is_gone(worker)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_is_shared_with_no_other_server(server: ServerProcess, workers: str) -> None:
    listen = f"127.0.0.1:{server.dns[1]}"
    done = vpcdns_process("serve", "--config", str(EXAMPLE), "--listen", listen, "--workers", workers)
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot listen on {listen}")


def test_more_than_two(tmp_path: Path) -> None:
    with several(workers=4, state=tmp_path / "state") as server:
        assert len(workers_of(server)) == 3
        server.client.change(rebind(VPC_A, "vsw-bp1a") | {"address": "10.1.8.40"})
        assert answered(server.dns, IN_A) == ["10.1.8.40"]
        assert metric(server, "vpcdns_server_workers") == 4


def test_a_worker_that_hangs_is_lost_in_time_when_a_change_comes_late(server: ServerProcess) -> None:
    """A heartbeat that is missing already counts against what the change may take."""
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGSTOP)
    before = time.monotonic()
    select.select([], [], [], 1.3)  # a heartbeat is missing, and not for long enough
    server.client.change({"change": "RenameGroup", "group_id": WEATHER[:32], "name": "climate"})
    assert is_gone(worker)
    assert time.monotonic() - before < 3.0  # 2.4 at most, and a busy machine


def test_hung_workers_and_a_large_change_cost_two_seconds_in_all(tmp_path: Path) -> None:
    """What does not fit into their sockets is not waited for one worker after the other."""
    with several(workers=4) as server:
        for worker in workers_of(server):
            os.kill(worker, signal.SIGSTOP)
        rename = {"change": "RenameGroup", "group_id": WEATHER[:32], "name": "é" * 240}
        before = time.monotonic()
        server.client.change(*[rename] * 650)
        assert time.monotonic() - before < 4  # 2, and a busy machine
        assert answered(server.dns, IN_A) == ["10.1.8.20"]


@on_loop
async def test_only_heartbeats_that_are_missing_count_against_later_calls() -> None:
    """A reload is prepared for seconds, and changes go on meanwhile: nobody is lost for it."""
    ours, theirs = channel()
    with ours, theirs:
        worker = Worker(1, os.getpid(), ours)
        prepared = worker.call("prepare", ())
        await asyncio.sleep(0.2)  # the silence that must not count
        assert time.monotonic() - worker.silent_since < 0.1
        beat = worker.call("heartbeat", ())
        await asyncio.sleep(0.2)  # the silence that must
        assert time.monotonic() - worker.silent_since >= 0.2
        for _ in range(2):
            call, method, _ = theirs.recv()
            theirs.send((call, method))
            worker.receive()
        assert (prepared.result(), beat.result()) == ("prepare", "heartbeat")
        assert time.monotonic() - worker.silent_since < 0.1


def test_a_replacement_that_hangs_at_its_start_keeps_no_other_waiting() -> None:
    with several(workers=3) as server:
        first, second = before = workers_of(server)
        os.kill(first, signal.SIGKILL)
        executed = "vpcdns.process.replacement"
        eventually(lambda: any(executed in command_line(pid) for pid in workers_of(server)))
        (hung,) = set(workers_of(server)) - {*before}
        os.kill(hung, signal.SIGSTOP)
        os.kill(second, signal.SIGKILL)
        server.await_log("Worker 2 was replaced")
        assert not is_gone(hung)
        server.client.change(rebind(VPC_A, "vsw-bp1a") | {"address": "10.1.8.40"})
        server.await_log("Worker 1 was not replaced, and will be tried again")
        server.await_log("Worker 1 was replaced")
        assert answered(server.dns, IN_A) == ["10.1.8.40"]
        assert metric(server, "vpcdns_server_workers") == 3
    assert is_gone(hung)


def test_a_worker_that_hangs_keeps_the_end_no_longer_than_it_keeps_the_rest(server: ServerProcess) -> None:
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGSTOP)
    before = time.monotonic()
    assert server.end()[0] == 0
    assert time.monotonic() - before < 3.5  # 2, and a busy machine
    assert is_gone(worker)
