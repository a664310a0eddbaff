"""Changes in words, for command lines and scenario files: `bind INSTANCE VPC VSWITCH [ADDRESS]`.

Knows how each change is written and which object a word means; the change itself is the model's.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

from vpcdns.config import check_expressible, is_region_id
from vpcdns.errors import MalformedChange, MalformedName
from vpcdns.model import changes, route_changes, topology_changes
from vpcdns.model.gateway import Group, InstanceKey
from vpcdns.model.names import Name
from vpcdns.model.topology import VSwitch
from vpcdns.model.world import World

MAX_TEXT: Final = 4_000  # characters; shlex takes time that grows with the square of a word's length


def changed(world: World, *texts: str) -> World:
    """The World after changes in words; raises MalformedChange when one cannot be read or made."""
    for text in texts:
        try:
            world = replace(read_change(text, world)(world), revision=world.revision + 1)
        except changes.Refused as refused:
            raise MalformedChange(f"{text}: {refused}") from None
    return world


def read_change(text: str, world: World) -> Callable[[World], World]:
    """Reads a change; raises MalformedChange. `world` says which region an instance is in."""
    if len(text) > MAX_TEXT:
        raise MalformedChange(f"{text[:40]!r}…: a change has at most {MAX_TEXT} characters")
    try:
        verb, *words = shlex.split(text) or [""]
    except ValueError as error:
        raise MalformedChange(f"{text!r} cannot be read: {error}") from None
    if verb not in _FORMS:
        raise MalformedChange(f"{text!r} is not a change; the changes are: {', '.join(_FORMS)}")
    form, make = _FORMS[verb]
    kinds, optional = re.findall(r"[^][ ]+", form), form.count("[")
    if not len(kinds) - optional <= len(words) <= len(kinds):
        raise MalformedChange(f"{text!r}: {verb} takes other words; write: {verb} {form}")
    try:
        values = [_READ.get(kind, _as_it_is)(word, world) for kind, word in zip(kinds, words, strict=False)]
        if not isinstance(make, type):
            return lambda before: make(before, *values)
        change: changes.Change = make(*values)
        check_expressible(change)
    except (ValueError, MalformedName) as error:
        raise MalformedChange(f"{text!r}: {error}; write: {verb} {form}") from None
    return change.changed


def usage() -> list[str]:
    """Every form, one a line."""
    return [f"{verb} {form}" for verb, (form, _) in _FORMS.items()]


def _instance(word: str, world: World) -> InstanceKey:
    """`INSTANCE`, or `REGION/INSTANCE` where several regions have one of that id."""
    if "/" in word:
        region_id, instance_id = word.split("/", 1)
        return region_id, instance_id
    regions = [key[0] for key in world.instances if key[1] == word]
    if len(regions) == 1:
        return regions[0], word
    if regions:
        raise ValueError(f"instance {word} is in {', '.join(regions)}; write REGION/{word}")
    raise ValueError(f"there is no instance {word}")


def _group(word: str, world: World) -> str:
    """A group_id, or the name of the only group of that name."""
    if word in world.groups:
        return word
    named = [group.group_id for group in world.groups.values() if group.name == word]
    if len(named) == 1:
        return named[0]
    if named:
        raise ValueError(f"{len(named)} groups are called {word}; give the group_id")
    return word


def _create_group(world: World, group_id: str, instance: InstanceKey, name: str = "") -> World:
    change = changes.CreateGroup(Group(group_id, instance[1], instance[0], name))
    check_expressible(change)
    return change.changed(world)


def _create_vswitch(world: World, vpc_id: str, vswitch_id: str, block: IPv4Network) -> World:
    change = topology_changes.CreateVSwitch(vpc_id, VSwitch(vswitch_id, block))
    check_expressible(change)
    return change.changed(world)


def _region(word: str, _: World) -> str:
    if not is_region_id(word):
        raise ValueError(f"{word!r} is no region; write one such as cn-hangzhou")
    return word


def _blocks(word: str, _: World) -> tuple[IPv4Network, ...] | None:
    return None if word == "-" else tuple(IPv4Network(block) for block in word.split(","))


def _one_of(word: str, *words: str) -> str:
    if word not in words:
        raise ValueError(f"`{word}` is not one of {', '.join(words)}")
    return word


def _as_it_is(word: str, _: World) -> str:
    return word


# What a word of a form means; others are ids, taken as they are: the rules say whether there is such a thing.
_READ: Final[dict[str, Callable[[str, World], Any]]] = {
    "INSTANCE": _instance,
    "TARGET": lambda word, _: word.rpartition("/")[2],  # in the group's region
    "GROUP": _group,
    "DOMAIN": lambda word, _: Name.from_text(word),
    "ADDRESS": lambda word, _: IPv4Address(word),
    "DESTINATION": lambda word, _: IPv4Network(word),
    "HOST": lambda word, _: IPv4Network(word),
    "LOCAL,…": _blocks,
    "REMOTE,…": _blocks,
    "BLOCK,…": _blocks,
    "BLOCK": lambda word, _: IPv4Network(word),
    "basic|enterprise": lambda word, _: _one_of(word, "basic", "enterprise"),
    "vpc|cen": lambda word, _: _one_of(word, "vpc", "cen"),
    "vbr|ccn|vpn": lambda word, _: _one_of(word, "vbr", "ccn", "vpn"),
    "REGION": _region,
    "ACCESS,…": lambda word, _: tuple(word.split(",")),
    "VPC|-": lambda word, _: None if word == "-" else word,
}
_FORMS: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    "bind": ("INSTANCE VPC VSWITCH [ADDRESS]", changes.Bind),
    "unbind": ("INSTANCE", changes.Unbind),
    "enable": ("GROUP", changes.EnableVpcDomain),
    "disable": ("GROUP", changes.DisableVpcDomain),
    "create-group": ("GROUP_ID INSTANCE [NAME]", _create_group),
    "delete-group": ("GROUP", changes.DeleteGroup),
    "migrate": ("GROUP TARGET", changes.MigrateGroup),
    "add-domain": ("GROUP DOMAIN", changes.AddCustomDomain),
    "remove-domain": ("GROUP DOMAIN", changes.RemoveCustomDomain),
    "route": ("OWNER DESTINATION VIA", route_changes.add_route),
    "unroute": ("OWNER DESTINATION", route_changes.remove_route),
    "cut": ("CONNECTION", route_changes.cut_connection),
    "selectors": ("IPSEC LOCAL,… REMOTE,…", route_changes.set_selectors),
    "destinations": ("IPSEC BLOCK,…", route_changes.set_destination_routes),
    "publish": ("IPSEC vpc|cen", route_changes.publish),
    "unpublish": ("IPSEC vpc|cen", route_changes.unpublish),
    "attach": ("CEN VPC-OR-NETWORK [vbr|ccn|vpn] [REGION]", route_changes.attach),
    "detach": ("CEN VPC-OR-NETWORK", route_changes.detach),
    "service-route": ("CEN HOST VPC ACCESS,…", route_changes.add_service_route),
    "service-unroute": ("CEN HOST", route_changes.remove_service_route),
    "edition": ("CEN basic|enterprise", route_changes.set_edition),
    "create-vswitch": ("VPC VSWITCH BLOCK", _create_vswitch),
    "delete-vswitch": ("VPC VSWITCH", topology_changes.DeleteVSwitch),
    "resolve-as": ("NETWORK VPC|-", route_changes.resolve_as),
    "resolve-through": ("NETWORK VPC CONNECTION|inbound_endpoint [ADDRESS]", route_changes.resolve_through),
}
