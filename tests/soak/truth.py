"""The soak's configuration, and what it must answer: written down apart from vpcdns' own rules.

A few facts change while the server runs. From the moment that a change begins until it has been seen, the
answers of before and after are right; then only the new one is.
"""

import time
from dataclasses import dataclass, field
from itertools import product
from typing import Final

PORT: Final = 5300
PINNED_PORT: Final = 5302  # its clients are in the VPC that the moving instance is bound to
GROUPS: Final = 200  # of each kind
CACHE: Final = 1 << 20  # octets: full before memory is first looked at, so that whatever grows is found
REGIONS: Final = {"a": "cn-hangzhou", "b": "cn-hangzhou", "c": "cn-shanghai"}
MOVING: Final = {"a": "10.1.8.20", "b": "10.2.8.20"}  # bound by the file
CALLED: Final = {"a": "10.1.8.30", "b": "10.2.8.30"}  # bound by the API
STAYING: Final = "10.1.8.21"
SHARED: Final = "100.100.80.10"

GOOD: Final = "127.0.0.53"
HOSTILE: Final = "127.0.0.66"
RESOLVERS: Final = {"x": "127.0.0.61", "y": "127.0.0.62"}  # of resolv.conf, one at a time
FORWARDED: Final = {GOOD: "192.0.2.53", RESOLVERS["x"]: "192.0.2.61", RESOLVERS["y"]: "192.0.2.62"}
STRANGER: Final = "127.66.0.5"
CHANGED_DOMAIN: Final = "api.changed.example"  # a custom domain that comes and goes

_TOPOLOGY: Final = """\
vpcs:
  - vpc_id: vpc-a
    region_id: cn-hangzhou
    cidr_blocks: [10.1.0.0/16]
    source_networks: [127.10.0.0/16, "fd00:a::/64"]
    vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]
  - vpc_id: vpc-b
    region_id: cn-hangzhou
    cidr_blocks: [10.2.0.0/16]
    source_networks: [127.20.0.0/16, "fd00:b::/64"]
    vswitches: [{vswitch_id: vsw-b, cidr_block: 10.2.8.0/24}]
  - {vpc_id: vpc-c, region_id: cn-shanghai, cidr_blocks: [10.3.0.0/16], source_networks: [127.30.0.0/16]}
networks:
  - network_id: office
    cidr_blocks: [192.168.0.0/16]
    source_networks: [127.40.0.0/16]
    resolves_as: vpc-a"""

