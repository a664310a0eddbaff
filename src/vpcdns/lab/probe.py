"""Asks as a node would: getaddrinfo inside its namespace, and a TCP connection to every address.

In a process of its own, with a mount namespace in which /etc/resolv.conf names the lab's resolver. All
connections of a call are tried at once.
"""

import asyncio
import ctypes
import signal
import socket
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from vpcdns.errors import LabError
from vpcdns.lab.blueprint import RESOLVER
from vpcdns.lab.kernel import setns

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
Heard = dict[str, str | None]  # each address that came, and what it said; None: it did not answer


def probe() -> ProcessPoolExecutor:
    """The process that asks: submit `answer` to it."""
    return ProcessPoolExecutor(1, get_context("spawn"), _own_resolv_conf)


def answer(asks: Sequence[tuple[str, str, str]], seconds: float) -> list[Heard]:
    """What becomes of each namespace's path, source address and name; a connection has `seconds`."""
    return asyncio.run(_answer(asks, seconds))


def _own_resolv_conf() -> None:
    """A mount namespace in which name resolution is DNS alone, and the lab's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # whoever kills the lab's process has this one gone as well
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


async def _answer(asks: Sequence[tuple[str, str, str]], seconds: float) -> list[Heard]:
    connecting: list[dict[str, asyncio.Task[str | None]]] = []
    here = ""
    for namespace, source, name in asks:
        if namespace != here:
            setns(Path(namespace))
            here = namespace
        try:
            found = socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror:
            found = []
        addresses = sorted({str(entry[4][0]) for entry in found})
        connecting.append({one: asyncio.create_task(_heard(source, one)) for one in addresses})
        await asyncio.sleep(0)  # connects before the namespace is left
    tasks = [task for one in connecting for task in one.values()]
    done = (await asyncio.wait(tasks, timeout=seconds))[0] if tasks else set()
    return [
        {address: task.result() if task in done else None for address, task in one.items()}
        for one in connecting
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
