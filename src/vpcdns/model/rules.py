"""The rules of DESIGN §1 on single objects; configuration and changes obey the same ones.

Each function yields a Refusal for every way in which an object breaks a rule, given what is around
it. Knows nothing of files or of HTTP: `where` names the field, and the caller knows the place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.model.gateway import (
    GROUP_ID,
    SHARED_SPACE,
    Binding,
    Group,
    Instance,
    InstanceKey,
    InstanceType,
)
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.model.topology import (
    CenConnection,
    Connection,
    IpsecConnection,
    Network,
    Prefix,
    Topology,
    Vpc,
    VSwitch,
)
from vpcdns.model.vpc_domains import Form, recognise

VPCDNS_INTERNAL: Final = Name((b"vpcdns", b"internal"))


class Rule(Enum):
    """The rules by name; those of DESIGN §1 with their number."""

    ONE_INSTANCE = ("one-instance", 1, "a group lives on one gateway instance, which is in one region")
    DOMAIN_NAME = ("domain-name", 2, "a VPC domain is <group_id>-<region_id>-vpc.<suffix>")
    SHARED_ADDRESS = ("shared-address", 3, "a serverless instance has addresses in 100.64.0.0/10 only")
    BINDING = ("binding", 4, "a binding is one vSwitch of one VPC in the instance's region")
    BOUND_BEFORE_ENABLED = (
        "bound-before-enabled",
        6,
        "a dedicated instance is bound before a VPC domain is on",
    )
    BOUND_BEFORE_MIGRATED = (
        "bound-before-migrated",
        8,
        "a group with its VPC domain on moves to a bound instance",
    )
    CUSTOM_DOMAIN = ("custom-domain", 9, "custom domains reach groups on dedicated instances only")
    HYBRID = ("hybrid", 10, "an on-premises network asks as the VPC that it resolves through")
    REFERENCE = ("reference", None, "what is named must exist")
    UNIQUE = ("unique", None, "ids, addresses and domains belong to one object")
    ADDRESS_PLAN = ("address-plan", None, "blocks fit into each other as the cloud's do")
    SOURCE_NETWORK = ("source-network", None, "a source network belongs to one VPC or network")

    def __init__(self, slug: str, number: int | None, statement: str) -> None:
        self.slug = slug
        self.number = number
        self.statement = statement

    def __str__(self) -> str:
        return f"rule {self.number}, {self.slug}" if self.number else f"rule {self.slug}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not be: the rule, the object, and the way out.

    `where` leads from the object to the field that is at fault, e.g. ("binding", "vswitch_id").
    """

    rule: Rule
    subject: str
    problem: str
    way_out: str
    where: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}; {self.way_out} ({self.rule})"


def vpc_refusals(vpc: Vpc) -> Iterator[Refusal]:
    """What is wrong with a VPC in itself."""
    subject = f"VPC {vpc.vpc_id}"
    for index, block in enumerate(vpc.cidr_blocks):
        if block.overlaps(SHARED_SPACE):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"{block} overlaps {SHARED_SPACE}, the cloud's own services",
                "take private space, e.g. 10.0.0.0/8",
                ("cidr_blocks", index),
            )
        if clash := next((other for other in vpc.cidr_blocks[:index] if other.overlaps(block)), None):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"{block} overlaps its own {clash}",
                "make the VPC's blocks disjoint",
                ("cidr_blocks", index),
            )
    yield from _vswitch_refusals(vpc, subject)


def _vswitch_refusals(vpc: Vpc, subject: str) -> Iterator[Refusal]:
    seen: set[str] = set()
    for index, vswitch in enumerate(vpc.vswitches):
        where = ("vswitches", index)
        if not any(vswitch.cidr_block.subnet_of(block) for block in vpc.cidr_blocks):
            blocks = ", ".join(map(str, vpc.cidr_blocks))
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"vSwitch {vswitch.vswitch_id} has {vswitch.cidr_block}, outside the VPC's {blocks}",
                "give it a block inside the VPC's",
                (*where, "cidr_block"),
            )
        if vswitch.vswitch_id in seen:
            yield duplicate(f"vSwitch {vswitch.vswitch_id}", (*where, "vswitch_id"))
        seen.add(vswitch.vswitch_id)
        earlier = (other for other in vpc.vswitches[:index] if other.cidr_block.overlaps(vswitch.cidr_block))
        if clash := next(earlier, None):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"vSwitch {vswitch.vswitch_id} ({vswitch.cidr_block}) overlaps "
                f"{clash.vswitch_id} ({clash.cidr_block})",
                "make the vSwitches' blocks disjoint",
                (*where, "cidr_block"),
            )