Answer = tuple[str, tuple[str, ...]]  # RCODE, and A records
_NXDOMAIN: Final[Answer] = ("NXDOMAIN", ())


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: `vpc` is None where the listener decides it. `subnet` is whom a trusted peer asks for."""

    address: str
    vpc: str | None
    subnet: str = ""

    @property
    def server(self) -> tuple[str, int]:
        host = "::1" if ":" in self.address else "127.0.0.1"
        return host, PINNED_PORT if self.vpc is None else PORT

    @property
    def kind(self) -> str:
        if self.vpc is None:
            return "per-VPC listener"
        return "IPv6, client subnet" if self.subnet else "IPv6" if ":" in self.address else "IPv4"


CLIENTS: Final = (
    Client("127.10.0.5", "a"),
    Client("127.20.0.5", "b"),
    Client("127.30.0.5", "c"),
    Client("127.40.0.5", "a"),  # an office that resolves as VPC a
    Client("127.50.0.5", ""),  # the Internet
    Client("127.50.0.6", None),
    Client("fd00:a::5", "a"),
    Client("fd00:b::5", "b"),
    Client("::1", "b", "127.20.0.5"),
)
IPV6_ADDRESSES: Final = [client.address for client in CLIENTS if client.address.startswith("fd")]


@dataclass(slots=True)
class Fact:
    """Something that changes: what it is now, or may be, and until when it was something else."""

    values: frozenset[str]
    _past: list[tuple[float, str]] = field(default_factory=list)

    def may_be(self, value: str) -> None:
        self.values |= {value}

    def is_now(self, value: str) -> None:
        now = time.monotonic()
        self._past = [(until, old) for until, old in self._past if now - until < 60]
        self._past += [(now, old) for old in self.values - {value}]
        self.values = frozenset([value])

    @property
    def value(self) -> str:
        (value,) = self.values
        return value

    def since(self, moment: float) -> frozenset[str]:
        return self.values.union(old for until, old in self._past if until >= moment)


class Truth:
    """The facts, and what follows from them for a client and a name."""

    def __init__(self) -> None:
        self.moving = Fact(frozenset("a"))  # where the instance is, and which VPC the pinned listener is for
        self.called = Fact(frozenset("a"))
        self.enabled = Fact(frozenset(["on"]))
        self.custom = Fact(frozenset(["off"]))
        self.resolver = Fact(frozenset("x"))
        self.power_cut = 0.0  # when the last one was over

    def answers(self, client: Client, name: str, since: float) -> set[Answer]:
        """What may be answered to an A query that was sent at `since` and answered now."""
        facts = (self.moving, self.called, self.enabled, self.custom, self.resolver)
        return {_answer(client, name, *values) for values in product(*(fact.since(since) for fact in facts))}


def _answer(
    client: Client, name: str, moving: str, called: str, enabled: str, custom: str, resolver: str
) -> Answer:
    vpc = moving if client.vpc is None else client.vpc
    if name.endswith((".forwarded.example", ".mixed.example")):
        return "NOERROR", (FORWARDED[GOOD],)
    if name.endswith(".elsewhere.example") or (name == CHANGED_DOMAIN and custom == "off"):
        return "NOERROR", (FORWARDED[RESOLVERS[resolver]],)
    kind = "e" if name == CHANGED_DOMAIN else "a" if name.endswith(".example.com") else name[0]
    reached = {
        "a": (MOVING[moving], vpc == moving),
        "b": (STAYING, vpc == "a"),
        "c": (SHARED, REGIONS.get(vpc) == "cn-hangzhou"),
        "e": (CALLED[called], vpc == called),
        "0": (SHARED, REGIONS.get(vpc) == "cn-hangzhou" and enabled == "on"),
    }
    address, is_open = reached.get(kind, ("", False))
    return ("NOERROR", (address,)) if is_open else _NXDOMAIN


def group_id(kind: str, number: int = 0) -> str:
    return f"{kind}{number:031x}"


def domain(kind: str, number: int = 0) -> str:
    return f"{group_id(kind, number)}-cn-hangzhou-vpc.alicloudapi.com"


def witness(revision: int, label: str) -> str:
    """A name that the good upstream is asked for by this revision of the file only, others elsewhere."""
    return f"{label}.w{revision}.witness.example"


def _groups(named: int) -> str:
    kinds = {"a": "moving", "b": "staying", "c": "shared", "d": "shared", "e": "called"}
    lines = [
        f"  - {{group_id: '{group_id(kind, number)}', name: 'r{named}', instance_id: {instance}, "
        f"vpc_domain: {'false' if kind == 'd' else 'true'}"
        + (f", custom_domains: [c{number}.example.com]}}" if kind == "a" else "}")
        for kind, instance in kinds.items()
        for number in range(GROUPS)
    ]
    return "\n".join([*lines, f"  - {{group_id: '{group_id('0')}', instance_id: shared, vpc_domain: true}}"])


def configuration(place: str, revision: int, named: int, admin: str) -> str:
    """`a…` groups are on the instance that the file moves, `b…` on one that stays, `c…` serverless, `d…` off.

    `e…` are on the instance that the API moves, and `0…` is switched off and on by it. Another `named` makes
    other objects of it, which replace what the API changed; another `revision` alone does not.
    """
    clients = ", ".join(f'"{client.address}/{128 if ":" in client.address else 32}"' for client in CLIENTS)
    return f"""
server:
  listen: ["127.0.0.1:{PORT}", "[::1]:{PORT}", {{address: "127.0.0.1:{PINNED_PORT}", vpc_id: vpc-{place}}}]
  clients: [{clients}, 127.0.0.1/32]
admin: {{listen: {admin}}}
answers: {{ttl: 1, negative_ttl: 1}}
forward:
  cache: {{size: {CACHE}}}
  rules:
    - {{domain: forwarded.example, upstreams: ["{GOOD}"]}}
    - {{domain: mixed.example, upstreams: ["{HOSTILE}", "{GOOD}"]}}
    - {{domain: hostile.example, upstreams: ["{HOSTILE}"]}}
    - {{domain: w{revision}.witness.example, upstreams: ["{GOOD}"]}}
{_TOPOLOGY}
instances:
  - {{instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [{SHARED}]}}
  - instance_id: moving
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-{place}, vswitch_id: vsw-{place}, address: {MOVING[place]}}}
  - instance_id: staying
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: {STAYING}}}
  - instance_id: called
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: {CALLED["a"]}}}
groups:
{_groups(named)}
"""
