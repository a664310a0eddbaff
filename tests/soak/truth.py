"""The soak's configuration, and what it must answer: written down apart from vpcdns' own rules.

One dedicated instance moves between VPC a and VPC b. While it does, either place is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

REGIONS: Final = {"a": "cn-hangzhou", "b": "cn-hangzhou", "c": "cn-shanghai"}
CLIENTS: Final = {
    "127.10.0.5": "a",
    "127.20.0.5": "b",
    "127.30.0.5": "c",
    "127.40.0.5": "a",
    "127.50.0.5": "",
}
STRANGER: Final = "127.66.0.5"
GROUPS: Final = 200  # of each kind
ENDPOINTS: Final = {"a": "10.1.8.20", "b": "10.2.8.20"}
STAYING: Final = "10.1.8.21"
SHARED: Final = "100.100.80.10"
FORWARDED: Final = "192.0.2.7"

Answer = tuple[str, tuple[str, ...]]  # RCODE, and A records
_NXDOMAIN: Final[Answer] = ("NXDOMAIN", ())


def group_id(kind: str, number: int) -> str:
    return f"{kind}{number:031x}"


def domain(kind: str, number: int) -> str:
    return f"{group_id(kind, number)}-cn-hangzhou-vpc.alicloudapi.com"


def witness(revision: int) -> str:
    """A custom domain that only this revision of the file has: who answers with a CNAME has loaded it."""
    return f"r{revision}.witness.example"


def configuration(bound_to: str, upstream: str, revision: int) -> str:
    """`a…` groups are on the instance that moves, `b…` on one that stays, `c…` serverless; `d…` are off."""
    groups = "".join(
        f"  - {{group_id: '{group_id(kind, number)}', name: 'r{revision}', instance_id: {instance}, "
        f"vpc_domain: {'false' if kind == 'd' else 'true'}{custom}}}\n"
        for kind, instance in (("a", "moving"), ("b", "staying"), ("c", "shared"), ("d", "shared"))
        for number in range(GROUPS)
        for custom in [f", custom_domains: [c{number}.example.com]" if kind == "a" else ""]
    )
    marker = f"{group_id('e', 0)}, instance_id: staying, custom_domains: [{witness(revision)}]"
    return f"""
server:
  listen: ["127.0.0.1:0"]
  clients: [{", ".join(f"{client}/32" for client in CLIENTS)}, 127.0.0.1/32]
forward: {{upstreams: ["{upstream}"]}}
answers: {{ttl: 1, negative_ttl: 1}}
vpcs:
  - vpc_id: vpc-a
    region_id: cn-hangzhou
    cidr_blocks: [10.1.0.0/16]
    source_networks: [127.10.0.0/16]
    vswitches: [{{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}}]
  - vpc_id: vpc-b
    region_id: cn-hangzhou
    cidr_blocks: [10.2.0.0/16]
    source_networks: [127.20.0.0/16]
    vswitches: [{{vswitch_id: vsw-b, cidr_block: 10.2.8.0/24}}]
  - {{vpc_id: vpc-c, region_id: cn-shanghai, cidr_blocks: [10.3.0.0/16], source_networks: [127.30.0.0/16]}}
networks:
  - network_id: office
    cidr_blocks: [192.168.0.0/16]
    source_networks: [127.40.0.0/16]
    resolves_as: vpc-a
instances:
  - {{instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [{SHARED}]}}
  - instance_id: moving
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-{bound_to}, vswitch_id: vsw-{bound_to}, address: {ENDPOINTS[bound_to]}}}
  - instance_id: staying
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: {STAYING}}}
groups:
{groups}  - {{group_id: {marker}}}
"""


@dataclass(slots=True)
class Truth:
    """Where the moving instance may be now: two places from before a file is written until it is served."""

    bound: frozenset[str] = field(default=frozenset("a"))

    def answers(self, client: str, name: str, bound: frozenset[str]) -> set[Answer]:
        """What may be answered to an A query of `client`, with the instance in any place of `bound`."""
        if client == STRANGER:
            return {("REFUSED", ())}
        vpc, kind = CLIENTS[client], name[0]
        if name.endswith(".forwarded.example"):
            return {("NOERROR", (FORWARDED,))}
        if name.endswith(".example.com") or kind == "a":
            return {("NOERROR", (ENDPOINTS[place],)) if place == vpc else _NXDOMAIN for place in bound}
        if kind == "b":
            return {("NOERROR", (STAYING,)) if vpc == "a" else _NXDOMAIN}
        if kind == "c":
            return {("NOERROR", (SHARED,)) if REGIONS.get(vpc) == "cn-hangzhou" else _NXDOMAIN}
        return {_NXDOMAIN}
