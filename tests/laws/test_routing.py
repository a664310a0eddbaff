"""Laws of routing: route tables against a scan, and paths that never fail or run on."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from tests.support.topology_strategies import NETWORKS, VPCS, names, topologies, worlds
from vpcdns.model.connections import CenConnection, IpsecConnection
from vpcdns.model.prefix_table import Entry
from vpcdns.model.route_tables import route_tables
from vpcdns.model.routing import path, source_of
from vpcdns.model.topology import Topology
from vpcdns.model.way import Verdict
from vpcdns.model.world import World

ADDRESSES = st.one_of(
    st.integers(0, 0xFFFFFFFF).map(IPv4Address),
    st.sampled_from(["10.1.8.1", "10.1.0.5", "192.168.0.5", "100.100.80.10", "10.3.255.255"]).map(
        IPv4Address
    ),
)


@given(topologies(), ADDRESSES, ADDRESSES)
def test_a_match_is_the_longest_entry_of_the_table_written_out(
    topology: Topology, address: IPv4Address, source: IPv4Address
) -> None:
    tables = route_tables(topology)
    for node in (*VPCS, *NETWORKS):
        holding = [entry for entry in tables.entries(node) if address in entry.destination]
        longest = max(holding, key=lambda entry: entry.destination.prefixlen, default=None)
        found = tables.match(node, address, source)
        by_vpn = longest is not None and isinstance(
            topology.connections.get(str(longest.target)), IpsecConnection
        )
        if by_vpn and node in VPCS and longest and (tunnel := tables.tunnel(node, source, address)):
            longest = Entry(longest.destination, tunnel)  # which one, its VPN gateway says
        assert found == longest
        for cen in topology.connections.values():
            if isinstance(cen, CenConnection):
                passing = [entry for entry in tables.crossings(cen, node) if address in entry.destination]
                best = max(passing, key=lambda entry: entry.destination.prefixlen, default=None)
                assert tables.cross(cen, node, address) == best


@given(worlds())
def test_every_path_has_a_verdict_and_every_problem_a_remedy(world: World) -> None:
    for node in (*VPCS, *NETWORKS):
        source = source_of(node, world)
        assert source is not None
        for name in names(world):
            found = path(source, name, world)
            assert found == path(source, name, world)
            assert (found.verdict is Verdict.REACHABLE) == (not found.problems)
            if found.problems:
                assert found.verdict is found.problems[0].code
            assert all(problem.detail and problem.remedy for problem in found.problems)
            assert len(found.there + found.back) < 40
            if found.reachable:
                assert found.there[0].at == node
                assert found.back[-1].at == node
