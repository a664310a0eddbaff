"""What an address of the lab answers to a request, by its Host, as a gateway does. Pure.

The errors and their codes are those of "Error codes for API Gateway instances of the VPC type", 2025-02-27.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from itertools import islice
from typing import Final

from vpcdns.errors import MalformedName
from vpcdns.lab.parts import Listener
from vpcdns.model.gateway import Group, InstanceKey
from vpcdns.model.names import Name
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.world import World

HOST: Final = "host"
_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP response; `code` and `message` are the gateway's when it refuses a request."""

    text: str
    status: int = 200
    code: str = ""
    message: str = ""


def answer(node: str, listener: Listener, host: str, world: World) -> Answered:
    """What is answered at an address in a VPC or network to a request for `host`; "" is a request without."""
    where = f"at {listener.address} in {node}"
    if not listener.instances:
        return Answered(f"{HOST} {where}\n")
    labels = " ".join(label(key) for key in listener.instances)
    found = _group_of(host, world)
    if found is not None and found.instance_key in listener.instances:
        called = f"{found.name} ({found.group_id})" if found.name else found.group_id
        return Answered(f"{labels} {where}\ngroup {called}, as {host}\n")
    if not host:
        status, code, message = 400, "I400MH", "Header `Host` is Required"
    elif found is None:
        status, code, message = 404, "I404DO", f"Invalid Domain `{host}`"
    else:
        status, code, message = 410, "I410GG", "Group's instance invalid"
    lines = [f"{labels} {where}", f"{code}: {message}"]
    if found is not None:
        lines.append(f"{host} is a host of {label(found.instance_key)}")
    lines.append(f"hosts here: {_listed(listener.instances, world)}")
    return Answered("".join(f"{line}\n" for line in lines), status, code, message)


def label(key: InstanceKey) -> str:
    """How an answer names an instance."""
    return "/".join(key)


def speakers(text: str) -> list[str]:
    """Who says an answer: labels of instances, or HOST."""
    return text.partition(" at ")[0].split()


def certified_name(host: str, listener: Listener, world: World) -> str | None:
    """The name in the certificate for `host`, which may be a wildcard; None: no group has it here."""
    found = _group_of(host, world)
    if found is None or found.instance_key not in listener.instances:
        return None
    custom = world.custom_domains.match(Name.from_text(host))
    return str(world.vpc_domain(found) if custom is None else custom[0]).lower()


def _group_of(host: str, world: World) -> Group | None:
    """The group that a Host is for; a VPC domain has to be enabled."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
    if _is_address(name):
        return None
    try:
        asked = Name.from_text(name)
    except MalformedName:
        return None
    custom = world.custom_domains.match(asked)
    if custom is not None:
        return world.groups[custom[1]]
    group = group_at(asked, world)
    return group if group is not None and group.vpc_domain and world.vpc_domain(group) == asked else None


def _is_address(name: str) -> bool:
    try:
        return bool(IPv4Address(name))
    except AddressValueError:
        return False


def _listed(instances: tuple[InstanceKey, ...], world: World) -> str:
    hosts = list(islice(_hosts(instances, world), _LISTED + 1))
    return ", ".join(hosts[:_LISTED] + ["…"] * (len(hosts) > _LISTED)) or "none"


def _hosts(instances: tuple[InstanceKey, ...], world: World) -> Iterator[str]:
    for group in (group for key in instances for group in world.groups_on(key)):
        if group.vpc_domain:
            yield str(world.vpc_domain(group))
        yield from map(str, group.custom_domains)
