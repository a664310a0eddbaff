"""A configuration of one VPC and one group, and what a server on `port` of 127.0.0.1 answers to it."""

from __future__ import annotations

import dns.message
import dns.query

from tests.support.waiting import eventually

NAME = "a0000000000000000000000000000000-cn-hangzhou-vpc.alicloudapi.com"


def configuration(address: str = "10.1.8.20", remark: str = "") -> str:
    return f"""# {remark}
server: {{listen: ["127.0.0.1:5300"]}}
forward: {{upstreams: []}}
vpcs:
  - vpc_id: vpc-a
    region_id: cn-hangzhou
    cidr_blocks: [10.1.0.0/16]
    source_networks: [127.10.0.0/16]
    vswitches: [{{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}}]
instances:
  - instance_id: gateway
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: {address}}}
groups:
  - {{group_id: a0000000000000000000000000000000, instance_id: gateway, vpc_domain: true}}
"""


def serial(port: int) -> int:
    query = dns.message.make_query("alicloudapi.com", "SOA")
    return int(dns.query.udp(query, "127.0.0.1", port=port, timeout=5).answer[0][0].serial)


def address(port: int, timeout: float = 5.0, name: str = NAME) -> str:
    query = dns.message.make_query(name, "A")
    found = dns.query.udp(query, "127.0.0.1", port=port, source="127.10.0.5", timeout=timeout)
    return str(found.answer[0][0]) if found.answer else ""


def await_address(port: int, expected: str, name: str = NAME) -> None:
    eventually(lambda: address(port, name=name) == expected)
