"""`make soak`: a server under reloads, rebinds and hostile traffic, while every answer is checked.

Ends with 0 when no answer was wrong, no query was lost, and neither memory nor descriptors grew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import dns.message
import dns.rdatatype
import dns.rrset

from tests.soak.checkers import Score, UdpChecker, check_over_tcp
from tests.soak.hostile import flood, rude
from tests.soak.truth import CLIENTS, FORWARDED, Truth, configuration, witness
from tests.support.nameserver import Nameserver, Transport

PER_CHECKER: Final = 60.0  # queries a second over UDP, for each address
HOSTILE: Final = 200.0  # datagrams a second
RUDE: Final = 20  # TCP connections at a time
# What may be added to the memory that was taken after a tenth of the time: malloc's, and the metrics' rows.
GROWTH_AT_MOST: Final = 8 << 20
DESCRIPTORS_AT_MOST: Final = 8


@dataclass(slots=True)
class Report:
    """The figures of a run."""

    seconds: float
    score: Score = field(default_factory=Score)
    reloads: int = 0
    rebinds: int = 0
    refused: int = 0
    datagrams: int = 0
    connections: int = 0
    tracebacks: int = 0
    exit_code: int | None = None
    rss: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return (
            not (self.score.wrong or self.score.lost or self.tracebacks or self.exit_code)
            and self.score.checked > 0
            and self.rss[-1] - self.rss[0] < GROWTH_AT_MOST
            and self.descriptors[-1] - self.descriptors[0] < DESCRIPTORS_AT_MOST
        )

    def __str__(self) -> str:
        score, rss, descriptors = self.score, [octets >> 10 for octets in self.rss], self.descriptors
        seen = ", ".join(f"{count} {rcode}" for rcode, count in sorted(score.seen.items()))
        figures = {
            "seconds": f"{self.seconds:.0f}",
            "answers checked": f"{score.checked} ({seen})",
            "wrong answers": score.wrong,
            "lost queries": score.lost,
            "reloads": f"{self.reloads}, of them {self.rebinds} rebinds; {self.refused} bad files refused",
            "hostile": f"{self.datagrams} datagrams, {self.connections} TCP connections",
            "tracebacks": self.tracebacks,
            "RSS": f"{rss[0]} KiB at the start, {rss[-1]} KiB at the end, {max(rss)} KiB at most",
            "RSS by fifths": ", ".join(str(rss[min(len(rss) - 1, len(rss) * n // 5)]) for n in range(6)),
            "descriptors": f"{descriptors[0]} at the start, {descriptors[-1]} at the end",
            "exit code": self.exit_code,
        }
        return "\n".join([*(f"{name:17}  {figure}" for name, figure in figures.items()), *score.examples])


def upstream_script(message: bytes, transport: Transport) -> Iterable[bytes]:
    response = dns.message.make_response(dns.message.from_wire(message))
    response.answer.append(dns.rrset.from_text(response.question[0].name, 1, "IN", "A", FORWARDED))
    yield response.to_wire()


class Operator:
    """Rewrites the file, by renaming or in place, and reloads; knows what is served by what only it has.

    The serial would not do: it also moves when a reload ends that had read the file before it was written.
    """

    def __init__(self, config: Path, upstream: str, process: subprocess.Popen[bytes], port: int) -> None:
        self._config = config
        self._upstream = upstream
        self._process = process
        self._port = port
        self._revision = 0

    def write(self, bound_to: str) -> None:
        self._revision += 1
        new = self._config.with_suffix(".new")
        new.write_text(configuration(bound_to, self._upstream, self._revision))
        new.rename(self._config)

    async def run(self, truth: Truth, report: Report, until: float) -> None:
        loop, place = asyncio.get_running_loop(), "a"
        while loop.time() < until:
            following = "b" if place == "a" else "a"
            if self._revision % 3 == 0:
                following = place
            truth.bound = truth.bound | {following}
            self.write(following)
            for _ in range(self._revision % 4):  # none: it is found by looking
                self._process.send_signal(signal.SIGHUP)
            while not await self._is_served() and loop.time() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if loop.time() >= until:
                return
            # Further reloads of a storm load the same file.
            truth.bound = frozenset(following)
            report.reloads += 1
            report.rebinds += following != place
            place = following
            await asyncio.sleep(0.5)
            if self._revision % 5 == 0:
                await self._spoil(report)
                self.write(place)
                await asyncio.sleep(1.5)

    async def _spoil(self, report: Report) -> None:
        """Half a file, then none: what was served is served on."""
        text = self._config.read_text()
        self._config.write_text(text[: len(text) // 2])
        self._process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.5)
        self._config.unlink()
        self._process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.5)
        report.refused += 2

    async def _is_served(self) -> bool:
        query = dns.message.make_query(witness(self._revision), "A")
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            message = query.to_wire()
            writer.write(len(message).to_bytes(2, "big") + message)
            length = int.from_bytes(await reader.readexactly(2), "big")
            answer = dns.message.from_wire(await reader.readexactly(length)).answer
        finally:
            writer.close()
        return any(rrset.rdtype == dns.rdatatype.CNAME for rrset in answer)


async def measure(pid: int, report: Report, until: float) -> None:
    """From a tenth of the time on, when everything has been used once."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep((until - loop.time()) / 10)
    while loop.time() < until:
        _look(pid, report)
        await asyncio.sleep(1)


def _look(pid: int, report: Report) -> None:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    report.rss.append(int(found[1]) << 10)
    report.descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208


async def drive(operator: Operator, pid: int, port: int, report: Report) -> None:
    loop = asyncio.get_running_loop()
    truth, score, until = Truth(), report.score, loop.time() + report.seconds
    ours = [UdpChecker(client, truth, score).run(port, PER_CHECKER, until) for client in CLIENTS]
    over_tcp = [check_over_tcp(client, port, truth, score, pause=0.5, until=until) for client in CLIENTS]
    flooding = asyncio.ensure_future(flood(port, HOSTILE, until))
    being_rude = asyncio.gather(*(rude(port, number, until) for number in range(RUDE)))
    await asyncio.gather(*ours, *over_tcp, operator.run(truth, report, until), measure(pid, report, until))
    report.datagrams, report.connections = await flooding, sum(await being_rude)


def soak(seconds: float, folder: Path) -> Report:
    """Runs it all; the server is a process of its own."""
    report, config, log = Report(seconds), folder / "vpcdns.yaml", folder / "log"
    with Nameserver(upstream_script) as nameserver, log.open("wb") as stderr:
        upstream = f"{ip_address('127.0.0.1')}:{nameserver.upstream.port}"
        config.write_text(configuration("a", upstream, 0))
        command = [
            sys.executable,
            "-m",
            "vpcdns",
            "serve",
            "--config",
            str(config),
            "--listen",
            "127.0.0.1:0",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr) as process:
            try:
                assert process.stdout is not None
                lines = iter(process.stdout.readline, b"")
                line = next(line for line in lines if line.startswith(b"Listening on"))
                port = int(line.split(b":")[1].split()[0])
                asyncio.run(drive(Operator(config, upstream, process, port), process.pid, port, report))
                process.send_signal(signal.SIGTERM)
                report.exit_code = process.wait(20)
            finally:
                process.kill()
    report.tracebacks = log.read_text().count("Traceback")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    with tempfile.TemporaryDirectory(prefix="vpcdns-soak-") as folder:
        report = soak(parser.parse_args().minutes * 60, Path(folder))
        sys.stdout.write(f"{report}\n")
        if report.tracebacks:
            sys.stdout.write((Path(folder) / "log").read_text()[-10_000:])
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
