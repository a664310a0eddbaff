"""Asks as a node would: getaddrinfo inside its namespace, and an HTTP request to every address.

In a process of its own, whose mount namespace has the node's resolv.conf. The names of a node are resolved at
once, and all connections of a call are tried at once.
"""

import asyncio
import ctypes
import os
import signal
import socket
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from vpcdns.errors import LabError
from vpcdns.lab.kernel import NAMESPACES, setns
from vpcdns.lab.name_service import ETC, RESOLV_CONF

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x20000, 0x1000, 0x4000, 0x40000, 2
_AT_ONCE: Final = 16
_SPARE: Final = "# replaced for each node\n"
Heard = dict[str, str | None]  # each address that came, and what it said; None: it did not answer
_libc: Final = ctypes.CDLL(None, use_errno=True)


def probe() -> ProcessPoolExecutor:
    """The process that asks: submit `answer` to it."""
    return ProcessPoolExecutor(1, get_context("spawn"), _own_name_service)


def answer(asks: Sequence[tuple[str, str, str]], seconds: float) -> list[Heard]:
    """What becomes of each namespace, source address and name; a connection has `seconds`."""
    return asyncio.run(_answer(asks, seconds))


def _own_name_service() -> None:
    """A mount namespace in which name resolution is DNS alone."""
    _libc.prctl(
        _PR_SET_PDEATHSIG, signal.SIGKILL
    )  # whoever kills the lab's process has this one gone as well
    if _libc.unshare(_CLONE_NEWNS) != 0 or _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise LabError("a lab needs mount namespaces")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {RESOLV_CONF: _SPARE, "nsswitch.conf": "hosts: dns\n"}.items():
            ours = Path(folder) / name
            ours.write_text(text)
            _put(ours, Path("/etc") / name)


def _put(ours: Path, theirs: Path) -> None:
    if _libc.mount(str(ours).encode(), str(theirs).encode(), None, _MS_BIND, None) != 0:
        raise LabError(f"{theirs} cannot be replaced for the lab")


def _enter(namespace: str) -> None:
    # By our parent's root: this mount namespace does not hear of namespaces that are made later.
    setns(Path(f"/proc/{os.getppid()}/root{NAMESPACES / namespace}"))
    there = Path("/etc") / RESOLV_CONF
    _libc.umount2(str(there).encode(), _MNT_DETACH)
    _put(ETC / namespace / RESOLV_CONF, there)


async def _answer(asks: Sequence[tuple[str, str, str]], seconds: float) -> list[Heard]:
    connecting: list[dict[str, asyncio.Task[str | None]]] = []
    for namespace, group in groupby(asks, lambda ask: ask[0]):
        _enter(namespace)
        here = list(group)
        names = list(dict.fromkeys(name for _, _, name in here))
        with ThreadPoolExecutor(_AT_ONCE) as threads:  # which begin in this thread's namespaces
            found = dict(zip(names, threads.map(_resolved, names), strict=True))
        for _, source, name in here:
            connecting.append({one: asyncio.create_task(_heard(source, one, name)) for one in found[name]})
        await asyncio.sleep(0)  # connects before the namespace is left
    tasks = [task for one in connecting for task in one.values()]
    done = (await asyncio.wait(tasks, timeout=seconds))[0] if tasks else set()
    return [
        {address: task.result() if task in done else None for address, task in one.items()}
        for one in connecting
    ]


def _resolved(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(entry[4][0]) for entry in found})


async def _heard(source: str, address: str, name: str) -> str | None:
    """What is said there to a request for `name`, whatever its status."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock, suppress(OSError):
        sock.setblocking(False)
        sock.bind((source, 0))
        await loop.sock_connect(sock, (address, 80))
        await loop.sock_sendall(sock, f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        text = b""
        while more := await loop.sock_recv(sock, 4096):
            text += more
        return text.decode().partition("\r\n\r\n")[2].strip() or None
    return None
