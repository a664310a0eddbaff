"""Reads the files that libc resolves names by: resolv.conf, nsswitch.conf, hosts.

Pure: text in, values out. Ignores what libc ignores, but remembers it where a person should know.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from vpcdns.model.topology import Address

MAX_NAMESERVERS: Final = 3  # MAXNS of glibc and musl: they ignore further lines
DEFAULT_NDOTS: Final = 1

_EXT_SERVERS: Final = re.compile(r"#\s*ExtServers:\s*\[(.*)\]")


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """resolv.conf(5). `unreadable` are nameservers that libc ignores, because they are no addresses.

    `ext_servers` are the servers that Docker's resolver asks, from Docker's comment: it asks `host(…)` from
    the host's network namespace (moby `resolvconf`).
    """

    nameservers: tuple[Address, ...] = ()
    unreadable: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    ext_servers: tuple[str, ...] = ()

    @property
    def ndots(self) -> int:
        value = self.option("ndots")
        return min(int(value), 15) if value.isdigit() else DEFAULT_NDOTS  # glibc's RES_MAXNDOTS

    def option(self, name: str) -> str:
        """The value of `name:value`, the last one winning; empty when it is not there."""
        values = [option.partition(":")[2] for option in self.options if option.startswith(f"{name}:")]
        return values[-1] if values else ""


def read_resolv_conf(text: str) -> ResolvConf:
    """Keyword at the start of the line, then white space; of several `search` lines the last counts."""
    nameservers: list[Address] = []
    unreadable: list[str] = []
    options: list[str] = []
    search: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split()
        if line[:1].isspace() or len(words) < 2:  # comments begin their line, and are no keywords
            continue
        match words[0]:
            case "nameserver":
                try:
                    nameservers.append(ip_address(words[1]))
                except ValueError:
                    unreadable.append(words[1])
            case "search" | "domain":
                search = tuple(word.rstrip(".") or "." for word in words[1:])
            case "options":
                options += words[1:]
            case _:
                pass
    docker = _EXT_SERVERS.search(text)
    ext_servers = tuple(docker[1].replace(",", " ").split()) if docker else ()
    return ResolvConf(tuple(nameservers), tuple(unreadable), search, tuple(options), ext_servers)


def read_hosts_order(text: str) -> tuple[str, ...]:
    """The `hosts:` line of nsswitch.conf(5), services and actions in order; none when there is no line."""
    for line in text.splitlines():
        database, colon, order = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts":
            return tuple(re.findall(r"\[[^\]]*\]|[^\s\[]+", order))
    return ()


def read_hosts(text: str) -> dict[str, tuple[Address, ...]]:
    """hosts(5): the addresses of each name, in lower case."""
    hosts: dict[str, tuple[Address, ...]] = {}
    for line in text.splitlines():
        address_text, *names = line.partition("#")[0].split() or [""]
        try:
            address = ip_address(address_text)
        except ValueError:
            continue
        for name in names:
            key = name.lower().rstrip(".")
            hosts[key] = (*hosts.get(key, ()), address)
    return hosts
