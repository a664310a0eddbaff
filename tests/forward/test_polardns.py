"""PolarDNS as the upstream: its whole catalogue of broken responses, through a running server.

It runs as a process, from a copy of its package: its port stands in a file there.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import pytest

from tests.support.event_loop import until
from tests.support.example_world import example
from tests.support.nameserver import bound
from tests.support.resolver_and_upstreams import with_loopback
from tests.support.resolver_service import listening
from vpcdns.model.policy import Forwarding, Transport, Upstream
from vpcdns.net.bind_errors import holder_of
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

PACKAGE: Final = importlib.util.find_spec("polardns")
AT_ONCE: Final = 40
LOOPBACK: Final = ip_address("127.0.0.1")
TRANSPORTS: Final[tuple[Transport, ...]] = ("udp", "tcp")
COMMAND: Final = re.compile(r"dig (\S+)(?: ([A-Z0-9]+))? @\S+(.*)")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PACKAGE is None, reason="PolarDNS is not installed: it is in the dev group"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks in Linux' /proc whether it is there yet"),
]


def package() -> Path:
    assert PACKAGE is not None
    assert PACKAGE.origin is not None
    return Path(PACKAGE.origin).parent


@contextmanager
def polardns(folder: Path) -> Iterator[Upstream]:
    udp, tcp = bound("127.0.0.1")
    port: int = udp.getsockname()[1]
    udp.close()
    tcp.close()
    shutil.copytree(package(), folder / "polardns")
    settings = folder / "polardns" / "polardns.toml"
    settings.write_text(settings.read_text().replace("0.0.0.0:53", f"127.0.0.1:{port}"))
    command = [sys.executable, "-c", "from polardns.core import main; main()"]
    # It starts itself anew and forks: a session of its own, so that all of it can be ended.
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield Upstream(LOOPBACK, port)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def catalogue() -> list[tuple[str, str, bool]]:
    """Name, type and whether TCP is used, of every example that PolarDNS documents."""
    examples = set()
    for path in sorted((package() / "modules").glob("*.toml")):
        for one in tomllib.loads(path.read_text())["module"].get("example", ()):
            match = COMMAND.match(one["command"])
            if match is not None and "-x" not in match[1]:
                name = match[1].replace("${RANDOM}", "4711").replace("$RANDOM", "4711")
                examples.add((name, match[2] or "A", "+tcp" in match[3]))
    return sorted(examples)


RCODES: Final[Counter[int]] = Counter()


async def asked(port: int, name: str, rtype: str, tcp: bool) -> str | None:
    """What is wrong with the response, if anything is."""
    query = dns.message.make_query(name, rtype, use_edns=0)
    started = time.monotonic()
    ask = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    try:
        response = await ask(query, "127.0.0.1", 5, port, ignore_trailing=False)
    except (dns.exception.DNSException, OSError) as error:
        return f"{name} {rtype}: {error!r}"
    RCODES[response.rcode()] += 1
    took = time.monotonic() - started
    return f"{name} {rtype} took {took:.1f} s" if took > 4 or response.id != query.id else None


def test_every_response_is_well_formed_and_in_time(tmp_path: Path) -> None:
    async def run(upstream: Upstream) -> list[str]:
        world = with_loopback(replace(example(), forwarding=Forwarding((upstream,))))
        resolver = Resolver(State(world))
        limit = asyncio.Semaphore(AT_ONCE)
        async with listening(resolver) as (service, listen):

            async def one(name: str, rtype: str, tcp: bool) -> str | None:
                async with limit:
                    return await asked(listen.port, name, rtype, tcp)

            async with asyncio.timeout(30):
                await until(lambda: all(holder_of(LOOPBACK, upstream.port, over) for over in TRANSPORTS))
            found = await asyncio.gather(*(one(*example) for example in catalogue()))
            assert service.counters.responder_exceptions == 0
            assert await asked(listen.port, "a.yourdomain.com", "A", False) is None, "serves on"
        return [problem for problem in found if problem is not None]

    assert len(catalogue()) > 300
    with polardns(tmp_path) as upstream:
        assert asyncio.run(run(upstream)) == []
    # What it documents is of both kinds: what can be used in spite of all, and what cannot.
    assert RCODES[dns.rcode.NOERROR] > 50
    assert RCODES[dns.rcode.SERVFAIL] > 50