def source_network_refusals(
    subject: str, prefixes: Iterable[Prefix], claimed: Mapping[Prefix, str], field: str
) -> Iterator[Refusal]:
    """Source networks that somebody else has: `claimed` tells who. Nested prefixes are fine."""
    for index, prefix in enumerate(prefixes):
        owner = claimed.get(prefix)
        if owner is not None and owner != subject:
            yield Refusal(
                Rule.SOURCE_NETWORK,
                subject,
                f"{prefix} is already a source network of {owner}",
                "give one of them other `source_networks` to stand in for it, or a listener of its own"
                " (`server.listen: [{address: …, vpc_id: …}]`)",
                (field, index),
            )


def network_refusals(network: Network, topology: Topology) -> Iterator[Refusal]:
    subject = f"network {network.network_id}"
    if network.resolves_as is not None and network.resolves_as not in topology.vpcs:
        yield missing(Rule.HYBRID, subject, f"VPC {network.resolves_as}", "vpcs", ("resolves_as",))
    for index, route in enumerate(network.routes):
        connection = topology.connections.get(route.via)
        where = ("routes", index, "via")
        if connection is None:
            yield missing(Rule.REFERENCE, subject, f"connection {route.via}", "connections", where)
        elif network.network_id not in _ends(connection):
            yield Refusal(
                Rule.REFERENCE,
                subject,
                f"its route to {route.destination} goes via {route.via}, which does not join it",
                f"attach {network.network_id} to {route.via}, or route via another connection",
                where,
            )


def connection_refusals(connection: Connection, topology: Topology) -> Iterator[Refusal]:
    subject = f"connection {connection.connection_id}"
    match connection:
        case IpsecConnection():
            if connection.vpc_id not in topology.vpcs:
                yield missing(Rule.REFERENCE, subject, f"VPC {connection.vpc_id}", "vpcs", ("vpc_id",))
            if connection.network_id not in topology.networks:
                what = f"network {connection.network_id}"
                yield missing(Rule.REFERENCE, subject, what, "networks", ("network_id",))
        case CenConnection():
            yield from _cen_refusals(connection, topology, subject)


def _cen_refusals(cen: CenConnection, topology: Topology, subject: str) -> Iterator[Refusal]:
    for index, attachment in enumerate(cen.attachments):
        if attachment not in topology.vpcs and attachment not in topology.networks:
            yield missing(
                Rule.REFERENCE,
                subject,
                f"VPC or network {attachment}",
                "vpcs or networks",
                ("attachments", index),
            )
        if attachment in cen.attachments[:index]:
            yield duplicate(f"attachment {attachment} of {cen.connection_id}", ("attachments", index))
    for index, route in enumerate(cen.service_routes):
        where = ("service_routes", index)
        if not route.host.subnet_of(SHARED_SPACE):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"service route to {route.host}, which is outside {SHARED_SPACE}",
                "a service route is for the cloud's services; private blocks are routed by being attached",
                (*where, "host"),
            )
        named: list[tuple[tuple[str | int, ...], str]] = [(("host_vpc_id",), route.host_vpc_id)]
        named += [(("access", position), user) for position, user in enumerate(route.access)]
        for place, attachment in named:
            if attachment not in cen.attachments:
                yield Refusal(
                    Rule.REFERENCE,
                    subject,
                    f"service route to {route.host} names {attachment}, which is not attached",
                    f"add {attachment} to `attachments`",
                    (*where, *place),
                )
        if route.host_vpc_id in cen.attachments and route.host_vpc_id not in topology.vpcs:
            yield missing(
                Rule.REFERENCE, subject, f"VPC {route.host_vpc_id}", "vpcs", (*where, "host_vpc_id")
            )


