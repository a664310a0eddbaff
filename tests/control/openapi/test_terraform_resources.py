"""What Terraform does with each resource: apply, plan again, import, update, destroy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import terraform_gateway_resources as gateway
from tests.support import terraform_resources as networks
from tests.support import terraform_zone_resources as zones
from tests.support.cloud_api import Cloud
from tests.support.example_world import BOUND, HZ, SH, VPC_A, VPC_B, VPC_C
from tests.support.terraform_provider import Provider
from tests.support.terraform_resources import Resource, State
from vpcdns.state import State as Kept
from vpcdns.state.journal_rows import Snapshot, parse_snapshot, snapshot_text


@dataclass
class Life:
    """A resource, its configuration, and what that is changed to, one after the other."""

    kind: Callable[[Provider], Resource]
    config: State
    changes: list[State] = field(default_factory=list)
    zone: str = ""  # made first, and its id is the resource's `zone_id`

    def __str__(self) -> str:
        return f"{self.kind.__name__}-{len(self.config)}"


NAMED = {"cidr_block": "10.60.0.0/16", "vpc_name": "shop", "description": "all of it"}
LIVES = [
    Life(networks.Vpc, {"cidr_block": "10.60.0.0/16"}),
    Life(
        networks.Vpc,
        {
            **NAMED,
            "tags": {"team": "dns", "env": "test"},
            "user_cidrs": ["106.11.62.0/24", "106.11.63.0/24"],
            "resource_group_id": "rg-1",
            "dns_hostname_status": "ENABLED",
            "system_route_table_name": "main",
            "system_route_table_description": "of the shop",
        },
        [
            {"vpc_name": "store"},
            {"description": ""},
            {"tags": {"team": "web"}},
            {"tags": {}},
            {"dns_hostname_status": "DISABLED"},
            {"resource_group_id": "rg-2"},
            {"system_route_table_name": "other", "system_route_table_description": ""},
            {"system_route_table_route_propagation_enable": False},
            {"enable_ipv6": True},
            {"cidr_block": "10.60.0.0/17"},
            {"secondary_cidr_blocks": ["10.70.0.0/16", "192.168.64.0/20"]},
            {"secondary_cidr_blocks": ["192.168.64.0/20", "10.71.0.0/16"]},
            {"secondary_cidr_blocks": []},
        ],
    ),
    Life(networks.VSwitch, {"cidr_block": "10.1.64.0/24", "vpc_id": VPC_A, "zone_id": "cn-hangzhou-i"}),
    Life(
        networks.VSwitch,
        {
            "cidr_block": "10.1.64.0/24",
            "vpc_id": VPC_A,
            "zone_id": "cn-hangzhou-i",
            "vswitch_name": "one",
            "description": "first",
            "tags": {"a": "1", "b": ""},
        },
        [{"vswitch_name": "two"}, {"description": ""}, {"tags": {"a": "2"}}, {"tags": {}}],
    ),
    Life(
        gateway.Instance,
        {
            "instance_name": "mine",
            "instance_spec": "api.s1.small",
            "https_policy": "HTTPS2_TLS1_0",
            "payment_type": "PayAsYouGo",
            "zone_id": "cn-hangzhou-MAZ6",
            "ingress_vpc_id": VPC_A,
            "ingress_vswitch_id": "vsw-1",
        },
        [
            {"instance_name": "yours"},
            {"https_policy": "HTTPS2_TLS1_2", "egress_ipv6_enable": True, "ipv6_enabled": True},
            {"instance_spec": "api.s2.large"},
            {"ingress_vpc_id": VPC_B, "ingress_vpc_owner_id": "1234567890123456"},
        ],
    ),
    Life(
        gateway.Instance,
        {
            "instance_name": "inside",
            "instance_spec": "api.s1.small",
            "https_policy": "HTTPS2_TLS1_2",
            "payment_type": "Subscription",
            "pricing_cycle": "month",
            "duration": 1,
            "instance_type": "vpc_connect",
            "user_vpc_id": VPC_A,
            "instance_cidr": "192.168.0.0/16",
            "zone_vswitch_security_group": [
                {
                    "zone_id": f"cn-hangzhou-{zone}",
                    "vswitch_id": vswitch_id,
                    "cidr_block": block,
                    "security_group": "sg-1",
                }
                for zone, vswitch_id, block in (("i", "vsw-1", "10.1.8.0/24"), ("j", "vsw-2", "10.1.9.0/28"))
            ],
        },
    ),
    Life(gateway.Group, {"name": "terraformed", "description": "", "base_path": "/"}),
    Life(
        gateway.Group,
        {
            "name": "terraformed",
            "description": "d",
            "base_path": "/v1",
            "instance_id": BOUND,
            "vpc_intranet_enable": True,
            "user_log_config": {"requestBody": True, "responseBody": False, "queryString": "q"},
        },
        [{"name": "renamed", "description": "e"}, {"vpc_intranet_enable": False}, {"base_path": "/v2"}],
    ),
    Life(
        gateway.VpcAccess,
        {
            "name": "backend",
            "vpc_id": VPC_A,
            "instance_id": "i-bp1",
            "port": 8080,
            "vpc_target_host_name": "",
        },
    ),
    Life(
        gateway.VpcAccess,
        {
            "name": "ip",
            "vpc_id": VPC_B,
            "instance_id": "10.2.8.9",
            "port": 443,
            "vpc_target_host_name": "x.example",
        },
    ),
    Life(zones.Zone, {"zone_name": "corp.example"}),
    Life(
        zones.Zone,
        {
            "zone_name": "10.in-addr.arpa",
            "remark": "r",
            "proxy_pattern": "RECORD",
            "dns_group": "NORMAL_ZONE",
            "tags": {"team": "dns"},
        },
        [
            {"remark": "s"},
            {"remark": ""},
            {"proxy_pattern": "ZONE"},
            {"dns_group": "FAST_ZONE"},
            {"tags": {"team": "web", "env": "x"}},
        ],
    ),
    Life(zones.Attachment, {"vpc_ids": [VPC_A]}, [{"vpc_ids": [VPC_A, VPC_B]}], zone="corp.example"),
    Life(
        zones.Attachment,
        {"vpcs": [{"region_id": HZ, "vpc_id": VPC_A}, {"region_id": SH, "vpc_id": VPC_C}]},
        [{"vpcs": [{"region_id": SH, "vpc_id": VPC_C}]}],
        zone="corp.example",
    ),
    Life(
        zones.Record,
        {"rr": "www", "type": "A", "value": "10.1.0.9"},
        [{"value": "10.1.0.10"}, {"ttl": 300}, {"remark": "r"}, {"status": "DISABLE"}, {"remark": ""}],
        zone="corp.example",
    ),
    Life(
        zones.Record,
        {"rr": "@", "type": "MX", "value": "mail.corp.example", "priority": 10, "ttl": 600, "remark": "m"},
        [{"priority": 20}, {"value": "mx.corp.example"}],
        zone="corp.example",
    ),
]
# Only at the time when they are made: no read gives them.
UNREAD = ("pricing_cycle", "duration")


def planned(config: State, state: State) -> list[str]:
    """The attributes that a plan would change."""
    return [name for name, value in config.items() if name not in UNREAD and state[name] != value]


@pytest.fixture
def provider() -> Provider:
    return Provider(Cloud())


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_a_resource_from_apply_to_destroy(provider: Provider, life: Life) -> None:
    resource, config = life.kind(provider), dict(life.config)
    if life.zone:
        config["zone_id"] = zones.Zone(provider).create({"zone_name": life.zone})
    made = resource.create(config)
    assert planned(config, _refreshed(resource, made)) == []
    for change in life.changes:
        before = _refreshed(resource, made)
        resource.update(made, {**before, **config}, {**before, **config, **change})
        config |= change
        state = _refreshed(resource, made)
        assert planned(config, state) == []
        assert state != before, "else the change would not be seen"
    # A second plan, an import, which knows the id alone, and a plan after a restart read the same.
    state = _refreshed(resource, made)
    assert _refreshed(life.kind(provider), made) == state
    assert _refreshed(life.kind(restarted(provider)), made) == state
    resource.destroy(made)
    if life.kind is zones.Attachment:
        assert _refreshed(resource, made)["vpc_ids"] == []
    else:
        assert resource.refreshed(made) is None


def _refreshed(resource: Resource, resource_id: str) -> State:
    state = resource.refreshed(resource_id)
    assert state is not None, "the resource would be made again"
    return state


def restarted(provider: Provider) -> Provider:
    """The same after what is kept was written down and read again."""
    text = snapshot_text(Snapshot(provider.cloud.state.contents, ""))
    cloud = Cloud()
    state: Any = Kept(cloud.world, contents=parse_snapshot(text).contents)
    cloud.state = cloud.api.state = state
    return Provider(cloud)


def test_a_whole_module_in_the_order_of_its_references(provider: Provider) -> None:
    """A VPC, a vSwitch, an instance bound to it, a group with its domain, a backend, a zone and a record."""
    vpc = networks.Vpc(provider)
    vpc_id = vpc.create({"cidr_block": "10.60.0.0/16", "vpc_name": "shop"})
    vswitch = networks.VSwitch(provider)
    vswitch_id = vswitch.create({"vpc_id": vpc_id, "cidr_block": "10.60.8.0/24", "zone_id": "cn-hangzhou-i"})
    instance = gateway.Instance(provider)
    instance_id = instance.create(
        {
            "instance_name": "shop",
            "instance_spec": "api.s1.small",
            "https_policy": "HTTPS2_TLS1_2",
            "payment_type": "PayAsYouGo",
            "ingress_vpc_id": vpc_id,
            "ingress_vswitch_id": vswitch_id,
        }
    )
    group, access = gateway.Group(provider), gateway.VpcAccess(provider)
    named = {"name": "shop", "description": "", "base_path": "/"}
    group_id = group.create({**named, "instance_id": instance_id, "vpc_intranet_enable": True})
    access_id = access.create({"name": "shop", "vpc_id": vpc_id, "instance_id": "10.60.8.9", "port": 80})
    zone, attachment, record = zones.Zone(provider), zones.Attachment(provider), zones.Record(provider)
    zone_id = zone.create({"zone_name": "shop.example"})
    attachment.create({"zone_id": zone_id, "vpc_ids": [vpc_id]})
    name = _refreshed(group, group_id)["vpc_domain"]
    record_id = record.create({"zone_id": zone_id, "rr": "api", "type": "CNAME", "value": name})
    made = [
        (record, record_id),
        (attachment, zone_id),
        (access, access_id),
        (group, group_id),
        (instance, instance_id),
        (vswitch, vswitch_id),
        (vpc, vpc_id),
    ]
    first = [_refreshed(resource, one) for resource, one in made]
    assert [_refreshed(resource, one) for resource, one in made] == first
    assert _refreshed(zone, zone_id)["record_count"] == 1
    for resource, one in made:
        resource.destroy(one)
    zone.destroy(zone_id)
    assert [resource.refreshed(one) for resource, one in made] == [None] * len(made)
    left, fresh = provider.cloud.state.world, Cloud().world
    assert (set(left.groups), set(left.instances)) == (set(fresh.groups), set(fresh.instances))
    assert set(left.topology.vpcs) == set(fresh.topology.vpcs)
