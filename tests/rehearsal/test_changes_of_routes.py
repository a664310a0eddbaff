"""Each change of routes in words: what a plan says of it, and that a step of a scenario makes it."""

from __future__ import annotations

import pytest

from vpcdns.config import loads
from vpcdns.errors import MalformedChange
from vpcdns.rehearsal.change_text import changed, usage
from vpcdns.rehearsal.plan import plan

START = """
forward: {upstreams: []}
vpcs:
  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]}
  - {vpc_id: vpc-b, region_id: cn-shanghai, cidr_blocks: [10.2.0.0/16]}
networks:
  - {network_id: idc, cidr_blocks: [192.168.0.0/24], resolves_through: {vpc_id: vpc-a, via: vpn-1},
     routes: [{destination: 10.1.0.0/16, via: vpn-1}, {destination: 100.64.0.0/10, via: vpn-1}]}
  - {network_id: branch, cidr_blocks: [192.168.1.0/24], resolves_as: vpc-a,
     routes: [{destination: 10.0.0.0/8, via: tr-1}, {destination: 100.64.0.0/10, via: tr-1}]}
  - {network_id: shop, cidr_blocks: [192.168.2.0/24], resolves_as: vpc-a,
     routes: [{destination: 10.1.0.0/16, via: cen-1}, {destination: 100.64.0.0/10, via: cen-1}]}
connections:
  - {connection_id: vpn-1, type: ipsec, vpc_id: vpc-a, network_id: idc, local_subnets: [0.0.0.0/0],
     remote_subnets: [0.0.0.0/0], destination_routes: [192.168.0.0/24]}
  - {connection_id: tr-1, type: cen, attachments: [vpc-a, vpc-b, branch],
     routes: [{destination: 100.100.80.0/24, via: vpc-a}]}
  - {connection_id: cen-1, type: cen, edition: basic,
     attachments: [vpc-a, {network_id: shop, region_id: cn-hangzhou}],
     service_routes: [{host: 100.100.80.0/24, host_vpc_id: vpc-a, access: [shop]}]}
instances:
  - {instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.100.80.10]}
  - {instance_id: gw, type: dedicated, region_id: cn-hangzhou,
     binding: {vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}}
groups:
  - {group_id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, instance_id: shared, vpc_domain: true}
  - {group_id: dddddddddddddddddddddddddddddddd, instance_id: gw, vpc_domain: true}
"""
WORLD = loads(START).world
CHANGES = [
    (["cut vpn-1"], 2, 0),
    (["cut cen-1"], 2, 0),
    (["unroute idc 100.64.0.0/10"], 2, 0),  # by which its queries go
    (["unroute tr-1 100.100.80.0/24"], 1, 0),
    (["unroute tr-1 100.100.80.0/24", "route tr-1 100.100.80.10/32 vpc-a"], 0, 0),
    (["destinations vpn-1 192.168.7.0/24"], 2, 0),
    (["destinations vpn-1 192.168.7.0/24", "destinations vpn-1 192.168.0.0/24"], 0, 0),
    (["selectors vpn-1 10.1.0.0/16 -"], 2, 0),
    (["unpublish vpn-1 vpc"], 2, 0),
    (["unpublish vpn-1 vpc", "route vpc-a 192.168.0.0/24 vpn-1"], 0, 0),
    (["publish vpn-1 cen"], 0, 0),  # nobody behind the CENs asks for anything of the idc's
    (["detach tr-1 branch"], 2, 0),
    (["attach cen-1 shop vbr cn-shanghai"], 1, 0),  # Basic Edition: not the region of the service
    (["attach cen-1 shop vbr cn-shanghai", "edition cen-1 enterprise"], 0, 0),
    (["service-unroute cen-1 100.100.80.0/24"], 1, 0),
    (["service-unroute cen-1 100.100.80.0/24", "service-route cen-1 100.100.80.10/32 vpc-a shop"], 0, 0),
    (["resolve-as idc -"], 2, 0),
    (["resolve-through idc vpc-a inbound_endpoint 10.1.8.53"], 0, 0),
    (["resolve-through branch vpc-a tr-1"], 2, 0),  # no route of it leads to the resolvers
    (["create-vswitch vpc-a vsw-pods 10.1.9.0/24"], 0, 0),
]


@pytest.mark.parametrize(("changes", "lost", "gained"), CHANGES, ids=[" + ".join(one[0]) for one in CHANGES])
def test_a_plan_says_whom_a_change_of_routes_affects(changes: list[str], lost: int, gained: int) -> None:
    after = changed(WORLD, *changes)
    found = plan(WORLD, after)
    assert (found.lost, found.gained) == (lost, gained)
    back = plan(after, WORLD)
    assert (back.lost, back.gained) == (gained, lost)
    for section in found.sections:
        for row in section.rows:
            assert row.after.reachable or row.after.why, "who loses hears why"


def test_every_change_of_routes_is_among_these() -> None:
    words = {change.partition(" ")[0] for changes, _, _ in CHANGES for change in changes}
    others = ("bind", "unbind", "enable", "disable", "migrate", "-group", "-domain", "delete-vswitch")
    verbs = {form.partition(" ")[0] for form in usage()}
    assert {one for one in verbs if not one.endswith(others)} == words


def test_a_vswitch_that_is_bound_to_is_not_deleted() -> None:
    with pytest.raises(MalformedChange, match="instance gw is bound to it"):
        changed(WORLD, "delete-vswitch vpc-a vsw-a")
    after = changed(WORLD, "create-vswitch vpc-a vsw-x 10.1.9.0/24", "delete-vswitch vpc-a vsw-x")
    assert after.topology.vpcs["vpc-a"].vswitches == WORLD.topology.vpcs["vpc-a"].vswitches


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("edition cen-1 gold", "`gold` is not one of basic, enterprise"),
        ("edition tr-1 basic", "and is Basic Edition; use `service_routes` for cloud services"),
        ("service-unroute cen-1 100.99.0.0/16", "there is no service route to 100.99.0.0/16 at cen-1"),
        ("attach tr-1 branch vpn Nowhere!", "'Nowhere!' is no region; write one such as cn-hangzhou"),
        ("create-vswitch vpc-a 'a b' 10.1.9.0/24", "vswitch_id"),
    ],
)
def test_what_cannot_be_is_said_with_the_way_out(change: str, said: str) -> None:
    with pytest.raises(MalformedChange) as refused:
        changed(WORLD, change)
    assert said in str(refused.value)
