"""`python benchmarks/rebinding.py [--groups N]`: what clients see of a rebind of all groups.

A server in a process, and a client in each of two VPCs that asks over UDP without a pause, for another name
each time. Every answer is judged by when its query was sent: before the rebind was asked for, or after it was
acknowledged. Prints JSON; exits with 1 when a query was lost or an answer was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import scale_files
from scale_files import INSTANCE, REGION, VPCS, group_id

from vpcdns.testing import Server

LOST_AFTER: Final = 2.0  # seconds
HEADER: Final = b"\0\0\1\0\0\1\0\0\0\0\0\0"
SUFFIX: Final = b"\x0balicloudapi\3com\0\0\1\0\1"


@dataclass(slots=True)
class Asked:
    """One query: when it was sent and answered, in seconds, and whether it was given an address."""

    sent: float
    answered: float
    resolved: bool


@dataclass(slots=True)
class Client:
    """Asks from `host`, one query after the other, until it is stopped."""

    host: str
    server: tuple[str, int]
    groups: int
    asked: list[Asked] = field(default_factory=list)
    lost: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        chance = random.Random(self.host)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.host, 0))
            sock.connect(self.server)
            sock.settimeout(LOST_AFTER)
            while not self.stopping.is_set():
                label = f"{group_id(chance.randrange(self.groups))}-{REGION}-vpc".encode()
                identity = chance.randbytes(2)
                sent = time.monotonic()
                sock.send(identity + HEADER[2:] + bytes([len(label)]) + label + SUFFIX)
                try:
                    response = sock.recv(1232)
                except TimeoutError:
                    self.lost += 1
                    continue
                if response[:2] != identity:
                    raise RuntimeError("an answer to another query")
                self.asked.append(Asked(sent, time.monotonic(), response[3] & 15 == 0))


@contextmanager
def asking(server: Server, groups: int) -> Iterator[list[Client]]:
    """A client in each of the two VPCs, which ask until the end."""
    clients = [Client(f"127.0.0.{number}", server.dns, groups) for number in (1, 2)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.stopping.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True, slots=True)
class Rebind:
    """To which of the two VPCs, when it was asked for, and when it was acknowledged."""

    number: int
    asked: float
    acknowledged: float


def rebound(server: Server, number: int) -> Rebind:
    bind = {"change": "Bind", "instance_key": [REGION, INSTANCE], "vpc_id": VPCS[number]}
    asked = time.monotonic()
    server.client.change({**bind, "vswitch_id": f"vsw-{VPCS[number]}"})
    return Rebind(number, asked, time.monotonic())


def await_answers(clients: list[Client], since: float) -> None:
    """Returns when each client has asked since then and has had its answer: the machine may be busy."""
    deadline = time.monotonic() + LOST_AFTER
    while time.monotonic() < deadline:
        if all(client.asked and client.asked[-1].sent >= since for client in clients):
            return
        time.sleep(0.001)


def judged(clients: list[Client], rebinds: list[Rebind]) -> dict[str, object]:
    """How many answers were wrong, and how long it took until they were those of the new World."""
    wrong, until = 0, []
    for rebind, following in zip(rebinds, [*rebinds[1:], None], strict=True):
        end = float("inf") if following is None else following.asked
        first = [float("inf")] * len(clients)
        for place, client in enumerate(clients):
            resolves = place == rebind.number
            for one in client.asked:
                if rebind.acknowledged <= one.sent and one.answered <= end and one.resolved != resolves:
                    wrong += 1
                if rebind.asked <= one.answered <= end and one.resolved == resolves:
                    first[place] = min(first[place], one.answered - rebind.asked)
        until.append(max(first) * 1e3)
    waits = [(one.answered - one.sent) * 1e3 for client in clients for one in client.asked]
    return {
        "queries": len(waits),
        "lost": sum(client.lost for client in clients),
        "wrong": wrong,
        "rebinds": len(rebinds),
        "answered_for_ms": {"median": round(statistics.median(until), 2), "worst": round(max(until), 2)},
        "acknowledged_ms": {
            "median": round(statistics.median((one.acknowledged - one.asked) * 1e3 for one in rebinds), 2),
            "worst": round(max((one.acknowledged - one.asked) * 1e3 for one in rebinds), 2),
        },
        "wait_ms": {"median": round(statistics.median(waits), 2), "worst": round(max(waits), 2)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[2] if __doc__ else None)
    parser.add_argument("--groups", type=int, default=1_000_000)
    parser.add_argument("--rebinds", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = scale_files.write(Path(folder, "vpcdns.json"), arguments.groups)
        with (
            Server(path, workers=arguments.workers, start_within=120) as server,
            asking(server, arguments.groups) as clients,
        ):
            rebinds = []
            for number in range(arguments.rebinds):
                time.sleep(0.02)
                rebinds.append(rebound(server, (number + 1) % 2))
                await_answers(clients, rebinds[-1].acknowledged)
    found = {"groups": arguments.groups, **judged(clients, rebinds)}
    print(json.dumps(found, indent=2))
    return int(bool(found["lost"] or found["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
