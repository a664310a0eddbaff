"""Asks as a node would: getaddrinfo inside its namespace, and a TCP connection to every address.

A process of its own, `python -m vpcdns.lab.probe`, with a mount namespace in which /etc/resolv.conf names the
lab's resolver. One line of JSON in, one out; all connections of a line are tried at once.
"""

import ctypes
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
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
        answer = _answer([Ask(**ask) for ask in request["asks"]], request["seconds"])
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


def _answer(asks: Sequence[Ask], seconds: float) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    selector = selectors.DefaultSelector()
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
        result: dict[str, Any] = {"addresses": addresses, "said": [None] * len(addresses)}
        results.append(result)
        for index, address in enumerate(addresses):
            _connect(selector, ask.source, address, (result, index))
    _collect(selector, seconds)
    return results


def _connect(
    selector: selectors.BaseSelector, source: str, address: str, place: tuple[dict[str, Any], int]
) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.bind((source, 0))
        sock.connect_ex((address, 80))
    except OSError:
        sock.close()
        return
    selector.register(sock, selectors.EVENT_READ, place)


def _collect(selector: selectors.BaseSelector, seconds: float) -> None:
    """Reads what each says first; the responder speaks without being asked."""
    deadline = time.monotonic() + seconds
    while selector.get_map() and (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            sock = key.fileobj
            if not isinstance(sock, socket.socket):
                continue
            result, index = key.data
            try:
                text = sock.recv(4096).decode()
                result["said"][index] = text.partition("\r\n\r\n")[2].strip() or None
            except OSError:
                pass
            selector.unregister(sock)
            sock.close()
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