def instance_refusals(instance: Instance, topology: Topology) -> Iterator[Refusal]:
    """Rules 3 and 4 on one instance; whether its endpoint address is free is for `endpoint_refusals`."""
    subject = f"instance {instance.instance_id}"
    if instance.type is InstanceType.SERVERLESS:
        for index, address in enumerate(instance.addresses):
            if address not in SHARED_SPACE:
                yield Refusal(
                    Rule.SHARED_ADDRESS,
                    subject,
                    f"{address} is not in {SHARED_SPACE}",
                    "give a shared address, e.g. 100.100.80.10",
                    ("addresses", index),
                )
        if not instance.addresses:
            yield Refusal(
                Rule.SHARED_ADDRESS,
                subject,
                "it has no address",
                "give it `addresses: [100.…]`",
                ("addresses",),
            )
        if instance.binding is not None:
            yield Refusal(
                Rule.BINDING,
                subject,
                "a serverless instance cannot be bound: it answers every VPC of its region",
                "bind a dedicated instance, and migrate the groups to it",
                ("binding",),
            )
    elif instance.addresses:
        yield Refusal(
            Rule.SHARED_ADDRESS,
            subject,
            "a dedicated instance has no shared addresses",
            "give its private endpoint as `binding.address`",
            ("addresses",),
        )
    if instance.type is InstanceType.DEDICATED and instance.binding is not None:
        yield from binding_refusals(instance, instance.binding, topology)


def binding_refusals(instance: Instance, binding: Binding, topology: Topology) -> Iterator[Refusal]:
    """Whether a dedicated instance may be bound so; not whether the address is free."""
    vswitch = vswitch_for(instance, binding.vpc_id, binding.vswitch_id, topology)
    if isinstance(vswitch, Refusal):
        yield vswitch
        return
    subject, where, block = f"instance {instance.instance_id}", ("binding", "address"), vswitch.cidr_block
    if binding.address not in block:
        yield Refusal(
            Rule.BINDING,
            subject,
            f"{binding.address} is not in {binding.vswitch_id}'s block {block}",
            "take an address of the vSwitch, or leave `address` out",
            where,
        )
    elif is_reserved(binding.address, block):
        yield Refusal(
            Rule.BINDING,
            subject,
            f"{binding.address} is reserved: {block}'s first and last three addresses are the cloud's",
            "take another address, or leave `address` out",
            where,
        )


def vswitch_for(instance: Instance, vpc_id: str, vswitch_id: str, topology: Topology) -> VSwitch | Refusal:
    """The vSwitch that `instance` is to be bound to, when rule 4 lets it."""
    subject = f"instance {instance.instance_id}"
    vpc = topology.vpcs.get(vpc_id)
    if vpc is None:
        return missing(Rule.BINDING, subject, f"VPC {vpc_id}", "vpcs", ("binding", "vpc_id"))
    if vpc.region_id != instance.region_id:
        return Refusal(
            Rule.BINDING,
            subject,
            f"it is in {instance.region_id}, but VPC {vpc_id} is in {vpc.region_id}",
            f"bind it to a VPC of {instance.region_id}, and reach it from elsewhere over CEN",
            ("binding", "vpc_id"),
        )
    vswitch = vpc.vswitch(vswitch_id)
    if vswitch is None:
        known = ", ".join(vswitch.vswitch_id for vswitch in vpc.vswitches) or "none"
        return Refusal(
            Rule.BINDING,
            subject,
            f"VPC {vpc_id} has no vSwitch {vswitch_id}",
            f"name one of its vSwitches ({known}), or add it to the VPC's `vswitches`",
            ("binding", "vswitch_id"),
        )
    return vswitch


def free_address(
    instance: Instance,
    vpc_id: str,
    vswitch: VSwitch,
    endpoints: Mapping[tuple[str, IPv4Address], InstanceKey],
    above: IPv4Address | None = None,
) -> IPv4Address | Refusal:
    """The lowest address of the vSwitch that is neither reserved nor another instance's (DESIGN §2).

    A caller that knows all up to `above` to be taken starts there.
    """
    block = vswitch.cidr_block
    for number in range(int(above or block.network_address) + 1, int(block.broadcast_address) - 2):
        if endpoints.get((vpc_id, IPv4Address(number)), instance.key) == instance.key:
            return IPv4Address(number)
    return Refusal(
        Rule.BINDING,
        f"instance {instance.instance_id}",
        f"vSwitch {vswitch.vswitch_id} ({block}) has no free address",
        "bind it to a larger vSwitch",
        ("binding", "vswitch_id"),
    )


def endpoint_refusals(
    instance: Instance, binding: Binding, endpoints: Mapping[tuple[str, IPv4Address], InstanceKey]
) -> Iterator[Refusal]:
    """Whether another instance has the endpoint address already."""
    owner = endpoints.get((binding.vpc_id, binding.address), instance.key)
    if owner != instance.key:
        yield Refusal(
            Rule.UNIQUE,
            f"instance {instance.instance_id}",
            f"{binding.address} is already the endpoint of instance {owner[1]}",
            "take another address, or leave `address` out",
            ("binding", "address"),
        )


