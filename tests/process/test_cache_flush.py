"""`vpcdns cache flush`, `POST /cache/flush`, `POST /test/reset`: one process and several."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.command_line import vpcdns
from tests.support.nameserver import Nameserver
from tests.support.resolver_and_upstreams import Switch, saying
from tests.support.server_process import ServerProcess, served
from vpcdns.admin_client import call
from vpcdns.testing import AdminError, Client

NAME = "db.corp.example"
HOUR = "corp.example 3600 IN SOA ns.corp.example root.corp.example 1 2 3 4 3600"
GONE, THERE = saying(HOUR, rcode="NXDOMAIN"), saying(f"{NAME} 300 IN A 10.1.0.9")
CLIENTS = 24  # that one worker of two gets them all: once in 2^23 runs
VPCS = "vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]\n"


@contextmanager
def serving(
    folder: Path, workers: int = 1, admin: str = "127.0.0.1:0", keys: bool = False
) -> Iterator[tuple[ServerProcess, Switch]]:
    """A server, and what its upstream says: NXDOMAIN, which holds for an hour."""
    upstream = Switch(GONE)
    with Nameserver(upstream) as nameserver:
        config = folder / "vpcdns.yaml"
        (folder / "keys.yaml").write_text("LTAI4G0000000000000000: secretsecretsecretsecretsecret\n")
        (folder / "keys.yaml").chmod(0o600)
        text = f"forward: {{upstreams: ['{nameserver.upstream}']}}\n{VPCS}"
        config.write_text(f"{text}admin: {{access_keys_file: keys.yaml}}\n" if keys else text)
        options = ["--workers", str(workers), "--admin", admin]
        with served(config, options=options) as server:
            yield server, upstream


def answered(server: ServerProcess) -> set[str]:
    """What clients at many ports get: each worker has some of them."""
    query = dns.message.make_query(NAME, "A")
    found = [dns.query.udp(query, *server.dns[:1], port=server.port, timeout=10) for _ in range(CLIENTS)]
    return {dns.rcode.to_text(one.rcode()) for one in found}


def reset(server: ServerProcess) -> bool:
    server.client.reset()
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_every_process_flushes_before_the_call_is_answered(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path, workers) as (server, upstream):
        admin = ("--admin", server.url.removeprefix("http://"))

        def command(*options: str) -> bool:
            return vpcdns("cache", "flush", *options, *admin).returncode == 0

        flushes: tuple[Callable[[], bool], ...] = (
            command,
            partial(command, "--name", "corp.example", "--below", "--vpc", "vpc-a"),
            lambda: server.client.flush_cache(NAME) == workers,
            partial(reset, server),
        )
        for flush in flushes:
            upstream.script = GONE
            server.client.flush_cache()
            assert answered(server) == {"NXDOMAIN"}
            upstream.script = THERE
            assert answered(server) == {"NXDOMAIN"}
            assert flush()
            assert answered(server) == {"NOERROR"}


def test_the_command_says_how_many_answers(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with serving(tmp_path, admin=str(path)) as (server, _):
        answered(server)
        ran = vpcdns("cache", "flush", "--admin", str(path), "--name", "other.example")
        assert (ran.returncode, ran.stdout) == (0, "Flushed 0 answers\n")
        server.await_log("Flushed 0 cached answers about other.example")
        ran = vpcdns("cache", "flush", "--admin", str(path))
        assert (ran.returncode, ran.stdout) == (0, "Flushed 1 answer\n")
        ran = vpcdns("cache", "flush", "--admin", str(path), "--json")
        assert json.loads(ran.stdout) == {"flushed": 0}
        ran = vpcdns("cache", "flush", "--admin", str(path), "--vpc", "vpc-x")
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr == "not-found: there is no VPC vpc-x; there are: vpc-a\n"


def test_what_is_wrong_with_the_command(tmp_path: Path) -> None:
    ran = vpcdns("cache", "flush", "--below")
    assert ran.returncode == 2
    assert "--name" in ran.stderr
    ran = vpcdns("cache", "flush", "--name", "a..b")
    assert ran.returncode == 2
    ran = vpcdns("cache", "flush", "--admin", str(tmp_path / "none.sock"))
    assert ran.returncode == 1
    assert "does not answer" in ran.stderr
    assert "admin.listen" in ran.stderr


def test_what_is_wrong_with_the_call(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, _):
        for body, message in (
            (
                {"names": "a"},
                "names: Extra inputs are not permitted; what is flushed has name, below, vpc_id",
            ),
            ({"name": 3}, "name: Input should be a valid string; what is flushed has name, below, vpc_id"),
            ({"name": "a..b"}, "name: a label must have 1 to 63 octets"),
            ({"below": True}, "below: it needs a name; without both, everything is flushed"),
            ({"vpc_id": "vpc-x"}, "there is no VPC vpc-x; there are: vpc-a"),
        ):
            with pytest.raises(AdminError) as raised:
                call(server.url, "POST", "/cache/flush", body)
            assert str(raised.value).partition(": ")[2] == message


def test_with_access_keys_a_token_is_needed(tmp_path: Path) -> None:
    with serving(tmp_path, keys=True) as (server, _):
        with pytest.raises(AdminError, match="needs a token"):
            server.client.flush_cache()
        ran = vpcdns("cache", "flush", "--admin", server.url.removeprefix("http://"))
        assert ran.returncode == 1
        assert "VPCDNS_ADMIN_TOKEN" in ran.stderr


def test_a_worker_that_hangs_gives_no_old_answer(tmp_path: Path) -> None:
    with serving(tmp_path, 2) as (server, upstream):
        answered(server)
        upstream.script = THERE
        pid = server.pid
        (worker,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        os.kill(worker, signal.SIGSTOP)
        Client(server.url, timeout=30).flush_cache()
        assert answered(server) == {"NOERROR"}
