"""The rules of DESIGN §1 on instances and groups; configuration and changes obey the same ones.

Each function yields a Refusal for every way in which an object breaks a rule, given what is around
it. Knows nothing of files or of HTTP: `where` names the field, and the caller knows the place.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.model.gateway import GROUP_ID, SHARED_SPACE, Binding, Group, Instance, InstanceKey, InstanceType
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.model.rules import Refusal, Rule, missing
from vpcdns.model.topology import Topology, VSwitch
from vpcdns.model.vpc_domains import Form, recognise

VPCDNS_INTERNAL: Final = Name((b"vpcdns", b"internal"))
WHOAMI: Final = Name((b"whoami", b"vpcdns", b"internal"))


def instance_refusals(instance: Instance, topology: Topology) -> Iterator[Refusal]:
    """Rules 3 and 4 on one instance; whether its endpoint address is free is for `endpoint_refusals`."""
    subject = f"instance {instance.instance_id}"
    if instance.type is InstanceType.SERVERLESS:
        for index, address in enumerate(instance.addresses):
            if address not in SHARED_SPACE:
                problem = f"{address} is not in {SHARED_SPACE}"
                way_out = "give a shared address, e.g. 100.100.80.10"
                yield Refusal(Rule.SHARED_ADDRESS, subject, problem, way_out, ("addresses", index))
        if not instance.addresses:
            way_out = "give it `addresses: [100.…]`"
            yield Refusal(Rule.SHARED_ADDRESS, subject, "it has no address", way_out, ("addresses",))
    elif instance.addresses:
        problem = "a dedicated instance has no shared addresses"
        way_out = "give its private endpoint as `binding.address`"
        yield Refusal(Rule.SHARED_ADDRESS, subject, problem, way_out, ("addresses",))
    if instance.binding is not None:
        yield from binding_refusals(instance, instance.binding, topology)


def binding_refusals(instance: Instance, binding: Binding, topology: Topology) -> Iterator[Refusal]:
    """Whether an instance may be bound so; not whether the address is free."""
    vswitch = vswitch_for(instance, binding.vpc_id, binding.vswitch_id, topology)
    if isinstance(vswitch, Refusal):
        yield vswitch
        return
    subject, where, block = f"instance {instance.instance_id}", ("binding", "address"), vswitch.cidr_block
    if binding.address not in block:
        problem = f"{binding.address} is not in {binding.vswitch_id}'s block {block}"
        way_out = "take an address of the vSwitch, or leave `address` out"
        yield Refusal(Rule.BINDING, subject, problem, way_out, where)
    elif is_reserved(binding.address, block):
        problem = f"{binding.address} is reserved: {block}'s first and last three addresses are the cloud's"
        yield Refusal(Rule.BINDING, subject, problem, "take another address, or leave `address` out", where)


def vswitch_for(instance: Instance, vpc_id: str, vswitch_id: str, topology: Topology) -> VSwitch | Refusal:
    """The vSwitch that `instance` is to be bound to, when rule 4 lets it."""
    subject = f"instance {instance.instance_id}"
    if instance.type is InstanceType.SERVERLESS:
        problem = "a serverless instance cannot be bound: it answers every VPC of its region"
        way_out = "bind a dedicated instance, and migrate the groups to it"
        return Refusal(Rule.BINDING, subject, problem, way_out, ("binding",))
    vpc = topology.vpcs.get(vpc_id)
    if vpc is None:
        return missing(Rule.BINDING, subject, f"VPC {vpc_id}", "vpcs", ("binding", "vpc_id"))
    if vpc.region_id != instance.region_id:
        problem = f"it is in {instance.region_id}, but VPC {vpc_id} is in {vpc.region_id}"
        way_out = f"bind it to a VPC of {instance.region_id}, and reach it from elsewhere over CEN"
        return Refusal(Rule.BINDING, subject, problem, way_out, ("binding", "vpc_id"))
    vswitch = vpc.vswitch(vswitch_id)
    if vswitch is None:
        known = ", ".join(vswitch.vswitch_id for vswitch in vpc.vswitches) or "none"
        problem = f"VPC {vpc_id} has no vSwitch {vswitch_id}"
        way_out = f"name one of its vSwitches ({known}), or add it to the VPC's `vswitches`"
        return Refusal(Rule.BINDING, subject, problem, way_out, ("binding", "vswitch_id"))
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
    problem = f"vSwitch {vswitch.vswitch_id} ({block}) has no free address"
    subject, where = f"instance {instance.instance_id}", ("binding", "vswitch_id")
    return Refusal(Rule.BINDING, subject, problem, "bind it to a larger vSwitch", where)


def endpoint_refusals(
    instance: Instance, binding: Binding, endpoints: Mapping[tuple[str, IPv4Address], InstanceKey]
) -> Iterator[Refusal]:
    """Whether another instance has the endpoint address already."""
    owner = endpoints.get((binding.vpc_id, binding.address), instance.key)
    if owner != instance.key:
        subject, where = f"instance {instance.instance_id}", ("binding", "address")
        problem = f"{binding.address} is already the endpoint of instance {owner[1]}"
        yield Refusal(Rule.UNIQUE, subject, problem, "take another address, or leave `address` out", where)


def group_refusals(
    group: Group,
    instances: Mapping[InstanceKey, Instance],
    suffix: Name,
    unbound: Rule = Rule.BOUND_BEFORE_ENABLED,
) -> Iterator[Refusal]:
    """Rules 1, 2, 6 (8 when it moves) and 9 on one group, but not whether its custom domains are free."""
    subject = f"group {group.group_id}"
    if not GROUP_ID.fullmatch(group.group_id):
        problem = "a group_id is 32 lower-case hexadecimal digits"
        way_out = "copy it from the console, e.g. 523e8dc7bbe04613b5b1d726c2a7889d"
        yield Refusal(Rule.DOMAIN_NAME, subject, problem, way_out, ("group_id",))
    elif len(group.vpc_domain_label) > MAX_LABEL or 1 + len(group.vpc_domain_label) + suffix.size > MAX_NAME:
        problem = f"its VPC domain's first label would be longer than {MAX_LABEL} octets"
        yield Refusal(Rule.DOMAIN_NAME, subject, problem, "use a shorter region_id", ("region_id",))
    instance = instances.get(group.instance_key)
    if instance is None:
        what = f"instance {group.instance_id} in {group.region_id}"
        yield missing(Rule.ONE_INSTANCE, subject, what, "instances", ("instance_id",))
        return
    if instance.type is InstanceType.SERVERLESS and group.custom_domains:
        problem = f"custom domains do not reach serverless instance {instance.instance_id}"
        way_out = "move the group to a dedicated instance, or remove its custom domains"
        yield Refusal(Rule.CUSTOM_DOMAIN, subject, problem, way_out, ("custom_domains",))
    if instance.type is InstanceType.DEDICATED and group.vpc_domain and instance.binding is None:
        problem = f"its VPC domain is on, but dedicated instance {instance.instance_id} is not bound to a VPC"
        way_out = f"bind {instance.instance_id} first, or switch the VPC domain off"
        yield Refusal(unbound, subject, problem, way_out, ("vpc_domain",))


def custom_domain_refusals(
    name: Name, subject: str, suffix: Name, owner: str | None, where: tuple[str | int, ...] = ()
) -> Iterator[Refusal]:
    """Whether `name` may be a custom domain; `owner` is the group that has it already."""
    if owner is not None:
        problem = f"custom domain {name} belongs to group {owner} already"
        yield Refusal(Rule.UNIQUE, subject, problem, "remove it there, or here", where)
    if len(name) < (2 if name.is_wildcard else 1) or b"*" in name.labels[1:]:
        way_out = "write a host name such as api.example.com, or *.example.com"
        yield Refusal(Rule.CUSTOM_DOMAIN, subject, f"{name} is no custom domain", way_out, where)
    formed = recognise(name, suffix)
    if formed is not None and formed.form is Form.SEARCH_EXPANDED:
        problem = f"custom domain {name} is a VPC domain with a search domain behind it, which never resolves"
        yield Refusal(Rule.CUSTOM_DOMAIN, subject, problem, "take a name without the VPC domain in it", where)
    for taken in (suffix, VPCDNS_INTERNAL):
        if name.is_at_or_below(taken):
            problem = f"custom domain {name} lies under {taken}, whose names are not given away"
            yield Refusal(Rule.CUSTOM_DOMAIN, subject, problem, "take a domain of your own", where)


def is_reserved(address: IPv4Address, block: IPv4Network) -> bool:
    """Whether it is a vSwitch's first address or one of its last three (DESIGN §2)."""
    number = int(address)
    return number == int(block.network_address) or number > int(block.broadcast_address) - 3
