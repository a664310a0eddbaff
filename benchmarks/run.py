"""Compares vpcdns with other servers in one run: `make bench`, or `run.py --help`.

Every server in turn gets the same names from the same load generator, on a core of its own, several
rounds over; the median counts. CPU time is what the kernel says of the server's process and all of its
threads. Installs nothing and says what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

from cases import CASES, Case
from report import Measured, host, plain, table, write_document
from servers import ENVIRONMENT, SERVERS, Place, Server

SERVER_CORE: Final = "0"
LOAD_CORE: Final = "1"
PORT, UPSTREAM_PORT = 5399, 5398
PROBE_RATE: Final = 1_000  # queries per second while latency is measured
TICK: Final = os.sysconf("SC_CLK_TCK")


class _NoAnswer(Exception):
    """A server did not come up; the others may."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--server", action="append", choices=[server.name for server in SERVERS])
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--document", type=Path, help="a Markdown file to write the tables and a plot into")
    arguments = parser.parse_args()
    servers = [server for server in SERVERS if arguments.server is None or server.name in arguments.server]
    if missing := _missing(servers):
        print("missing, from Debian:", *sorted(missing), file=sys.stderr)
        return 1
    cases = [case for case in CASES if arguments.case is None or case.name in arguments.case]
    results: dict[str, dict[str, list[Measured]]] = {}
    with tempfile.TemporaryDirectory() as name, _upstream(Path(name)):
        _compiled(Path(name), "yardstick")
        for case in cases:
            results[case.name] = _compare(case, servers, arguments.rounds, arguments.seconds, Path(name))
            print(table(case.title, results[case.name]), flush=True)
            if arguments.json is not None:  # as far as we came: the rest may take long, or fail
                figures = {"host": host(), "results": plain(results)}
                arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    if arguments.document is not None:
        write_document(arguments.document, {case.name: case.title for case in cases}, results)
    return 0


def _missing(servers: list[Server]) -> set[str]:
    needed = {server.program: server.package for server in servers}
    needed |= {"dnsperf": "dnsperf", "taskset": "util-linux", "cc": "gcc"}
    return {package for program, package in needed.items() if shutil.which(program) is None}


def _compare(
    case: Case, servers: list[Server], rounds: int, seconds: float, folder: Path
) -> dict[str, list[Measured]]:
    servers = [server for server in servers if server.name not in case.without]
    measured: dict[str, list[Measured]] = {server.name: [] for server in servers}
    for number in range(rounds):
        queries = folder / "queries"
        queries.write_text("\n".join(case.names(number)) + "\n")
        for server in servers:
            try:
                measured[server.name].append(_measure(case, server, queries, seconds, folder))
            except _NoAnswer as reason:
                if server is servers[0]:
                    raise  # the one that the others are compared with
                print(f"{case.name}, left out: {reason}", file=sys.stderr)
    return {name: rounds for name, rounds in measured.items() if rounds}


def _measure(case: Case, server: Server, queries: Path, seconds: float, folder: Path) -> Measured:
    place = Place(folder, PORT, UPSTREAM_PORT)
    with _running(SERVER_CORE, server.command(place, case), case, PORT) as process:
        if case.warm:
            _dnsperf(case, queries, "-n", "2")  # what is kept may be kept at the second time
        before = cpu_seconds(process.pid)
        # A list of new names is asked once through at most: the second time they would not be new.
        once = () if case.warm else ("-n", "1")
        told = _dnsperf(case, queries, "-l", str(seconds), *once)
        used = cpu_seconds(process.pid) - before
        completed = int(found(r"Queries completed:\s+(\d+)", told))
        lost = int(found(r"Queries lost:\s+(\d+)", told))
        qps = float(found(r"Queries per second:\s+([\d.]+)", told))
        p50, p99 = _latency(case, queries, folder)
    return Measured(qps, used / max(1, completed) * 1e6, p50, p99, lost / max(1, completed + lost))


def _latency(case: Case, queries: Path, folder: Path) -> tuple[float, float]:
    lines = queries.read_text().splitlines()
    probes = folder / "probes"
    # From the other end: those names are still new.
    probes.write_text("\n".join(lines[-2 * PROBE_RATE :]) + "\n")
    told = _dnsperf(case, probes, "-n", "1", "-Q", str(PROBE_RATE), "-v")
    taken = sorted(float(line.split()[-1]) * 1e6 for line in told.splitlines() if line.startswith("> "))
    if len(taken) < 100:
        return float("nan"), float("nan")
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]


def _dnsperf(case: Case, queries: Path, *options: str) -> str:
    command = ["taskset", "-c", LOAD_CORE, "dnsperf", "-s", case.host, "-p", str(PORT), "-d", str(queries)]
    command += ["-q", "100", "-t", "4", "-W", *case.options, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"dnsperf says nothing like {pattern!r}:\n{text}")
    return match[1]


@contextmanager
def _upstream(folder: Path) -> Iterator[None]:
    program = _compiled(folder, "upstream")
    with _running(LOAD_CORE, [str(program), str(UPSTREAM_PORT)], CASES[-1], UPSTREAM_PORT):
        yield


def _compiled(folder: Path, name: str) -> Path:
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", program, Path(__file__).with_name(f"{name}.c")], check=True)
    return program


@contextmanager
def _running(core: str, command: list[str], case: Case, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server on a core of its own, from its first answer on; ended by its own pid."""
    process = subprocess.Popen(
        ["taskset", "-c", core, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        _wait_for(case.host, port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Until anything is answered; a million names take BIND and Unbound their time to read."""
    query = b"\0\1\1\0\0\1\0\0\0\0\0\0\5ready\7example\0\0\1\0\1"
    deadline = time.monotonic() + 300
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            sock.connect((host, port))
            try:
                sock.send(query)
                if len(sock.recv(512)) >= 12:
                    return
            except OSError:
                time.sleep(0.05)
    how = "does not answer" if process.poll() is None else f"ended with {process.returncode}"
    raise _NoAnswer(f"{process.args!r} {how}")


def cpu_seconds(pid: int) -> float:
    """Seconds of user and system time of a process, threads included (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


if __name__ == "__main__":
    sys.exit(main())
