"""Reads what this machine or container says about itself: its files, its addresses, its container engine.

Opens files of /etc and /proc, needs no root, asks nobody and never fails: what cannot be read is empty.
Ignores what libc ignores, but remembers it where a person should know.
"""

import platform
import re
import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from vpcdns.forward.host_resolvers import RESOLV_CONF, nameservers, read_hosts
from vpcdns.model.topology import Address

MAX_NAMESERVERS: Final = 3  # MAXNS of glibc and musl: they ignore further lines
DEFAULT_NDOTS: Final = 1

_EXT_SERVERS: Final = re.compile(r"#\s*ExtServers:\s*\[(.*)\]")
# What each engine puts into its containers; a pod's containers may have the others' marks, too.
_ENGINES: Final = {
    Path("/var/run/secrets/kubernetes.io/serviceaccount"): "Kubernetes",
    Path("/.dockerenv"): "Docker",
    Path("/run/.containerenv"): "Podman",
}
# proc_net(5): addresses of this network namespace, and the gateways of routes to 0.0.0.0.
_LOCAL_IPV4: Final = re.compile(r"(\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")
_LOCAL_IPV6: Final = re.compile(r"^[0-9a-f]{32}\b", re.MULTILINE)
_GATEWAY: Final = re.compile(r"^\S+\s+0{8}\s+(?!0{8})([0-9A-F]{8})\b", re.MULTILINE)


@dataclass(slots=True)
class ResolvConf:
    """resolv.conf(5). `unreadable` are nameservers that libc ignores, because they are no addresses.

    `ext_servers` are the servers that Docker's resolver asks, from Docker's comment: it asks `host(…)` from
    the host's network namespace (moby `resolvconf`).
    """

    nameservers: list[Address] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    ext_servers: list[str] = field(default_factory=list)

    @property
    def ndots(self) -> int:
        value = self.option("ndots")
        return min(int(value), 15) if value.isdigit() else DEFAULT_NDOTS  # glibc's RES_MAXNDOTS

    def option(self, name: str) -> str:
        """The value of `name:value`, the last one winning; empty when it is not there."""
        values = [option.partition(":")[2] for option in self.options if option.startswith(f"{name}:")]
        return values[-1] if values else ""


@dataclass(frozen=True, slots=True)
class Host:
    """A snapshot. `engine` made the container: Docker, Podman or Kubernetes; it is empty on a host.

    `path` is the resolv.conf. `gateways` are those of default routes: on a bridge network the bridge itself,
    where NAT and engines' resolvers are.
    """

    resolv_conf: ResolvConf = field(default_factory=ResolvConf)
    path: Path = RESOLV_CONF
    readable: bool = True
    hosts_order: tuple[str, ...] = ()
    hosts: dict[str, list[Address]] = field(default_factory=dict)
    addresses: frozenset[Address] = frozenset()
    gateways: frozenset[Address] = frozenset()
    engine: str = ""
    libc: str = "libc"


def read_host(path: Path = RESOLV_CONF) -> Host:
    """Reads `path`, and nsswitch.conf and hosts beside it, which a container's /etc has as well."""
    resolv_conf, net = _text(path), Path("/proc/net")
    name, version = platform.libc_ver()
    ipv4 = map(IPv4Address, _LOCAL_IPV4.findall(_text(net / "fib_trie") or ""))
    ipv6 = (IPv6Address(bytes.fromhex(one)) for one in _LOCAL_IPV6.findall(_text(net / "if_inet6") or ""))
    gateways = _GATEWAY.findall(_text(net / "route") or "")
    return Host(
        resolv_conf=read_resolv_conf(resolv_conf or ""),
        path=path,
        readable=resolv_conf is not None,
        hosts_order=read_hosts_order(_text(path.with_name("nsswitch.conf")) or ""),
        hosts=read_hosts(_text(path.with_name("hosts")) or ""),
        addresses=frozenset((*ipv4, *ipv6)),
        gateways=frozenset(IPv4Address(socket.htonl(int(gateway, 16))) for gateway in gateways),
        engine=next((engine for mark, engine in _ENGINES.items() if mark.exists()), ""),
        libc=f"{name} {version}" if name else "musl or another libc",
    )


def read_resolv_conf(text: str) -> ResolvConf:
    """Keyword at the start of the line, then white space; of several `search` lines the last counts."""
    docker = _EXT_SERVERS.search(text)
    said = nameservers(text)
    conf = ResolvConf(
        nameservers=[address for address in said.values() if address is not None],
        unreadable=[word for word, address in said.items() if address is None],
        ext_servers=docker[1].replace(",", " ").split() if docker else [],
    )
    for line in text.splitlines():
        match re.split(r"\s+", line.rstrip()):  # before white space at the start there is an empty word
            case ["search" | "domain", first, *rest]:
                conf.search = [domain.rstrip(".") or "." for domain in (first, *rest)]
            case ["options", *options]:
                conf.options += options
            case _:
                pass
    return conf


def read_hosts_order(text: str) -> tuple[str, ...]:
    """The `hosts:` line of nsswitch.conf(5), services and actions in order; none when there is no line."""
    for line in text.splitlines():
        database, colon, order = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts":
            return tuple(re.findall(r"\[[^\]]*\]|[^\s\[]+", order))
    return ()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
