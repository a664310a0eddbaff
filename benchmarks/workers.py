"""`python benchmarks/workers.py [SECONDS]`: what several workers gain over one, in CPU time a query.

dnsperf asks for 10,000 VPC-domain names from 64 sockets, as fast as it can, with two threads on two cores.
Every worker has one of them to itself, but for what dnsperf takes of it. What is compared is what each does
with its CPU time: queries per second would tell of dnsperf besides.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import cpu_seconds, found

from vpcdns.testing import Server

GROUPS = 10_000
ROUNDS = 3
VPCS = ("vpc-a", "vpc-b")


def configuration() -> dict[str, object]:
    vpcs = [
        {
            "vpc_id": vpc_id,
            "region_id": "cn-hangzhou",
            "cidr_blocks": [f"10.{number}.0.0/16"],
            "source_networks": [f"127.0.{number}.0/24"],
            "vswitches": [{"vswitch_id": f"vsw-{vpc_id}", "cidr_block": f"10.{number}.1.0/24"}],
        }
        for number, vpc_id in enumerate(VPCS)
    ]
    binding = {"vpc_id": "vpc-a", "vswitch_id": "vsw-vpc-a"}
    instance = {"instance_id": "gw", "type": "dedicated", "region_id": "cn-hangzhou", "binding": binding}
    groups = [
        {"group_id": f"{number:032x}", "name": f"g{number}", "instance_id": "gw", "vpc_domain": True}
        for number in range(GROUPS)
    ]
    return {"vpcs": vpcs, "instances": [instance], "groups": groups, "forward": {"upstreams": []}}


def main() -> int:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "8"
    with tempfile.TemporaryDirectory() as folder:
        config, queries = Path(folder, "config.json"), Path(folder, "queries")
        config.write_text(json.dumps(configuration()))
        names = (f"{number:032x}-cn-hangzhou-vpc.alicloudapi.com A\n" for number in range(GROUPS))
        queries.write_text("".join(names))
        used: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for workers, taken in used.items():
                taken.append(measured(config, queries, workers, seconds))
    one, two = (statistics.median(used[workers]) for workers in (1, 2))
    print(f"throughput per CPU time, 2 workers: {2 * one / two:.2f} times one's")
    return 0


def measured(config: Path, queries: Path, workers: int, seconds: str) -> float:
    """µs of CPU time a query, all processes together."""
    with Server(config, workers=workers) as server:
        pids = [server.pid, *children(server.pid)]
        for core, pid in enumerate(pids):
            os.sched_setaffinity(pid, {core})
        load(server, queries, "1")
        before = [cpu_seconds(pid) for pid in pids]
        told = load(server, queries, seconds)
        each = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
        took = changes(server)
    completed, lost = (int(found(rf"Queries {word}:\s+(\d+)", told)) for word in ("completed", "lost"))
    used = sum(each) / completed * 1e6
    qps = found(r"Queries per second:\s+([\d.]+)", told)
    shares = "+".join(f"{one:.1f}" for one in each)
    print(
        f"{workers} workers: {used:.2f} µs a query ({shares} s), {qps} queries/s, {lost} lost; rebind {took}"
    )
    return used


def load(server: Server, queries: Path, seconds: str) -> str:
    host, port = server.dns
    command = ["dnsperf", "-s", host, "-p", str(port), "-d", str(queries), "-l", seconds]
    command += ["-c", "64", "-T", "2", "-q", "1000"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def changes(server: Server) -> str:
    """How long a rebind takes, HTTP included."""
    taken = []
    for number in range(100):
        vpc_id = VPCS[(number + 1) % 2]
        bind = {"change": "Bind", "instance_key": ["cn-hangzhou", "gw"], "vpc_id": vpc_id}
        before = time.perf_counter()
        server.client.change({**bind, "vswitch_id": f"vsw-{vpc_id}"})
        taken.append((time.perf_counter() - before) * 1e3)
    return f"{statistics.median(taken):.1f} ms (worst of 100: {max(taken):.1f})"


def children(pid: int) -> list[int]:
    return [int(word) for word in re.findall(r"\d+", Path(f"/proc/{pid}/task/{pid}/children").read_text())]


if __name__ == "__main__":
    sys.exit(main())
