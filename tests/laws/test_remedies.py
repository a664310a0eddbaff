"""Law: the remedy that comes first helps. Who follows it to the letter no longer has that problem."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from hypothesis import given

from tests.support.topology_strategies import NETWORKS, VPCS, names, worlds
from vpcdns.errors import MalformedChange
from vpcdns.model.connections import IpsecConnection
from vpcdns.model.route_rules import connection_refusals
from vpcdns.model.routing import path, source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed


def selectors(world: World, block: str, side: str, name: str) -> str:
    ipsec = world.topology.connections[name]
    assert isinstance(ipsec, IpsecConnection)
    longer = ",".join([*map(str, getattr(ipsec, side)), block])
    return f"selectors {name} {longer} -" if side == "local_subnets" else f"selectors {name} - {longer}"


def destinations(world: World, block: str, name: str) -> str:
    ipsec = world.topology.connections[name]
    assert isinstance(ipsec, IpsecConnection)
    return f"destinations {name} {','.join([*map(str, ipsec.destination_routes), block])}"


# What a remedy tells to do, as a change. Those that renumber or connect are nothing that words can do.
MADE: Final[list[tuple[str, Callable[..., str]]]] = [
    (r"add the route (\S+) via (\S+) to (\S+)", lambda _, block, via, node: f"route {node} {block} {via}"),
    (r"add (\S+) to (local_subnets|remote_subnets) of (\S+), at both of its ends", selectors),
    (r"add (\S+) to destination_routes of (\S+)", destinations),
    (r"attach (\S+) to (\S+)", lambda _, node, cen: f"attach {cen} {node}"),
    (r"add a static route to (\S+) via (\S+) to (\S+)", lambda _, to, via, cen: f"route {cen} {to} {via}"),
    (
        r"add a service route to (\S+) through (\S+), open to (\S+), to (\S+)",
        lambda _, host, vpc, node, cen: f"service-route {cen} {host} {vpc} {node}",
    ),
    (r"publish the routes of (\S+) to \S+ \(`publish_vpc`\).*", lambda _, name: f"publish {name} vpc"),
    (r"publish the routes of \S+ via (\S+) to \S+ \(`publish_cen`\)", lambda _, n: f"publish {n} cen"),
]


def breaks_rules(world: World) -> bool:
    """Random connections may lead into the shared space, say, which no configuration may have."""
    topology = world.topology
    return any(any(connection_refusals(one, topology)) for one in topology.connections.values())


def made(remedy: str, world: World) -> str | None:
    for form, change in MADE:
        if found := re.fullmatch(form, remedy):
            return change(world, *found.groups())
    return None


@given(worlds())
def test_the_first_remedy_takes_the_first_problem_away(world: World) -> None:
    for node in (*VPCS, *NETWORKS):
        for name in names(world):
            source = source_of(node, world)
            assert source is not None
            found = path(source, name, world)
            change = made(found.problems[0].remedy, world) if found.problems else None
            if change is None:
                continue
            try:
                after = changed(world, change)
            except MalformedChange:
                assert breaks_rules(world), (change, found.problems)
                continue
            source = source_of(node, after)
            assert source is not None
            problems = [(one.code, one.detail) for one in path(source, name, after).problems]
            first = found.problems[0]
            assert (first.code, first.detail) not in problems, (change, found.problems)
