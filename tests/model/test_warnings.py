"""Warnings about what a configuration may not have meant."""

import pytest

from vpcdns.config import loads
from vpcdns.model.warnings import warnings

BASE = """
vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
        vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]}]
instances: [{instance_id: api-1, type: dedicated, region_id: cn-hangzhou,
             binding: {vpc_id: vpc-a, vswitch_id: vsw-a}}]
groups: [{group_id: "00000000000000000000000000000001", instance_id: api-1, vpc_domain: true,
          custom_domains: [api.example.com, "*.example.net"]}]
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", []),
        ("private_zones: [{zone: other.test, vpcs: [vpc-a]}]", []),
        ("private_zones: [{zone: example.com}]", []),
        ("private_zones: [{zone: mail.example.net, vpcs: [vpc-a]}]", []),
        ("private_zones: [{zone: example.com, vpcs: [vpc-a], fall_through: true}]", []),
        (
            """private_zones: [{zone: example.com, vpcs: [vpc-a], fall_through: true,
                 records: [{name: api, type: A, values: [10.1.0.9]}]}]""",
            ["in vpc-a it is asked before custom domain api.example.com"],
        ),
        (
            "private_zones: [{zone: example.com, vpcs: [vpc-a]}]",
            ["in vpc-a it is asked before custom domain api.example.com"],
        ),
        (
            "private_zones: [{zone: com, vpcs: [vpc-a]}]",
            [
                "VPC domains do not resolve in vpc-a: alicloudapi.com lies in the zone",
                "in vpc-a it is asked before custom domain api.example.com",
            ],
        ),
        (
            "forward: {rules: [{domain: api.example.com, upstreams: [192.0.2.1]}]}",
            ["forward rule api.example.com: the name itself is answered here"],
        ),
        ("forward: {rules: [{domain: mail.example.net, upstreams: [192.0.2.1]}]}", []),
    ],
)
def test_warnings(more: str, said: list[str]) -> None:
    found = list(warnings(loads(BASE + more).world))
    assert len(found) == len(said)
    for expected, warning in zip(said, found, strict=True):
        assert expected in warning
        assert "; " in warning  # and what to do
