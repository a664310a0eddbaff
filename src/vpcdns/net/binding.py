"""Every socket that the server listens on, bound before any of them is served.

Knows addresses, families and socket options. Either all listeners are bound or none is: what was opened is
closed again before the error is raised.
"""

import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.net.bind_errors import startup_error

log = logging.getLogger("vpcdns.server")

FAMILIES: Final = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}
_PACKET_INFORMATION: Final = {
    # Linux' value; CPython 3.11 has no name for it (facts/containers.md §4).
    socket.AF_INET: (socket.IPPROTO_IP, getattr(socket, "IP_PKTINFO", 8)),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}
# A burst must wait in the kernel while a batch is answered. Linux' default holds some 500 small queries;
# Unbound advises 4 MiB to busy servers. The kernel cuts it to net.core.rmem_max, and that is fine.
RECEIVE_BUFFER: Final = 4 << 20
# BIND 10, Unbound 256, nginx 511. A connection that waits here costs us no descriptor; one that finds no room
# waits a second for its next try. At 80 µs each (measured) these are taken in within 0.1 s.
BACKLOG: Final = 1_024
# Linux' values, which CPython has no names for (<linux/in.h>, <linux/in6.h>): an address that is not there
# yet is bound, and served whenever it is there (precedents: Unbound's ip-freebind, systemd's FreeBind=).
_FREEBIND: Final = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
# TCP's free port may be taken for UDP: with 28,000 ephemeral ports a second clash in a row is rare already.
PORT_ATTEMPTS: Final = 16


class Sharing(Enum):
    """Who else may have the same address and port. With SO_REUSEPORT the kernel deals out clients to all."""

    ALONE = "nobody"
    FIRST = "those that join later; nobody now"
    JOINING = "others of the same server"


@dataclass(frozen=True, slots=True)
class Bound:
    """The two sockets of one listener. `listen` has the actual address and port."""

    listen: Listen
    udp: socket.socket
    tcp: socket.socket

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()


def bind(
    listens: Sequence[Listen], sharing: Sharing = Sharing.ALONE, owner: int | None = None
) -> list[Bound]:
    """Binds UDP and TCP of every one of `listens`; port 0 is any port that is free for both.

    `[::]` serves IPv4 too, unless an IPv4 listener has the same port, and becomes `0.0.0.0` where IPv6 is
    off. An address that may be waited for is bound before it is there. As root, sockets are those of the
    user `owner`, as those that they join must be (socket(7), SO_REUSEPORT). Raises StartupError, with
    nothing left open.
    """
    with ExitStack() as opened:
        bound: list[Bound] = []
        for listen, dual in _families(listens):
            bound.append(_bind_pair(listen, dual, sharing, owner))
            opened.callback(bound[-1].close)
        opened.pop_all()
        return bound


def _families(listens: Sequence[Listen]) -> Iterator[tuple[Listen, bool]]:
    """Each listener as this host can have it, and whether it is IPv6 that serves IPv4 too."""
    # The kernel lets no dual socket beside an IPv4 one of the same port.
    ipv4_ports = {listen.port for listen in listens if listen.address.version == 4 and listen.port}
    for listen in listens:
        if listen.address != IPv6Address(0):
            yield listen, False
        elif _ipv6_is_on():
            yield listen, listen.port not in ipv4_ports
        elif listen.port in ipv4_ports:
            log.warning("IPv6 is off on this host: not listening on %s", listen)
        else:
            ipv4 = replace(listen, address=IPv4Address(0))
            log.warning("IPv6 is off on this host: listening on %s instead of %s", ipv4, listen)
            yield ipv4, False


def _ipv6_is_on() -> bool:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _bind_pair(listen: Listen, dual: bool, sharing: Sharing, owner: int | None) -> Bound:
    """TCP first: the free number that the kernel finds for it is most likely free for UDP too."""
    attempts = PORT_ATTEMPTS if listen.port == 0 else 1
    while True:
        attempts -= 1
        try:
            tcp = bind_one(listen, "tcp", dual, sharing, owner)
        except OSError as error:
            raise startup_error(listen, "tcp", error) from error
        actual = replace(listen, port=tcp.getsockname()[1])
        try:
            return Bound(actual, bind_one(actual, "udp", dual, sharing, owner), tcp)
        except OSError as error:
            tcp.close()
            if attempts == 0 or error.errno != errno.EADDRINUSE:
                raise startup_error(actual, "udp", error) from error


def bind_one(
    listen: Listen,
    transport: Transport,
    dual: bool,
    sharing: Sharing = Sharing.ALONE,
    owner: int | None = None,
) -> socket.socket:
    """One socket; `dual` says whether IPv6 serves IPv4 too. Raises OSError."""
    if sharing is Sharing.FIRST:
        # SO_REUSEPORT would let another server of this user in on it unawares; without it the kernel refuses.
        with bind_one(listen, transport, dual, Sharing.ALONE) as alone:
            listen = replace(listen, port=alone.getsockname()[1])
    family = socket.AF_INET if listen.address.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if owner is not None and os.geteuid() == 0:
            os.fchown(sock.fileno(), owner, -1)
        _set_options(sock, listen, dual)
        if sharing is not Sharing.ALONE:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((str(listen.address), listen.port))
        if transport == "tcp":
            sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _set_options(sock: socket.socket, listen: Listen, dual: bool) -> None:
    family = sock.family
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
    if sock.type == socket.SOCK_STREAM:
        # Connections of a predecessor in TIME_WAIT must not keep us out. On UDP the option would let two
        # servers share a port unawares.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        with suppress(OSError):  # good to have; the kernel may say no
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if listen.address.is_unspecified:
            # The address that a datagram was sent to comes with it, IPv4-mapped on a dual socket.
            sock.setsockopt(*_PACKET_INFORMATION[family], 1)
    if listen.wait:
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENOPROTOOPT, "only Linux can")
        sock.setsockopt(*_FREEBIND[family], 1)


def is_local(address: Address) -> bool:
    """Whether this host has the address: only then can a socket be bound to it."""
    try:
        with socket.socket(FAMILIES[address.version], socket.SOCK_DGRAM) as sock:
            sock.bind((str(address), 0))
    except OSError:
        return False
    return True
