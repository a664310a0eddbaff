"""What size costs, in CPU time: `make bench-scale` prints the tables of docs/scale.md."""

from __future__ import annotations

import argparse
import gc
import re
import subprocess
import sys
import tempfile
import time
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from vpcdns.query import Arrival

sys.path.insert(0, str(Path(__file__).parent))

import scale_files
from cpu_time import cpu
from scale_files import INSTANCE, REGION, VPCS, group_id

from vpcdns.config import load
from vpcdns.model.changes import AddCustomDomain, Bind, Change, CreateGroup, DeleteGroup, DisableVpcDomain
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Vpc
from vpcdns.model.world import World
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

LISTEN: Final = Listen(ip_address("127.0.0.1"), 5300)
PEERS: Final = {vpc: ip_address(f"127.0.0.{number}") for number, vpc in enumerate(VPCS, start=1)}


def query(number: int) -> bytes:
    label = f"{group_id(number)}-{REGION}-vpc".encode()
    return b"\0\1\1\0\0\1\0\0\0\0\0\0" + bytes([len(label)]) + label + b"\x0balicloudapi\3com\0\0\1\0\1"


def loading(folder: Path, sizes: list[int], yaml_at_most: int) -> None:
    print(
        "| groups, a custom domain each | JSON, s | µs a group | YAML, s | µs a group |\n"
        "|---|---|---|---|---|"
    )
    for size in sizes:
        row = [f"{size:,}"]
        for suffix in ("json", "yaml"):
            if suffix == "yaml" and size > yaml_at_most:
                row += ["-", "-"]
                continue
            path = scale_files.write(folder / f"custom.{suffix}", size, custom=True)
            took = cpu(lambda path=path: load(path))  # type: ignore[misc]
            row += [f"{took:.2f}", f"{took / size * 1e6:.1f}"]
        print(f"| {' | '.join(row)} |", flush=True)


def serving(path: Path) -> int:
    """The resident set of a server with this file, in octets."""
    command = [sys.executable, "-m", "vpcdns", "serve", "--config", str(path), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        for line in server.stdout or ():
            if line.startswith("Try"):
                break
        status = Path(f"/proc/{server.pid}/status").read_text()
        server.terminate()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0


def looking_up(world: World, size: int) -> tuple[float, float, float]:
    """Microseconds of CPU a query: decided, from the tables, and from the tables for 200 names only."""
    resolver = Resolver(State(world))
    peer = PEERS[VPCS[0]]
    steps = [number * 7919 % size for number in range(2000)]
    queries = [query(number) for number in steps]

    def ask() -> None:
        for octets in queries:
            resolver.respond(octets, Arrival(peer, "udp", LISTEN))

    slow = cpu(ask, 5) / len(queries)
    view, tables = resolver.remembered.view(peer, "udp", LISTEN), resolver.remembered.tables
    stripped = [octets[2:] for octets in queries]
    tail = cpu(lambda: [tables.answer(octets, view) for octets in stripped], 9) / len(stripped)
    few = stripped[:200]
    warm = cpu(lambda: [tables.answer(octets, view) for _ in range(10) for octets in few], 9) / 10 / len(few)
    return slow * 1e6, tail * 1e6, warm * 1e6


def changing(world: World) -> dict[str, tuple[float, float]]:
    """Microseconds a change, the mean and the worst of 2,000."""
    state, took = State(world), dict[str, list[float]]()

    def apply(what: str, change: Change) -> None:
        started = time.process_time()
        applied = state.apply(change)
        took.setdefault(what, []).append(time.process_time() - started)
        if not isinstance(applied, World):
            raise TypeError(str(applied))

    for number in range(2000):
        step = number * 7919 % len(world.groups)
        apply("disable a VPC domain", DisableVpcDomain(group_id(step)))
        apply("create a group", CreateGroup(Group(f"{number:031x}b", INSTANCE, REGION, vpc_domain=True)))
        apply(
            "add a custom domain",
            AddCustomDomain(f"{number:031x}b", Name.from_text(f"a{number}.example.org")),
        )
        apply("delete a group", DeleteGroup(f"{number:031x}b"))
    return {what: (sum(times) / len(times) * 1e6, max(times) * 1e6) for what, times in took.items()}


def rebinding(world: World, size: int) -> float:
    """Milliseconds from the call that rebinds until a name is answered in both VPCs as it should be."""
    state = State(world)
    resolver = Resolver(state)
    key = (REGION, INSTANCE)
    asked = [query(number * 7919 % size) for number in range(100)]

    def answered(octets: bytes) -> tuple[int, ...]:
        answers = [resolver.respond(octets, Arrival(PEERS[vpc], "udp", LISTEN)) for vpc in VPCS]
        return tuple(answer[3] & 15 for answer in answers if isinstance(answer, bytes))

    def rebind(number: int, address: str) -> None:
        state.apply(Bind(key, VPCS[number], f"vsw-{VPCS[number]}", IPv4Address(address)))
        first = answered(asked[0])
        if first != ((0, 3) if number == 0 else (3, 0)):
            raise RuntimeError(f"after a rebind to {VPCS[number]}: {first}")

    took = []
    for _ in range(5):
        for number, address in ((1, "10.2.8.20"), (0, "10.1.8.20")):
            took.append(cpu(lambda number=number, address=address: rebind(number, address)))  # type: ignore[misc]
            if len({answered(octets) for octets in asked}) != 1:
                raise RuntimeError("names of one instance are answered differently")
    return max(took) * 1e3


def networks(folder: Path) -> None:
    path = scale_files.write_networks(folder / "networks.json", 10_000, 10)
    worlds: list[World] = []
    took = cpu(lambda: worlds.append(load(path).world))
    topology = worlds[0].topology
    addresses = [IPv4Address((240 << 24) + number * 7919 % 100_000 * 16 + 3) for number in range(5000)]
    locate = cpu(lambda: [topology.locate(address) for address in addresses], 5) / len(addresses)
    added = [Vpc(f"vpc-new-{number}", REGION, (), ()) for number in range(500)]
    change = cpu(lambda: [topology.with_vpc(vpc) for vpc in added], 3) / len(added)
    print(
        f"\n10,000 VPCs with 100,000 source networks: loaded in {took:.1f} s, an address located in"
        f" {locate * 1e6:.1f} µs, a VPC added in {change * 1e6:.0f} µs."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--yaml-at-most", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        loading(folder, arguments.sizes, arguments.yaml_at_most)
        print(
            "\n| groups | octets a group, serving | decided, µs | tables, µs | 200 names, µs | rebind, ms |"
            "\n|---|---|---|---|---|---|"
        )
        world = World()
        empty = serving(scale_files.write(folder / "small.json", 1))
        for size in (1_000, *arguments.sizes):
            path = scale_files.write(folder / "plain.json", size)
            resident = (serving(path) - empty) / size
            world = load(path).world
            gc.collect()
            gc.freeze()
            decided, tables, warm = looking_up(world, size)
            rebind = rebinding(world, size)
            memory = f"{resident:.0f}" if size >= 10_000 else "-"
            print(
                f"| {size:,} | {memory} | {decided:.1f} | {tables:.2f} | {warm:.2f} | {rebind:.1f} |",
                flush=True,
            )
        print("\n| change, of the most groups | mean, µs | worst of 2,000, µs |\n|---|---|---|")
        for what, (mean, worst) in changing(world).items():
            print(f"| {what} | {mean:.0f} | {worst:.0f} |")
        networks(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
