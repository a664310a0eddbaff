"""Why a socket could not be bound, who is in the way, and the ways out, in words for an operator.

Knows errno values and, on Linux, /proc. Changes nothing and never fails: what cannot be known is left out.
"""

import errno
import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final, NamedTuple

from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address, unmapped

_TCP_LISTEN: Final = "0A"
_UNPRIVILEGED_PORT_START: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
RESOLVED_STUBS: Final = (IPv4Address("127.0.0.53"), IPv4Address("127.0.0.54"))  # systemd-resolved.service(8)


class Holder(NamedTuple):
    """Who holds a port. `pid` and `program` are None where we may not see them, `user` is always known."""

    address: Address
    user: str
    pid: int | None = None
    program: str | None = None

    def __str__(self) -> str:
        if self.pid is None:
            return f"a process of user {self.user} (on {self.address})"
        if self.pid == os.getpid():
            return f"this process itself (on {self.address}): two entries of `listen` overlap"
        return f"{self.program} (pid {self.pid}, user {self.user}, on {self.address})"


def startup_error(
    listen: Listen, transport: Transport, error: OSError, spare_port: int = 5300, *, can_wait: bool = True
) -> StartupError:
    """What to tell an operator when `listen` cannot be bound for `transport`; one way is another port.

    `can_wait` says whether it may have the option to be waited for.
    """
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(listen.address, listen.port, transport)
        cause = f"the port is taken, by {holder}" if holder else "the port is taken"
        ways = _ways_past_a_holder(listen, holder, spare_port)
    elif error.errno in (errno.EACCES, errno.EPERM):
        cause, ways = "not permitted", _ways_to_a_privileged_port(listen, spare_port)
    elif error.errno == errno.EADDRNOTAVAIL:
        cause = "no interface of this host has that address"
        ways = [
            "see which addresses there are: ip address show",
            f"add it for tests: ip address add {listen.address} dev lo",
            f"listen on every address: {Listen(type(listen.address)(0), listen.port)}",
        ]
        if can_wait:
            ways.append(f'wait for it, in server.listen: {{address: "{listen}", wait: true}}')
    elif listen.wait and error.errno == errno.ENOPROTOOPT:
        cause, ways = "only Linux can wait for an address", ["remove `wait`, and start when it is there"]
    elif error.errno == errno.EAFNOSUPPORT:
        cause, ways = "IPv6 is off on this host", ["listen on IPv4 addresses only"]
    else:
        cause, ways = error.strerror or str(error), ["see whether the address and the port are what you mean"]
    lines = [f"cannot listen on {listen} ({transport.upper()}): {cause}", "ways out:"]
    return StartupError("\n".join(lines + [f"  - {way}" for way in ways]))


def _ways_past_a_holder(listen: Listen, holder: Holder | None, spare_port: int) -> list[str]:
    if holder is not None and holder.pid == os.getpid():
        return ["list each address once, without the wildcard", "give each entry a port of its own"]
    ways = [f"listen on another port: {Listen(listen.address, spare_port)}"]
    if listen.address.is_unspecified:
        ways.append(f"listen on the addresses you need instead of all of them: 10.0.0.53:{listen.port}")
    resolved = holder is not None and (
        holder.address in RESOLVED_STUBS or (holder.program or "").startswith("systemd-resolve")
    )
    if listen.port == 53 and (resolved or holder is None):
        ways.append(
            "systemd-resolved's stub holds 127.0.0.53:53 and 127.0.0.54:53: leave these and the wildcard "
            "alone, or set DNSStubListener=no in /etc/systemd/resolved.conf and restart it"
        )
    elif holder is not None and holder.pid is not None:
        ways.append(f"stop {holder.program} (pid {holder.pid})")
    if holder is None or holder.pid is None:
        ways.append(f"find out who holds it, as root: ss -lnptu 'sport = :{listen.port}'")
    return ways


def _ways_to_a_privileged_port(listen: Listen, spare_port: int) -> list[str]:
    ways = [f"listen on a port that needs no privilege: {Listen(listen.address, spare_port)}"]
    start = ""
    with suppress(OSError):
        start = f" (now {_UNPRIVILEGED_PORT_START.read_text().strip()})"
    return [
        *ways,
        f"sysctl net.ipv4.ip_unprivileged_port_start={listen.port}{start}; a container has --sysctl",
        (
            "give the process CAP_NET_BIND_SERVICE: AmbientCapabilities= in a systemd unit, "
            "--cap-add=NET_BIND_SERVICE for a container, or setcap cap_net_bind_service=+ep on Python"
        ),
    ]


def holder_of(address: Address, port: int, transport: Transport) -> Holder | None:
    """Who holds `port` so that `address` cannot be bound; None if that cannot be known."""
    for family in ("", "6"):
        with suppress(OSError, ValueError, IndexError):
            lines = Path(f"/proc/net/{transport}{family}").read_text().splitlines()[1:]
            for held, uid, inode in _sockets(lines, port, transport):
                if unmapped(held) == unmapped(address) or held.is_unspecified or address.is_unspecified:
                    return _holder(held, uid, inode)
    return None


def _sockets(lines: list[str], port: int, transport: Transport) -> Iterator[tuple[Address, int, str]]:
    """Address, user id and inode of each socket bound to `port` in a table of proc_net (5)."""
    for line in lines:
        fields = line.split()
        host, _, held_port = fields[1].partition(":")
        if int(held_port, 16) == port and (transport == "udp" or fields[3] == _TCP_LISTEN):
            yield _address(host), int(fields[7]), fields[9]


def _address(host: str) -> Address:
    """An address from /proc/net: 32-bit words, each in the byte order of the host."""
    words = [int(host[at : at + 8], 16) for at in range(0, len(host), 8)]
    octets = b"".join(socket.htonl(word).to_bytes(4, "big") for word in words)
    return IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)


def _holder(address: Address, uid: int, inode: str) -> Holder:
    user = str(uid)
    with suppress(KeyError):
        user = pwd.getpwuid(uid).pw_name
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if str(descriptor.readlink()) == f"socket:[{inode}]":
                    return Holder(address, user, int(process.name), (process / "comm").read_text().strip())
    return Holder(address, user)
