"""The cloud's own SDK, pointed at vpcdns: the story of a VPC domain, as code that works on both.

    pip install alibabacloud-cloudapi20160714 alibabacloud-vpc20160428
    python story.py 127.0.0.1:5380

Only the endpoint and the protocol differ from the real thing.
"""

from __future__ import annotations

import sys
import uuid

from alibabacloud_cloudapi20160714 import models as cloudapi
from alibabacloud_cloudapi20160714.client import Client as CloudApi
from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as Vpc

REGION = "cn-hangzhou"


def config(endpoint: str) -> Config:
    return Config(
        access_key_id="testAK",
        access_key_secret="testSK",  # noqa: S106 - whatever vpcdns is configured with, if with any
        endpoint=endpoint,
        protocol="http",
        region_id=REGION,
        no_proxy="127.0.0.1",
    )


def main(endpoint: str) -> None:
    gateway, networks = CloudApi(config(endpoint)), Vpc(config(endpoint))

    # A group on the serverless instance: every VPC of the region resolves its VPC domain.
    created = gateway.create_api_group(cloudapi.CreateApiGroupRequest(group_name="sdk_story")).body
    group_id = created.group_id
    enable = cloudapi.ModifyIntranetDomainPolicyRequest(group_id=group_id, vpc_intranet_enable=True)
    gateway.modify_intranet_domain_policy(enable)
    described = gateway.describe_api_group(cloudapi.DescribeApiGroupRequest(group_id=group_id)).body
    print(f"serverless: {described.vpc_domain}")

    # A VPC with a vSwitch, and a dedicated instance that is bound to it.
    made = networks.create_vpc(vpc.CreateVpcRequest(region_id=REGION, cidr_block="10.77.0.0/16")).body
    switch = networks.create_vswitch(
        vpc.CreateVSwitchRequest(
            region_id=REGION, vpc_id=made.vpc_id, cidr_block="10.77.8.0/24", zone_id=f"{REGION}-i"
        )
    ).body
    instance = gateway.create_instance(
        cloudapi.CreateInstanceRequest(
            instance_name="orders",
            instance_spec="api.s1.small",
            charge_type="POSTPAY",
            https_policy="HTTPS2_TLS1_2",
            zone_id=f"{REGION}-MAZ6",
            token=str(uuid.uuid4()),
        )
    ).body
    gateway.modify_instance_vpc_attribute_for_console(
        cloudapi.ModifyInstanceVpcAttributeForConsoleRequest(
            instance_id=instance.instance_id, vpc_id=made.vpc_id, vswitch_id=switch.v_switch_id
        )
    )

    # The group moves there: from now on that VPC alone resolves the same name, and a name of our own.
    gateway.modify_api_group_instance(
        cloudapi.ModifyApiGroupInstanceRequest(group_id=group_id, target_instance_id=instance.instance_id)
    )
    gateway.set_domain(
        cloudapi.SetDomainRequest(
            group_id=group_id, domain_name="sdk-story.example.com", custom_domain_type="INTRANET"
        )
    )
    described = gateway.describe_api_group(cloudapi.DescribeApiGroupRequest(group_id=group_id)).body
    print(f"dedicated: {described.vpc_domain} for {made.vpc_id} only, migration {described.migration_status}")


if __name__ == "__main__":
    main(sys.argv[1])
