"""Namespaces without names, which end with this process; commands in them, and packets between them.

Both ends of a link have one MAC address and no ARP. Everything is used again by the next topology.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from tests.lab.cloud_after_documents.wiring import OWN, PROTOCOL, Link, Wiring
from vpcdns.lab.kernel import inside

_ECHO_PORT, _ASKING_PORT = 7001, 7002
_IP_PKTINFO: Final = 8  # linux/in.h
_SYSCTLS: Final = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/accept_local": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/default/disable_ipv6": "1",
}
_AT_ONCE: Final = 100  # packets before the answers are fetched


@dataclass(frozen=True, slots=True)
class Probe:
    """A packet from an address of a node to an address."""

    node: str
    source: IPv4Address
    destination: IPv4Address


class Namespaces(ExitStack):
    """Those that topologies have needed so far."""

    def __init__(self) -> None:
        super().__init__()
        self._handles: dict[str, int] = {}
        self._links: set[Link] = set()
        self._echo: dict[socket.socket, str] = {}
        self._asking: dict[str, socket.socket] = {}
        self._names: dict[str, str] = {}

    def wire(self, wiring: Wiring) -> None:
        """Makes them what the commands say. What no topology before had is made anew."""
        self._names = wiring.names
        for name in wiring.commands:
            if name not in self._handles:
                self._make(name)
        self._join([link for link in sorted(wiring.links) if link not in self._links])
        running = []
        for name in self._handles:
            commands = [
                f"route flush table all protocol {PROTOCOL}",
                "address flush dev lo scope global",
                "rule flush",
                *wiring.commands.get(name, ()),
            ]
            running.append((self._start(name), "\n".join(commands) + "\n"))
        for process, text in running:
            said, _ = process.communicate(text)
            assert process.returncode == 0, f"{said}\n{text}"

    def _start(self, name: str) -> subprocess.Popen[str]:
        with inside(self._path(name)):
            return subprocess.Popen(
                ["ip", "-batch", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def _path(self, name: str) -> Path:
        return Path(f"/proc/{os.getpid()}/fd/{self._handles[name]}")

    def _make(self, name: str) -> None:
        self._handles[name] = _new_namespace()
        self.callback(os.close, self._handles[name])
        with inside(self._path(name)):
            for key, value in _SYSCTLS.items():
                with suppress(FileNotFoundError):  # a kernel without IPv6
                    (Path("/proc/sys") / key).write_text(value)
            local = f"rule add priority {OWN} lookup local\nrule delete priority 0\n"
            subprocess.run(["ip", "-batch", "-"], input=f"link set lo up\n{local}", text=True, check=True)
            echo, asking = (self.enter_context(_udp(port)) for port in (_ECHO_PORT, _ASKING_PORT))
        self._echo[echo], self._asking[name] = name, asking

    def _join(self, links: Sequence[Link]) -> None:
        made, up = [], dict[str, list[str]]()
        for one, two, number in links:
            mac = f"02:00:00:00:{len(self._links) >> 8:02x}:{len(self._links) & 255:02x}"
            ends = [(one, f"{two}.{number}"), (two, f"{one}.{number}")]
            here, there = (f"name {device} address {mac} netns {self._path(at)}" for at, device in ends)
            made.append(f"link add {here} type veth peer {there}")
            for at, device in ends:
                up.setdefault(at, []).append(f"link set {device} arp off up")
            self._links.add((one, two, number))
        subprocess.run(["ip", "-batch", "-"], input="\n".join(made), text=True, check=True)
        for name, commands in up.items():
            process = self._start(name)
            process.communicate("\n".join(commands))
            assert process.returncode == 0, commands

    def arrived(self, probes: Sequence[Probe], seconds: float) -> list[str | None]:
        """Who answered each probe, when the answer came back to where it was sent from; None: nobody."""
        nodes = {name: node for node, name in self._names.items()}
        heard: dict[int, str] = {}
        self._fetch(probes, nodes, {}, 0)  # what is late from before
        for start in range(0, len(probes), _AT_ONCE):
            for index in range(start, min(start + _AT_ONCE, len(probes))):
                probe = probes[index]
                sender = self._asking[self._names[probe.node]]
                _send(sender, struct.pack("!I", index), probe.source, (str(probe.destination), _ECHO_PORT))
            self._fetch(probes, nodes, heard, seconds)
        return [heard.get(index) for index in range(len(probes))]

    def _fetch(
        self, probes: Sequence[Probe], nodes: Mapping[str, str], heard: dict[int, str], seconds: float
    ) -> None:
        """Answers and fetches answers, until nothing has come for that long."""
        waiting: list[socket.socket] = [*self._echo, *self._asking.values()]
        asked = {sender: name for name, sender in self._asking.items()}
        last = time.monotonic()
        while True:
            ready = select.select(waiting, [], [], max(0.0, last + seconds - time.monotonic()))[0]
            if not ready:
                return
            for one in ready:
                for text, address, peer in _received(one):
                    if one in self._echo:
                        _send(one, text + self._echo[one].encode(), address, peer)
                        continue
                    (index,) = struct.unpack_from("!I", text)
                    if index < len(probes) and self._names.get(probes[index].node) == asked[one]:
                        heard[index] = nodes.get(text[4:].decode(), "")
            last = time.monotonic()


def _new_namespace() -> int:
    """A handle of a namespace that nobody else knows."""
    holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        holder.stdout.read(1)  # it is there now
        handle = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
    holder.wait()
    return handle


def _udp(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("0.0.0.0", port))
    return sock


def _send(sock: socket.socket, text: bytes, source: IPv4Address, peer: tuple[str, int]) -> None:
    with suppress(OSError):  # no route: the packet does not arrive either
        sock.sendmsg(
            [text],
            [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("@i4s4s", 0, source.packed, bytes(4)))],
            0,
            peer,
        )


def _received(sock: socket.socket) -> Iterable[tuple[bytes, IPv4Address, tuple[str, int]]]:
    """Datagrams, each with the address that it came to and the peer's."""
    with suppress(BlockingIOError):
        while True:
            text, more, _, peer = sock.recvmsg(64, 64)
            destination = next(data[8:12] for _, kind, data in more if kind == _IP_PKTINFO)
            yield text, IPv4Address(destination), peer
