"""What labs are made of: namespaces, links, routes, rules and listeners. Values, and their numbers."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from vpcdns.model.gateway import InstanceKey
from vpcdns.model.policy import Listen

LOCAL: Final = 255  # the kernel's table of its own addresses, and that of routes (linux/rtnetlink.h)
MAIN: Final = 254
FIRST_TABLE: Final = 1000
BEFORE_LOCAL: Final = 38_000


@dataclass(frozen=True, slots=True)
class LabRoute:
    """A route; `dev` None is a destination that this table says nothing about (throw) or refuses."""

    destination: IPv4Network
    dev: str | None = None
    table: int = MAIN
    kind: Literal["unicast", "throw", "unreachable"] = "unicast"
    source: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class LabRule:
    """What comes in by `iif`, from `source` to `destination`, is forwarded by `table`.

    Of several, the one with the lowest `order` is asked first; BEFORE_LOCAL is after the main table.
    """

    iif: str | None
    table: int
    source: IPv4Network | None = None
    destination: IPv4Network | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """An address that answers HTTP: that of gateway instances, or of a host that a private zone names."""

    address: IPv4Address
    instances: tuple[InstanceKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Namespace:
    """The contents of a namespace. A node, a VPC or network, asks its main table before the local one.

    `nameservers` are those of its resolv.conf; `resolvers` are what answers DNS in it.
    """

    name: str
    node: bool
    addresses: tuple[IPv4Address, ...] = ()
    routes: tuple[LabRoute, ...] = ()
    rules: tuple[LabRule, ...] = ()
    listeners: tuple[Listener, ...] = ()
    nameservers: tuple[IPv4Address, ...] = ()
    resolvers: tuple[Listen, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A veth pair: two namespaces, and the interface in each."""

    one: str
    one_dev: str
    two: str
    two_dev: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...]


@dataclass(slots=True)
class Numbers:
    """Numbers for interfaces and tables; an id keeps its own from one World to the next."""

    known: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        return self.known.setdefault(name, len(self.known))

    def device(self, name: str) -> str:
        """The interface that leads to a namespace."""
        return f"n{self.of(name)}"
