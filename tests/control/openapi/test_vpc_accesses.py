"""VPC access: what the model says of the way to a backend, and what becomes of it with its VPC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.cloud_api import VPC, Cloud
from tests.support.example_world import BOUND, HZ, SH, SHARED, VPC_A, VPC_B, VPC_C, example
from vpcdns.model.connections import CenConnection
from vpcdns.model.world import World


def joined() -> World:
    """The example with VPC A and VPC B attached to one CEN."""
    world = example()
    cen = CenConnection("cen-1", "enterprise", (VPC_A, VPC_B))
    topology = replace(world.topology, connections=world.topology.connections.set("cen-1", cen))
    return replace(world, topology=topology)


def access(cloud: Cloud, vpc_id: str, backend: str, region_id: str = HZ) -> str:
    given = {
        "Name": f"to {backend}",
        "VpcId": vpc_id,
        "InstanceId": backend,
        "Port": "80",
        "RegionId": region_id,
    }
    made: str = cloud.done("SetVpcAccess", **given)["VpcAccessId"]
    return made


def inside(cloud: Cloud, vpc_id: str) -> str:
    """A vpc_connect instance in a VPC."""
    given = {"InstanceName": "n", "InstanceSpec": "api.s1.small", "ChargeType": "PostPaid", "Token": "t"}
    made: str = cloud.done("CreateInstance", **given, InstanceType="vpc_connect", UserVpcId=vpc_id)[
        "InstanceId"
    ]
    return made


def connected(cloud: Cloud, instance_id: str, access_id: str) -> tuple[bool, str | None]:
    said = cloud.done("ValidateVpcConnectivity", InstanceId=instance_id, VpcAccessId=access_id)
    return said["Connected"], said.get("IpType")


def test_a_normal_instance_reaches_the_vpcs_of_its_region() -> None:
    cloud = Cloud()
    assert connected(cloud, BOUND, access(cloud, VPC_A, "10.1.8.9")) == (True, "ECS")
    assert connected(cloud, BOUND, access(cloud, VPC_B, "i-bp1")) == (True, None)
    assert connected(cloud, BOUND, access(cloud, VPC_C, "10.3.8.9", SH)) == (False, "ECS")


@pytest.mark.parametrize("address", ["10.1.200.1", "10.2.8.9", "192.0.2.1"])
def test_an_address_that_is_in_no_vswitch_is_no_backend(address: str) -> None:
    cloud = Cloud()
    assert connected(cloud, BOUND, access(cloud, VPC_A, address)) == (False, "INVALID")


def test_a_vpc_connect_instance_reaches_what_its_vpc_has_a_way_to() -> None:
    apart, together = Cloud(), Cloud(joined())
    for cloud, expected in ((apart, False), (together, True)):
        instance_id = inside(cloud, VPC_A)
        assert connected(cloud, instance_id, access(cloud, VPC_A, "10.1.8.9")) == (True, "ECS")
        assert connected(cloud, instance_id, access(cloud, VPC_B, "10.2.8.9")) == (expected, "ECS")
        assert connected(cloud, instance_id, access(cloud, VPC_B, "lb-1")) == (expected, None)


def test_a_vpc_with_the_same_block_is_not_where_the_backend_is() -> None:
    cloud = Cloud(joined())
    twin = cloud.done("CreateVpc", VPC, CidrBlock="10.1.0.0/16")["VpcId"]
    cloud.done("CreateVSwitch", VPC, VpcId=twin, CidrBlock="10.1.8.0/24", ZoneId="cn-hangzhou-i")
    assert connected(cloud, inside(cloud, VPC_A), access(cloud, twin, "10.1.8.9")) == (False, "ECS")


def test_a_serverless_instance_has_no_vpc_access_of_its_own() -> None:
    cloud = Cloud()
    access_id = access(cloud, VPC_A, "10.1.8.9")
    assert cloud.refused("ValidateVpcConnectivity", InstanceId=SHARED, VpcAccessId=access_id) == (
        403,
        "ForbiddenInstanceId",
    )


def test_it_is_gone_with_its_vpc() -> None:
    cloud = Cloud()
    made = cloud.done("CreateVpc", VPC, CidrBlock="10.60.0.0/16")["VpcId"]
    access(cloud, made, "i-1")
    cloud.done("DeleteVpc", VPC, VpcId=made)
    assert cloud.done("DescribeVpcAccesses")["TotalCount"] == 0
    assert not [key for key in cloud.state.contents.attributes if key.startswith("vpc-access")]


def test_a_name_is_free_in_another_region() -> None:
    cloud = Cloud()
    for vpc_id, region_id in ((VPC_A, HZ), (VPC_C, SH)):
        cloud.done("SetVpcAccess", Name="same", VpcId=vpc_id, InstanceId="i-1", Port="80", RegionId=region_id)
    assert cloud.done("DescribeVpcAccesses")["TotalCount"] == 2
    assert cloud.done("DescribeVpcAccesses", RegionId=SH)["TotalCount"] == 1