def group_refusals(
    group: Group, instances: Mapping[InstanceKey, Instance], suffix: Name
) -> Iterator[Refusal]:
    """Rules 1, 2, 6 and 9 on one group; whether its custom domains are free is for the caller."""
    subject = f"group {group.group_id}"
    if not GROUP_ID.fullmatch(group.group_id):
        yield Refusal(
            Rule.DOMAIN_NAME,
            subject,
            "a group_id is 32 lower-case hexadecimal digits",
            "copy it from the console, e.g. 523e8dc7bbe04613b5b1d726c2a7889d",
            ("group_id",),
        )
    elif len(group.vpc_domain_label) > MAX_LABEL or _domain_length(group, suffix) > MAX_NAME:
        yield Refusal(
            Rule.DOMAIN_NAME,
            subject,
            f"its VPC domain's first label would be longer than {MAX_LABEL} octets",
            "use a shorter region_id",
            ("region_id",),
        )
    instance = instances.get(group.instance_key)
    if instance is None:
        what = f"instance {group.instance_id} in {group.region_id}"
        yield missing(Rule.ONE_INSTANCE, subject, what, "instances", ("instance_id",))
        return
    if instance.type is InstanceType.SERVERLESS and group.custom_domains:
        yield custom_domain_on_serverless(subject, instance.instance_id)
    if instance.type is InstanceType.DEDICATED and group.vpc_domain and instance.binding is None:
        yield Refusal(
            Rule.BOUND_BEFORE_ENABLED,
            subject,
            f"its VPC domain is on, but dedicated instance {instance.instance_id} is not bound to a VPC",
            f"bind {instance.instance_id} first, or leave the VPC domain off",
            ("vpc_domain",),
        )


def custom_domain_on_serverless(subject: str, instance_id: str) -> Refusal:
    return Refusal(
        Rule.CUSTOM_DOMAIN,
        subject,
        f"custom domains do not reach serverless instance {instance_id}",
        "move the group to a dedicated instance, or remove its custom domains",
        ("custom_domains",),
    )


def custom_domain_refusals(
    name: Name, subject: str, suffix: Name, owner: str | None, where: tuple[str | int, ...] = ()
) -> Iterator[Refusal]:
    """Whether `name` may be a custom domain; `owner` is the group that has it already."""
    if owner is not None:
        yield Refusal(
            Rule.UNIQUE,
            subject,
            f"custom domain {name} belongs to group {owner} already",
            "remove it there, or here",
            where,
        )
    if len(name) < (2 if name.is_wildcard else 1) or b"*" in name.labels[1:]:
        yield Refusal(
            Rule.CUSTOM_DOMAIN,
            subject,
            f"{name} is no custom domain",
            "write a host name such as api.example.com, or *.example.com",
            where,
        )
    formed = recognise(name, suffix)
    if formed is not None and formed.form is Form.SEARCH_EXPANDED:
        yield Refusal(
            Rule.CUSTOM_DOMAIN,
            subject,
            f"custom domain {name} is a VPC domain with a search domain behind it, which never resolves",
            "take a name without the VPC domain in it",
            where,
        )
    for taken in (suffix, VPCDNS_INTERNAL):
        if name.is_at_or_below(taken):
            yield Refusal(
                Rule.CUSTOM_DOMAIN,
                subject,
                f"custom domain {name} lies under {taken}, whose names are not given away",
                "take a domain of your own",
                where,
            )


def missing(rule: Rule, subject: str, what: str, section: str, where: tuple[str | int, ...]) -> Refusal:
    """A reference to something that is not there."""
    return Refusal(rule, subject, f"there is no {what}", f"add it under `{section}`, or mend the id", where)


def duplicate(what: str, where: tuple[str | int, ...]) -> Refusal:
    """A second object under an id that must be unique."""
    return Refusal(Rule.UNIQUE, what, "it is there twice", "give each its own id, or remove one", where)


def is_reserved(address: IPv4Address, block: IPv4Network) -> bool:
    """Whether it is a vSwitch's first address or one of its last three (DESIGN §2)."""
    number = int(address)
    return number == int(block.network_address) or number > int(block.broadcast_address) - 3


def _domain_length(group: Group, suffix: Name) -> int:
    return 1 + len(group.vpc_domain_label) + len(suffix.wire())


def _ends(connection: Connection) -> tuple[str, ...]:
    match connection:
        case IpsecConnection():
            return connection.vpc_id, connection.network_id
        case CenConnection():
            return connection.attachments
