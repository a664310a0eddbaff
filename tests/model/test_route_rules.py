"""What the cloud refuses of routes and attachments: by a configuration and by every later change alike."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, hybrid
from vpcdns.errors import ConfigurationError, MalformedChange
from vpcdns.model.changes import Refused
from vpcdns.model.topology import VSwitch
from vpcdns.model.topology_changes import CreateVSwitch
from vpcdns.rehearsal.change_text import changed

IDC = "{network_id: idc, "
AT_CEN = "attachments: [vpc-a, vpc-b, idc]"


def edited(old: str, new: str) -> str:
    assert old in CONFIGURATION
    return CONFIGURATION.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("[192.168.0.0/16]}", "[10.1.8.16/28]}", "connections[0].remote_subnets[0]", "rule vswitch-route"),
        ("[192.168.0.0/16]}", "[10.1.8.0/24]}", "connections[0].remote_subnets[0]", "a vSwitch of vpc-a"),
        ("[192.168.0.0/16]}", "[0.0.0.0/0]}", "connections[0].remote_subnets[0]", "rule service-space"),
        ("[192.168.0.0/16]}", "[100.96.0.0/11]}", "connections[0].remote_subnets[0]", "would break"),
        (
            "[192.168.0.0/16]}",
            "[0.0.0.0/0], destination_routes: [192.168.0.0/16, 100.0.0.0/8]}",
            "connections[0].destination_routes[1]",
            "rule service-space",
        ),
        (
            "cidr_block: 10.1.8.0/24}]",
            "cidr_block: 10.1.8.0/24}], routes: [{destination: 10.1.8.20/32, via: vpn-1}]",
            "vpcs[0].routes[0].destination",
            "rule vswitch-route",
        ),
        (
            "cidr_block: 10.1.8.0/24}]",
            "cidr_block: 10.1.8.0/24}], routes: [{destination: 100.100.80.0/24, via: cen-1}]",
            "vpcs[0].routes[0].destination",
            "rule service-space",
        ),
        (
            "cidr_block: 10.2.8.0/24}]",
            "cidr_block: 10.2.8.0/24}], routes: [{destination: 10.9.0.0/16, via: vpn-1}]",
            "vpcs[1].routes[0].via",
            "does not join it",
        ),
        (AT_CEN, "edition: basic, attachments: [vpc-a, {network_id: idc, kind: vpn}]",
         "connections[1].attachments[1].kind", "rule edition"),
        (AT_CEN, "attachments: [{network_id: vpc-a}]",
         "connections[1].attachments[0].network_id", "is a VPC"),
        (AT_CEN, "attachments: [idc, {network_id: idc}]", "connections[1].attachments[1]", "rule unique"),
        (AT_CEN, "attachments: [vpc-a, {network_id: idc, kind: vlan}]",
         "connections[1].attachments[1].kind", "is not one of"),
        (AT_CEN, "attachments: [vpc-a, {network: idc}]",
         "connections[1].attachments[1].network", "unknown key"),
        (AT_CEN, "edition: basic, attachments: [vpc-a], routes: [{destination: 10.9.0.0/16, via: vpc-a}]",
         "connections[1].routes[0]", "rule edition"),
        (AT_CEN, "attachments: [vpc-a], routes: [{destination: 10.9.0.0/16, via: vpc-b}]",
         "connections[1].routes[0].via", "add vpc-b to `attachments`"),
        (
            "resolves_as: vpc-a,",
            "resolves_as: vpc-a, resolves_through: {vpc_id: vpc-a, via: vpn-1},",
            "networks[0].resolves_as",
            "remove one of them",
        ),
        ("resolves_as: vpc-a,", "resolves_through: {vpc_id: vpc-x, via: vpn-1},",
         "networks[0].resolves_through.vpc_id", "rule 10"),
        ("resolves_as: vpc-a,", "resolves_through: {vpc_id: vpc-a, via: vpn-9},",
         "networks[0].resolves_through.via", "rule reference"),
        ("resolves_as: vpc-a,",
         "resolves_through: {vpc_id: vpc-a, via: inbound_endpoint, address: 10.1.9.1},",
         "networks[0].resolves_through.address", "in no vSwitch"),
        ("resolves_as: vpc-a,",
         "resolves_through: {vpc_id: vpc-a, via: inbound_endpoint, address: 10.1.8.255},",
         "networks[0].resolves_through.address", "reserved by the cloud"),
        ("resolves_as: vpc-a,", "resolves_through: {vpc_id: vpc-a, via: vpn-1, address: 10.1.8.1},",
         "networks[0].resolves_through.address", "write `via: inbound_endpoint`"),
    ],
)  # fmt: skip
def test_a_configuration_is_refused(old: str, new: str, where: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        hybrid(edited(old, new))
    assert f"{where}: " in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("selectors vpn-1 - 10.1.8.0/25", "rule vswitch-route"),
        ("selectors vpn-1 - 100.100.0.0/16", "rule service-space"),
        ("destinations vpn-1 0.0.0.0/0", "rule service-space"),
        ("route vpc-a 10.1.8.0/24 vpn-1", "rule vswitch-route"),
        ("route vpc-a 100.64.0.0/10 vpn-1", "rule service-space"),
        ("route cen-1 10.9.0.0/16 vpc-c", "rule reference"),
        ("route vpn-1 10.9.0.0/16 vpc-a", "there is no network, VPC or CEN vpn-1"),
        ("unroute vpc-a 10.9.0.0/16", "there is no route to 10.9.0.0/16 at vpc-a"),
        ("resolve-through idc vpc-a cen-9", "there is no connection cen-9"),
        ("attach cen-1 vpc-c vbr", "write its id alone"),
        ("attach cen-1 idc leased", "is not one of vbr, ccn, vpn"),
        ("publish vpn-1 tgw", "is not one of vpc, cen"),
        ("publish cen-1 vpc", "there is no IPsec connection cen-1"),
    ],
)
def test_a_change_is_refused(change: str, said: str) -> None:
    with pytest.raises(MalformedChange) as refused:
        changed(hybrid(), change)
    assert said in str(refused.value)


def test_a_vswitch_may_not_swallow_a_route() -> None:
    world = changed(hybrid(), "selectors vpn-1 - 10.1.32.0/28,192.168.0.0/16")
    for block, is_good in (("10.1.32.0/24", False), ("10.1.32.0/28", False), ("10.1.64.0/24", True)):
        change = CreateVSwitch("vpc-a", VSwitch("vsw-x", IPv4Network(block)))
        if is_good:
            change.changed(world)
        else:
            with pytest.raises(Refused, match="vswitch-route"):
                change.changed(world)


def test_a_route_may_hold_a_vswitch() -> None:
    world = changed(hybrid(), "route vpc-a 10.1.0.0/16 vpn-1", "selectors vpn-1 - 10.0.0.0/8")
    assert world.topology.vpcs["vpc-a"].routes
