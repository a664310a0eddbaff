"""What the admin server answers to `GET /path` and `POST /plan`: values in, JSON-able values out. Pure.

Raises MalformedName, MalformedSource and MalformedChange for what cannot be read; the admin server turns them
into statuses.
"""

from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from vpcdns.errors import MalformedSource
from vpcdns.model.names import Name
from vpcdns.model.rendering import path_data
from vpcdns.model.routing import Path, path, source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.plan import plan
from vpcdns.rehearsal.plan_text import plan_data


def path_answer(world: World, name: str, source: str) -> dict[str, Any]:
    """`GET /path?name=NAME&from=SOURCE`: what `vpcdns path --json` prints."""
    return path_data(path_of(world, name, source))


def plan_answer(world: World, changes: Sequence[str]) -> dict[str, Any]:
    """`POST /plan` with `{"changes": ["bind …", …]}`: what `vpcdns plan --format json` prints.

    Nothing is changed. Over a million groups this takes seconds: run it in a thread; a World is immutable.
    """
    return plan_data(plan(world, changed(world, *changes)))


def path_of(world: World, name: str, source: str) -> Path:
    """The path from a vpc_id, a network_id or an address to a name or an IPv4 address."""
    found = source_of(source, world)
    if found is None:
        topology = world.topology
        known = ", ".join([*sorted(topology.vpcs)[:10], *sorted(topology.networks)[:10]]) or "none"
        raise MalformedSource(f"{source!r} is no VPC, network or address; there are: {known}")
    return path(found, _destination(name), world)


def _destination(text: str) -> Name | IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        return Name.from_text(text)
