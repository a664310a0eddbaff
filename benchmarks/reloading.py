"""`python benchmarks/reloading.py [--groups N]`: what clients see while a large configuration is read anew.

A server in a process, and a client in each of two VPCs that asks over UDP without a pause, for another name
each time. The file is replaced by one that binds the instance to the other VPC, and so on. Prints JSON; exits
with 1 when a query was lost or an answer was wrong.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import scale_files
from rebinding import Asked, Client, asking
from scale_files import VPCS

from vpcdns.testing import Server


def variants(folder: Path, groups: int) -> list[bytes]:
    """The file as it is, and with the instance bound to the other VPC."""
    octets = scale_files.write(folder / "vpcdns.json", groups).read_bytes()
    one, other = VPCS
    head, place, rest = octets.partition(b'"binding"')
    binding, end, rest = rest.partition(b"}")
    moved = binding.replace(one.encode(), other.encode()).replace(b"10.1.8.20", b"10.2.8.20")
    return [octets, b"".join((head, place, moved, end, rest))]


def reloaded(server: Server, path: Path, octets: bytes, number: int) -> tuple[float, float]:
    """When the file was put in its place, and when the server said that it serves it."""
    new = path.with_suffix(".new")
    new.write_bytes(octets)
    before = time.monotonic()
    new.rename(path)
    while server.log.count("Reloaded, revision") < number:
        time.sleep(0.005)
        if time.monotonic() > before + 300:
            raise RuntimeError(f"not reloaded:\n{server.log}")
    return before, time.monotonic()


def judged(clients: list[Client], reloads: list[tuple[float, float]]) -> dict[str, object]:
    """How long answers were waited for during the reloads, and how many were wrong between them."""
    wrong = 0
    for number, (reload, following) in enumerate(zip(reloads, [*reloads[1:], None], strict=True)):
        end = float("inf") if following is None else following[0]
        for place, client in enumerate(clients):
            between = [one for one in client.asked if reload[1] <= one.sent and one.answered <= end]
            wrong += sum(one.resolved != (place == (number + 1) % 2) for one in between)
    asked = [one for client in clients for one in client.asked]
    during, otherwise = list[Asked](), list[Asked]()
    for one in asked:
        (during if any(begun <= one.sent <= done for begun, done in reloads) else otherwise).append(one)
    return {
        "queries": len(asked),
        "lost": sum(client.lost for client in clients),
        "wrong": wrong,
        "reload_s": [round(done - begun, 1) for begun, done in reloads],
        "queries_during": len(during),
        "wait_during_ms": waits(during),
        "wait_otherwise_ms": waits(otherwise),
    }


def waits(asked: list[Asked]) -> dict[str, float]:
    taken = sorted((one.answered - one.sent) * 1e3 for one in asked)
    return {
        "median": round(statistics.median(taken), 2),
        "p99": round(taken[len(taken) * 99 // 100], 2),
        "worst": round(taken[-1], 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[2] if __doc__ else None)
    parser.add_argument("--groups", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--state", action="store_true", help="keep a state file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = variants(Path(folder), arguments.groups)
        path = Path(folder, "vpcdns.json")
        state = Path(folder, "vpcdns.state") if arguments.state else None
        with (
            Server(path, workers=arguments.workers, state=state, start_within=300) as server,
            asking(server, arguments.groups) as clients,
        ):
            reloads = []
            for number in range(1, arguments.reloads + 1):
                time.sleep(1)
                reloads.append(reloaded(server, path, files[number % 2], number))
            time.sleep(1)
    found = {"groups": arguments.groups, **judged(clients, reloads)}
    print(json.dumps(found, indent=2))
    return int(bool(found["lost"] or found["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
