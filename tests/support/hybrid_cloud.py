"""A hybrid cloud to route through: two VPCs in Hangzhou, one in Shanghai, a network on IPsec and on a CEN."""

from __future__ import annotations

from vpcdns.config import loads
from vpcdns.model.world import World

SERVERLESS_NAME = f"{'a' * 32}-cn-hangzhou-vpc.alicloudapi.com"
DEDICATED_NAME = f"{'d' * 32}-cn-hangzhou-vpc.alicloudapi.com"

CONFIGURATION = """
server: {}
forward: {upstreams: []}
vpcs:
  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     source_networks: [10.1.0.0/16, 127.10.0.0/16], vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]}
  - {vpc_id: vpc-b, region_id: cn-hangzhou, cidr_blocks: [10.2.0.0/16], source_networks: [172.30.2.0/24],
     vswitches: [{vswitch_id: vsw-b, cidr_block: 10.2.8.0/24}]}
  - {vpc_id: vpc-c, region_id: cn-shanghai, cidr_blocks: [10.3.0.0/16]}
networks:
  - {network_id: idc, cidr_blocks: [192.168.0.0/16], source_networks: [192.168.0.0/17, 127.40.0.0/16],
     resolves_as: vpc-a, routes: [{destination: 10.1.0.0/16, via: vpn-1}]}
connections:
  - {connection_id: vpn-1, type: ipsec, vpc_id: vpc-a, network_id: idc,
     local_subnets: [10.1.0.0/16], remote_subnets: [192.168.0.0/16]}
  - {connection_id: cen-1, type: cen, attachments: [vpc-a, vpc-b, idc], service_routes: []}
instances:
  - {instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.100.80.10]}
  - {instance_id: gw, type: dedicated, region_id: cn-hangzhou,
     binding: {vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}}
groups:
  - {group_id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, instance_id: shared, vpc_domain: true}
  - {group_id: dddddddddddddddddddddddddddddddd, instance_id: gw, vpc_domain: true,
     custom_domains: [api.example.com]}
"""


def hybrid(text: str = CONFIGURATION) -> World:
    """The World of a configuration in memory."""
    return loads(text).world
