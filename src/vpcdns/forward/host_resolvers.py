"""Whom to forward to when the configuration does not say: the host's own resolvers, never ourselves.

Knows resolv.conf and this host's addresses. The configuration is read elsewhere.
"""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from itertools import filterfalse
from pathlib import Path
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.model.policy import AnyUpstream, Listen, Upstream, own_listener
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.net.binding import is_local

RESOLV_CONF: Final = Path("/etc/resolv.conf")
# glibc takes 3 nameservers; a file of any size must not cost more than its first part.
_OCTETS_READ: Final = 65_536
_NAMESERVERS_AT_MOST: Final = 16


def with_upstreams(
    world: World,
    listens: Sequence[Listen],
    *,
    given: bool,
    resolv_conf: Path = RESOLV_CONF,
    addresses: Mapping[str, tuple[Address, ...]] | None = None,
) -> World:
    """The World with the host's resolvers as default upstreams, unless some were `given`.

    `addresses` are those of upstreams that have names. Raises StartupError when a given upstream is an
    address that we listen on: it would ask itself.
    """
    forwarding = world.forwarding

    def is_own(upstream: AnyUpstream) -> bool:
        return isinstance(upstream, Upstream) and is_ourselves(upstream, listens)

    if not given:
        forwarding = replace(forwarding, upstreams=tuple(filterfalse(is_own, host_upstreams(resolv_conf))))
    forwarding = forwarding.with_addresses(addresses or {})
    named = (*forwarding.upstreams, *(upstream for rule in forwarding.rules for upstream in rule.upstreams))
    for upstream in filter(is_own, named):
        raise StartupError(
            f"upstream {upstream} is this server itself: queries would go round in a loop;"
            " name another resolver under `forward`, or `upstreams: []` to forward nothing"
        )
    return replace(world, forwarding=forwarding)


def host_upstreams(resolv_conf: Path = RESOLV_CONF) -> tuple[Upstream, ...]:
    """The nameservers of a resolv.conf, in order; none when there is no regular file of that name."""
    try:
        with os.fdopen(os.open(resolv_conf, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return ()
            text = file.read(_OCTETS_READ).decode(errors="replace")
    except OSError:
        return ()
    found = [Upstream(address) for address in nameservers(text).values() if address is not None]
    return tuple(found[:_NAMESERVERS_AT_MOST])


def nameservers(text: str) -> dict[str, Address | None]:
    """The nameservers of a resolv.conf as they are written; None: no address, and passed over as by libc.

    resolv.conf(5): the keyword stands at the start of the line, and white space behind it.
    """
    found: dict[str, Address | None] = {}
    for said in re.findall(r"^nameserver[ \t]+(\S+)", text, re.MULTILINE):
        found[said] = None
        with suppress(ValueError):
            found[said] = ip_address(said)
    return found


def is_ourselves(upstream: Upstream, listens: Sequence[Listen]) -> bool:
    """Whether we would ask ourselves."""
    return own_listener(upstream, listens, is_local) is not None


def read_hosts(text: str) -> dict[str, list[Address]]:
    """hosts(5): the addresses of each name, in lower case."""
    hosts: dict[str, list[Address]] = {}
    for line in text.splitlines():
        address_text, *names = line.partition("#")[0].split() or [""]
        with suppress(ValueError):
            address = ip_address(address_text)
            for name in names:
                hosts.setdefault(name.lower().rstrip("."), []).append(address)
    return hosts
