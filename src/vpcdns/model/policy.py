"""What the operator decides: whom to answer, how, and whom to ask for the rest.

Knows the words of the configuration's `server`, `answers` and `forward`; not where they were read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Address, ip_network
from typing import Final, Literal

from vpcdns.model.cache_limits import DEFAULT_CACHE, CacheLimits, TtlLimits
from vpcdns.model.names import Name
from vpcdns.model.topology import Address, Prefix, unmapped

Transport = Literal["udp", "tcp"]

# RFC 1122, 1918, 6598, 3927, 4193, 4291: space that is nobody's on the Internet.
_IPV4: Final = "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16"
_IPV6: Final = "::1/128 fc00::/7 fe80::/10"
PRIVATE_SPACE: Final[tuple[Prefix, ...]] = tuple(map(ip_network, f"{_IPV4} {_IPV6}".split()))
# moby libnetwork: in a container, Docker redirects this address's port 53 to its own resolver before a
# listener on every address could get it.
DOCKER_RESOLVER: Final = IPv4Address("127.0.0.11")
LOOPBACK: Final[tuple[Prefix, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
DEFAULT_SUFFIX: Final = Name((b"alicloudapi", b"com"))


class Denied(Enum):
    """What a client gets for a VPC domain that is closed to it."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    REFUSED = "refused"
    DROP = "drop"


class Explain(Enum):
    """How much of an extended DNS error is sent."""

    FULL = "full"
    CODE = "code"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers look. `ttl` is of positive, `negative_ttl` of negative answers, in seconds."""

    suffix: Name = DEFAULT_SUFFIX
    ttl: int = 60
    negative_ttl: int = 10
    denied: Denied = Denied.NXDOMAIN
    explain: Explain = Explain.FULL


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask, which peers are believed when they name another client, and how fast clients may ask.

    `responses_per_second` is for each client network over UDP; None is no limit.
    """

    clients: tuple[Prefix, ...] = PRIVATE_SPACE
    trusted_peers: tuple[Prefix, ...] = LOOPBACK
    responses_per_second: int | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """`socket_address` is the form that sockets take, but for the `zone` of a link-local address (`eth0`)."""

    address: Address
    port: int = 53
    socket_address: tuple[str, int] = field(init=False, repr=False, compare=False)
    zone: str | None = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Upstreams are looked up and written with every forwarded query; addresses do both slowly, in Python.
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        object.__setattr__(self, "socket_address", (str(self.address).partition("%")[0], self.port))
        object.__setattr__(self, "zone", getattr(self.address, "scope_id", None))
        object.__setattr__(self, "_hash", hash((self.address, self.port)))
        object.__setattr__(self, "_text", host if self.port == 53 else f"{host}:{self.port}")

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type, tuple[Address, int]]:
        """Without the hash, which differs between processes."""
        return Upstream, (self.address, self.port)

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True, slots=True)
class UpstreamName:
    """An upstream by its host name; `addresses` are those that the host's resolver last gave for it."""

    host: str
    port: int = 53
    addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        return self.host if self.port == 53 else f"{self.host}:{self.port}"


AnyUpstream = Upstream | UpstreamName


def addresses_of(upstreams: tuple[AnyUpstream, ...]) -> tuple[Upstream, ...]:
    """All that can be asked, in order, each once: of a name every address."""
    found: dict[Upstream, None] = {}
    for one in upstreams:
        if isinstance(one, Upstream):
            found[one] = None
        else:
            found |= {Upstream(address, one.port): None for address in one.addresses}
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """Names at or below `domain` go to `upstreams`, for clients of `vpcs` (empty: for everybody).

    `cache` False keeps nothing of what they say; None is as for names without a rule.
    """

    domain: Name
    upstreams: tuple[AnyUpstream, ...]
    vpcs: frozenset[str] = frozenset()
    cache: TtlLimits | Literal[False] | None = None


