"""Reads what this machine or container says about itself: its files, its addresses, its container engine.

Opens files of /etc and /proc, needs no root, asks nobody and never fails: what cannot be read is empty.
"""

import platform
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from vpcdns.doctor.files import ResolvConf, read_hosts, read_hosts_order, read_resolv_conf
from vpcdns.model.topology import Address

RESOLV_CONF: Final = Path("/etc/resolv.conf")
PROC: Final = Path("/proc")
# What each engine puts into its containers; a pod's containers may have the others' marks, too.
_ENGINES: Final = {
    Path("/var/run/secrets/kubernetes.io/serviceaccount"): "Kubernetes",
    Path("/.dockerenv"): "Docker",
    Path("/run/.containerenv"): "Podman",
}


@dataclass(frozen=True, slots=True)
class Host:
    """A snapshot. `engine` made the container: Docker, Podman or Kubernetes; it is empty on a host.

    `hosts_order` is None without an nsswitch.conf, as in images with musl. `is_libcs` says whether this
    process's libc reads `path`.
    """

    resolv_conf: ResolvConf = field(default_factory=ResolvConf)
    path: Path = RESOLV_CONF
    readable: bool = True
    is_libcs: bool = True
    hosts_order: tuple[str, ...] | None = None
    hosts: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    addresses: frozenset[Address] = frozenset()
    gateways: frozenset[Address] = frozenset()
    engine: str = ""
    libc: str = "libc"


def read_host(path: Path = RESOLV_CONF) -> Host:
    """Reads `path`, and nsswitch.conf and hosts beside it, which a container's /etc has as well."""
    resolv_conf = _text(path)
    order, hosts = _text(path.with_name("nsswitch.conf")), _text(path.with_name("hosts"))
    name, version = platform.libc_ver()
    return Host(
        resolv_conf=read_resolv_conf(resolv_conf or ""),
        path=path,
        readable=resolv_conf is not None,
        is_libcs=path == RESOLV_CONF,
        hosts_order=None if order is None else read_hosts_order(order),
        hosts=read_hosts(hosts or ""),
        addresses=frozenset(_addresses()),
        gateways=frozenset(_gateways()),
        engine=next((engine for mark, engine in _ENGINES.items() if mark.exists()), ""),
        libc=f"{name} {version}" if name else "musl or another libc",
    )


def _addresses() -> Iterator[Address]:
    """All addresses of this network namespace, by /proc (proc_net(5))."""
    before = ""
    for line in (_text(PROC / "net/fib_trie") or "").splitlines():
        words = line.split()
        if "/32 host LOCAL" in line and before:
            with suppress(ValueError):
                yield IPv4Address(before)
        before = words[-1] if words and words[0] in ("|--", "+--") else before
    for line in (_text(PROC / "net/if_inet6") or "").splitlines():
        with suppress(ValueError):
            yield IPv6Address(bytes.fromhex(line.split()[0]))


def _gateways() -> Iterator[Address]:
    """Default gateways: on a bridge network, the bridge itself, where NAT and engines' resolvers are."""
    for line in (_text(PROC / "net/route") or "").splitlines()[1:]:
        fields = line.split()
        with suppress(ValueError, IndexError):
            if fields[1] == "00000000" and fields[2] != "00000000":
                yield IPv4Address(socket.htonl(int(fields[2], 16)))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
