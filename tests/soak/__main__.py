"""`make soak`: a server under reloads, changes, losses and hostile traffic, while every answer is checked.

Ends with 0 when no answer was wrong, no query was lost, nothing that was acknowledged is missing, and neither
memory nor descriptors grew. Runs in network and mount namespaces of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.soak.checkers import Checkers, Score
from tests.soak.hostile import Hostile
from tests.soak.lost_workers import LostWorkers
from tests.soak.measure import Measure
from tests.soak.operator import Operator
from tests.soak.report import Report
from tests.soak.server import Server
from tests.soak.truth import IPV6_ADDRESSES, Truth

_INSIDE: Final = "VPCDNS_SOAK_INSIDE"


async def soak(seconds: float, server: Server, resolv_conf: Path) -> Report:
    """Everything at once; whatever ends by an exception ends all of it."""
    truth, score, over, undisturbed = Truth(), Score(), asyncio.Event(), asyncio.Lock()
    hostile, measure, lost = Hostile(over), Measure(server, over), LostWorkers(server, undisturbed, over)
    operator = Operator(server, truth, resolv_conf, undisturbed)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: score.fail(context))
    operator.write()
    operator.write_resolv_conf("x")
    upstreams = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.upstreams", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert upstreams.stdout is not None
        await upstreams.stdout.readline()
        await asyncio.to_thread(server.start)
        async with asyncio.TaskGroup() as tasks:
            for part in (Checkers(truth, score, over), hostile, measure, lost):
                tasks.create_task(part.run())
            await operator.run(seconds)
            over.set()
    finally:
        output, _ = await upstreams.communicate(b"")
    misdeeds: Counter[str] = Counter(json.loads(output))
    score.own_faults += misdeeds.pop("failed", 0)
    return Report(seconds, score, operator, lost, measure, hostile.done, misdeeds)


def inside(seconds: float) -> int:
    """In the namespaces, where all addresses of loopback and port 53 are ours."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in IPV6_ADDRESSES:
        subprocess.run(["ip", "-6", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)
    with tempfile.TemporaryDirectory(prefix="vpcdns-soak-") as name:
        folder = Path(name)
        resolv_conf = folder / "resolv.conf"
        resolv_conf.touch()
        subprocess.run(["mount", "--bind", str(resolv_conf), "/etc/resolv.conf"], check=True)
        server = Server(folder)
        try:
            report = asyncio.run(soak(seconds, server, resolv_conf))
        except BaseException:
            sys.stdout.write(server.log.read_text()[-5_000:])
            raise
        finally:
            exit_code = server.stop()
        report.ended(exit_code, server.log.read_text())
        sys.stdout.write(f"{report}\n")
        if report.faults:
            kept = Path(tempfile.mkstemp(prefix="soak-", suffix=".log")[1])
            kept.write_bytes(server.log.read_bytes())
            sys.stdout.write(f"the server's log: {kept}\n")
    return 1 if report.faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    if _INSIDE in os.environ:
        return inside(minutes * 60)
    namespaces = ["--net", "--mount"] if os.geteuid() == 0 else ["--net", "--mount", "--map-root-user"]
    command = ["unshare", *namespaces, sys.executable, "-m", "tests.soak", "--minutes", str(minutes)]
    return subprocess.run(command, env={**os.environ, _INSIDE: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
