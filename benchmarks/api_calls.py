"""`python benchmarks/api_calls.py [--groups N]`: how long DNS waits while clients call the cloud's API.

A server in a process, a client in each of two VPCs that asks over UDP without a pause, for another name each
time, and clients that call the API without a pause, one action after the other: those that list, look for and
make groups, instances and custom domains. Prints JSON; exits with 1 when a query was lost or waited too long.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))

import scale_files
from rebinding import Client, asking
from scale_files import INSTANCE, REGION, group_id

from vpcdns.testing import Server

CLOUDAPI: Final = "2016-07-14"
AT_MOST: Final = 20.0  # milliseconds that a query may wait
Took = list[tuple[str, float]]  # each call, and its milliseconds


def calls(groups: int, seed: int) -> Iterator[dict[str, str]]:
    """One round of calls after the other."""
    for number in itertools.count():
        group = group_id((number * 7919 + seed) % groups)
        fresh = f"{seed}_{number}"
        yield {"Action": "DescribeInstances"}
        yield {"Action": "DescribeApiGroups"}
        yield {"Action": "CreateApiGroup", "GroupName": f"made_{fresh}", "InstanceId": INSTANCE}
        yield {"Action": "DescribeApiGroups", "GroupId": group}
        yield {"Action": "DescribeApiGroups", "InstanceId": INSTANCE, "PageNumber": "1000"}
        yield {"Action": "DescribeApiGroup", "GroupId": group}
        yield {"Action": "SetDomain", "GroupId": group, "DomainName": f"public-{seed}-{number}.example.org"}
        yield {"Action": "DescribeApiGroups", "GroupName": f"group-{number:07d}"}
        yield {
            "Action": "SetDomain",
            "GroupId": group,
            "DomainName": f"intranet-{seed}-{number}.example.org",
            "CustomDomainType": "INTRANET",
        }


def poll(endpoint: str, groups: int, seed: int, ending: Event, took: Queue[Took]) -> None:
    """Calls the API, one action after the other, until it is to end. In a process of its own."""
    connection, times = http.client.HTTPConnection(endpoint, timeout=60), list[tuple[str, float]]()
    for parameters in calls(groups, seed):
        if ending.is_set():
            break
        query = urlencode({**parameters, "Version": CLOUDAPI, "RegionId": REGION})
        begun = time.monotonic()
        connection.request("POST", f"/?{query}")
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{parameters}: {body.decode()}")
        kind = [name for name in ("GroupId", "InstanceId", "GroupName") if name in parameters]
        times.append((" ".join((parameters["Action"], *kind)), (time.monotonic() - begun) * 1e3))
    took.put(times)
    connection.close()


def waits(clients: list[Client], since: float, until: float) -> dict[str, float]:
    """In milliseconds, of the queries that were sent meanwhile."""
    asked = [one for client in clients for one in client.asked if since <= one.sent <= until]
    taken = sorted((one.answered - one.sent) * 1e3 for one in asked)
    return {
        "queries": len(taken),
        "median": round(statistics.median(taken), 2),
        "p99": round(taken[len(taken) * 99 // 100], 2),
        "worst": round(taken[-1], 2),
    }


def polled(server: Server, groups: int, pollers: int, seconds: float) -> dict[str, object]:
    queue: Queue[Took]
    ending, queue = multiprocessing.Event(), multiprocessing.Queue()
    polling = [
        multiprocessing.Process(target=poll, args=(server.endpoint, groups, seed, ending, queue))
        for seed in range(pollers)
    ]
    with asking(server, groups) as clients:
        time.sleep(min(2.0, seconds))
        begun = time.monotonic()
        for process in polling:
            process.start()
        time.sleep(seconds)
        ended = time.monotonic()
        ending.set()
        took: dict[str, list[float]] = {}
        for what, milliseconds in [one for _ in polling for one in queue.get(timeout=60)]:
            took.setdefault(what, []).append(milliseconds)
        for process in polling:
            process.join()
    return {
        "lost": sum(client.lost for client in clients),
        "wait_before_ms": waits(clients, 0.0, begun),
        "wait_during_ms": waits(clients, begun, ended),
        "calls_ms": {
            what: {
                "calls": len(times),
                "median": round(statistics.median(times), 1),
                "worst": round(max(times), 1),
            }
            for what, times in took.items()
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[2] if __doc__ else None)
    parser.add_argument("--groups", type=int, default=300_000)
    parser.add_argument("--pollers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--at-most", type=float, default=AT_MOST, help="milliseconds that a query may wait")
    arguments = parser.parse_args()
    # One client's thread must not wait for another's longer than for the server.
    sys.setswitchinterval(0.0001)
    with tempfile.TemporaryDirectory() as folder:
        path = scale_files.write(Path(folder, "vpcdns.json"), arguments.groups)
        with Server(path, start_within=120) as server:
            found = polled(server, arguments.groups, arguments.pollers, arguments.seconds)
    print(json.dumps({"groups": arguments.groups, **found}, indent=2))
    during = found["wait_during_ms"]
    assert isinstance(during, dict)
    return int(bool(found["lost"]) or during["worst"] > arguments.at_most)


if __name__ == "__main__":
    sys.exit(main())