class Otherwise(Enum):
    """What names get that are not ours, and that there are no upstreams for."""

    REFUSED = "refused"
    NXDOMAIN = "nxdomain"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Whom to ask for names that are not ours.

    `above` has the proper ancestors of all rules' domains.
    """

    upstreams: tuple[AnyUpstream, ...] = ()
    rules: tuple[ForwardRule, ...] = ()
    otherwise: Otherwise = Otherwise.REFUSED
    cache: CacheLimits | Literal[False] = DEFAULT_CACHE
    above: frozenset[Name] = field(init=False, repr=False, compare=False)
    _by_domain: dict[tuple[bytes, ...], list[ForwardRule]] = field(init=False, repr=False, compare=False)
    _lengths: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_domain: dict[tuple[bytes, ...], list[ForwardRule]] = {}
        for rule in self.rules:
            by_domain.setdefault(rule.domain.folded, []).append(rule)
        domains = {rule.domain for rule in self.rules}
        above = (above for domain in domains if domain.labels for above in (*domain.ancestors(), Name(())))
        lengths = sorted({len(domain) for domain in by_domain}, reverse=True)
        object.__setattr__(self, "_by_domain", by_domain)
        object.__setattr__(self, "_lengths", tuple(lengths))
        object.__setattr__(self, "above", frozenset(above))

    def rule_for(self, name: Name, vpc_id: str | None) -> ForwardRule | None:
        """The rule with the longest domain that `name` lies in and that applies to the client's VPC.

        Of two with the same domain the one that names the VPC wins.
        """
        labels, found = name.folded, None
        for length in self._lengths:
            if length > len(labels):
                continue
            for rule in self._by_domain.get(labels[len(labels) - length :], ()):
                if vpc_id in rule.vpcs:
                    return rule
                if not rule.vpcs:
                    found = found or rule
            if found is not None:
                return found
        return None

    @property
    def names(self) -> Iterator[UpstreamName]:
        """The upstreams that are given by name."""
        for upstreams in (self.upstreams, *(rule.upstreams for rule in self.rules)):
            yield from (one for one in upstreams if isinstance(one, UpstreamName))

    def with_addresses(self, addresses: Mapping[str, tuple[Address, ...]]) -> "Forwarding":
        """The same with those addresses for the hosts that have some; itself where nothing changes."""
        if all(addresses.get(one.host, one.addresses) == one.addresses for one in self.names):
            return self

        def found(upstreams: tuple[AnyUpstream, ...]) -> tuple[AnyUpstream, ...]:
            return tuple(
                replace(one, addresses=addresses.get(one.host, one.addresses))
                if isinstance(one, UpstreamName)
                else one
                for one in upstreams
            )

        rules = tuple(replace(rule, upstreams=found(rule.upstreams)) for rule in self.rules)
        return replace(self, upstreams=found(self.upstreams), rules=rules)

    def by(self, rule: ForwardRule | None) -> tuple[tuple[AnyUpstream, ...], TtlLimits | None]:
        """Who is asked by that rule, or without one, and how long answers are kept; None: not at all."""
        if rule is None:
            return self.upstreams, self.cache or None
        return rule.upstreams, (self.cache if rule.cache is None else rule.cache) or None


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What CH TXT `version.bind` and `id.server` (RFC 4892) say, and NSID (RFC 5001)."""

    version: str = "vpcdns"
    server_id: str = "vpcdns"


class QueryLogMode(Enum):
    """Which queries are logged."""

    OFF = "off"
    SAMPLED = "sampled"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class QueryLogging:
    """The query log. `sample` N logs every Nth query; `file` is a path, or `-` for standard output."""

    queries: QueryLogMode = QueryLogMode.OFF
    sample: int = 100
    file: str = "-"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen, UDP and TCP; whoever asks there counts as a client of `vpc_id`, if it is given.

    With `wait` the host may have the address later, or not for the moment.
    """

    address: Address
    port: int
    vpc_id: str | None = None
    wait: bool = False

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


def own_listener(
    upstream: Upstream, listens: Iterable[Listen], is_local: Callable[[Address], bool]
) -> Listen | None:
    """The listener that would get what is sent to `upstream`: forwarding there goes round in a loop.

    A listener on every address of a family has those that `is_local` says are this host's; `[::]` has the
    IPv4 ones too, unless another listener has its port for IPv4 (`net.binding`).
    """
    address = unmapped(upstream.address)
    there = [listen for listen in listens if listen.port == upstream.port]
    dual = address.version == 4 and all(listen.address.version == 6 for listen in there)
    for listen in there:
        if unmapped(listen.address) == address:
            return listen
        everywhere = listen.address.is_unspecified and (listen.address.version == address.version or dual)
        if everywhere and address != DOCKER_RESOLVER and is_local(address):
            return listen
    return None
