"""Asks as a node would: getaddrinfo inside its namespace, and a TCP connection to every address.

A process of its own, `python -m vpcdns.lab.probe`, with a mount namespace in which /etc/resolv.conf names the
lab's resolver. One line of JSON in, one out; all connections of a line are tried at once.
"""

import asyncio
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from vpcdns.errors import LabError
from vpcdns.lab.blueprint import RESOLVER
from vpcdns.lab.kernel import setns

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


@dataclass(frozen=True, slots=True)
class Ask:
    """A name to resolve in a namespace and to connect to from one of its addresses."""

    namespace: str
    source: str
    name: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The addresses that came, and what each said; None for one that did not answer."""

    addresses: tuple[str, ...]
    said: tuple[str | None, ...]


class Probe:
    """The asking process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vpcdns.lab.probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, asks: Sequence[Ask], seconds: float = 0.5) -> list[Heard]:
        """What becomes of each; a connection has `seconds` to come about."""
        # By our own root: its mount namespace does not hear of namespaces that are made later.
        root = f"/proc/{os.getpid()}/root"
        there = [{**asdict(ask), "namespace": root + ask.namespace} for ask in asks]
        line = json.dumps({"asks": there, "seconds": seconds})
        stdin = _open(self._process.stdin)
        stdin.write(line + "\n")
        stdin.flush()
        answer = _open(self._process.stdout).readline()
        if not answer:
            raise LabError("the asking process ended; a lab needs root, and mount namespaces")
        return [Heard(tuple(one["addresses"]), tuple(one["said"])) for one in json.loads(answer)]

    def close(self) -> None:
        with suppress(BrokenPipeError):  # it has ended already, and the caller has its result
            _open(self._process.stdin).close()
        self._process.wait()
        _open(self._process.stdout).close()


def _open(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise LabError("the asking process has no pipes")
    return stream


def main() -> None:
    _own_resolv_conf()
    for line in sys.stdin:
        request = json.loads(line)
        asks = [Ask(**ask) for ask in request["asks"]]
        answer = asyncio.run(_answer(asks, request["seconds"]))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _own_resolv_conf() -> None:
    """A mount namespace in which name resolution is DNS alone, and the lab's."""
    libc = ctypes.CDLL(None, use_errno=True)
    texts = {
        "resolv.conf": f"nameserver {RESOLVER}\noptions timeout:2 attempts:2\n",
        "nsswitch.conf": "hosts: dns\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        if libc.unshare(_CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
            raise LabError("a lab needs mount namespaces")
        for name, text in texts.items():
            ours, theirs = Path(folder) / name, Path("/etc") / name
            ours.write_text(text)
            if libc.mount(str(ours).encode(), str(theirs).encode(), None, _MS_BIND, None) != 0:
                raise LabError(f"{theirs} cannot be replaced for the lab")


async def _answer(asks: Sequence[Ask], seconds: float) -> list[dict[str, Any]]:
    results: list[tuple[list[str], list[asyncio.Task[str | None]]]] = []
    here = ""
    for ask in asks:
        if ask.namespace != here:
            setns(Path(ask.namespace))
            here = ask.namespace
        try:
            found = socket.getaddrinfo(ask.name, 80, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror:
            found = []
        addresses = sorted({str(entry[4][0]) for entry in found})
        results.append((addresses, [asyncio.create_task(_heard(ask.source, one)) for one in addresses]))
        await asyncio.sleep(0)  # connects before the namespace is left
    tasks = [task for _, connecting in results for task in connecting]
    done = (await asyncio.wait(tasks, timeout=seconds))[0] if tasks else set()
    return [
        {"addresses": addresses, "said": [task.result() if task in done else None for task in connecting]}
        for addresses, connecting in results
    ]


async def _heard(source: str, address: str) -> str | None:
    """What is said there first; the responder speaks without being asked."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock, suppress(OSError):
        sock.setblocking(False)
        sock.bind((source, 0))
        await loop.sock_connect(sock, (address, 80))
        text = (await loop.sock_recv(sock, 4096)).decode()
        return text.partition("\r\n\r\n")[2].strip() or None
    return None


if __name__ == "__main__":
    main()
