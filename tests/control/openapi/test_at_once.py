"""The new World answers before the HTTP response leaves: the very next query tells, also a remembered one."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.cloud_api import REGION, cloud
from vpcdns.testing import AdminError

CONFIG = {
    "forward": {"upstreams": []},
    "vpcs": [
        {
            "vpc_id": f"vpc-{one}",
            "region_id": REGION,
            "cidr_blocks": [f"10.{number}.0.0/16"],
            "source_networks": [f"127.{number}.0.0/16"],
            "vswitches": [{"vswitch_id": f"vsw-{one}", "cidr_block": f"10.{number}.8.0/24"}],
        }
        for one, number in (("a", 61), ("b", 62))
    ],
    "instances": [
        {
            "instance_id": "apigateway-x",
            "type": "dedicated",
            "region_id": REGION,
            "binding": {"vpc_id": "vpc-a", "vswitch_id": "vsw-a"},
        }
    ],
    "groups": [{"group_id": "a" * 32, "instance_id": "apigateway-x", "vpc_domain": True}],
}
NAME = f"{'a' * 32}-{REGION}-vpc.alicloudapi.com"


def asked(port: int, source: str, identity: int) -> dns.message.Message:
    query = dns.message.make_query(NAME, "A", id=identity)
    return dns.query.udp(query, "127.0.0.1", 5.0, port, source=source)


def test_a_rebind_moves_the_very_next_query() -> None:
    with cloud(CONFIG, keys={}) as server:
        client, port = server.client, server.dns[1]
        for turn in range(20):
            old, new = (("a", 61), ("b", 62)) if turn % 2 == 0 else (("b", 62), ("a", 61))
            for number in range(3):  # the second and the third come out of memory
                answer = asked(port, f"127.{old[1]}.0.5", number)
                assert answer.rcode() == dns.rcode.NOERROR
                assert answer.answer[0][0].to_text() == f"10.{old[1]}.8.1"
            client.change(
                {
                    "change": "Bind",
                    "instance_key": [REGION, "apigateway-x"],
                    "vpc_id": f"vpc-{new[0]}",
                    "vswitch_id": f"vsw-{new[0]}",
                }
            )
            assert asked(port, f"127.{old[1]}.0.5", 7).rcode() == dns.rcode.NXDOMAIN
            assert asked(port, f"127.{new[1]}.0.5", 8).answer[0][0].to_text() == f"10.{new[1]}.8.1"
        revision = client.revision()
        with pytest.raises(AdminError) as raised:
            client.change({"change": "DisableVpcDomain", "group_id": "a" * 32}, revision=revision - 1)
        assert raised.value.status == 412
        client.change({"change": "DisableVpcDomain", "group_id": "a" * 32}, revision=revision)
        client.assert_denied(NAME, "vpc-a")
        client.reset()
        client.assert_resolves(NAME, "vpc-a", to="10.61.8.1")
