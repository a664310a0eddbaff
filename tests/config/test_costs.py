"""One object of many parts: eight times as many take eight times as long, not 64 times."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from vpcdns.config import loads
from vpcdns.errors import ConfigurationError

FEW, MANY = 1_000, 8_000
AT_MOST = 24.0  # times as long: 8, the collector, others on the machine; but never 64


def prefixes(count: int, first: int = 10) -> list[str]:
    return [
        f"{first + number // 65_536}.{number // 256 % 256}.{number % 256}.0/24" for number in range(count)
    ]


def vpc(**parts: Any) -> dict[str, Any]:
    return {"vpc_id": "vpc-a", "region_id": "cn-hangzhou", "cidr_blocks": ["10.0.0.0/8"], **parts}


def network(**parts: Any) -> dict[str, Any]:
    return {"network_id": "idc", "cidr_blocks": ["192.168.0.0/16"], "resolves_as": "vpc-a", **parts}


def ipsec(**parts: Any) -> dict[str, Any]:
    made = {"connection_id": "vpn", "type": "ipsec", "vpc_id": "vpc-a", "network_id": "idc"}
    return {**made, "local_subnets": ["10.0.0.0/8"], "remote_subnets": ["192.168.0.0/16"], **parts}


def cen(count: int, **parts: Any) -> dict[str, Any]:
    networks = [
        {"network_id": f"n{number}", "cidr_blocks": [block], "resolves_as": "vpc-a"}
        for number, block in enumerate(prefixes(count, 20))
    ]
    attachments = ["vpc-a", *(one["network_id"] for one in networks)]
    connection = {"connection_id": "cen", "type": "cen", "edition": "basic", "attachments": attachments}
    return {"vpcs": [vpc()], "networks": networks, "connections": [{**connection, **parts}]}


def names(count: int) -> list[str]:
    return [f"a{number}.example.com" for number in range(count)]


def group(count: int) -> dict[str, Any]:
    vswitches = [{"vswitch_id": "vsw", "cidr_block": "10.1.8.0/24"}]
    binding = {"vpc_id": "vpc-a", "vswitch_id": "vsw"}
    instance = {"instance_id": "i", "type": "dedicated", "region_id": "cn-hangzhou", "binding": binding}
    one = {"group_id": "a" * 32, "instance_id": "i", "custom_domains": names(count)}
    return {"vpcs": [vpc(vswitches=vswitches)], "instances": [instance], "groups": [one]}


def service_routes(count: int) -> dict[str, Any]:
    access = [f"n{number}" for number in range(count)]
    return cen(count, service_routes=[{"host": "100.100.80.0/24", "host_vpc_id": "vpc-a", "access": access}])


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "blocks of a VPC": lambda n: {"vpcs": [vpc(cidr_blocks=prefixes(n))]},
    "blocks of a VPC that all overlap": lambda n: {"vpcs": [vpc(cidr_blocks=["10.0.0.0/8"] * n)]},
    "source networks of a VPC": lambda n: {"vpcs": [vpc(source_networks=prefixes(n))]},
    "the same source network": lambda n: {"vpcs": [vpc(source_networks=["10.0.0.0/24"] * n)]},
    "vSwitches": lambda n: {
        "vpcs": [vpc(vswitches=[{"vswitch_id": f"v{i}", "cidr_block": b} for i, b in enumerate(prefixes(n))])]
    },
    "vSwitches that all overlap": lambda n: {
        "vpcs": [vpc(vswitches=[{"vswitch_id": f"v{i}", "cidr_block": "10.0.0.0/24"} for i in range(n)])]
    },
    "VPCs with one source network": lambda n: {"vpcs": [vpc(vpc_id=f"vpc-{i}") for i in range(n)]},
    "blocks of a network": lambda n: {"vpcs": [vpc()], "networks": [network(cidr_blocks=prefixes(n, 20))]},
    "routes of a network": lambda n: {
        "vpcs": [vpc()],
        "networks": [network(routes=[{"destination": block, "via": "vpn"} for block in prefixes(n)])],
        "connections": [ipsec()],
    },
    "subnets of a tunnel": lambda n: {
        "vpcs": [vpc()],
        "networks": [network(cidr_blocks=["20.0.0.0/7"])],
        "connections": [ipsec(local_subnets=prefixes(n), remote_subnets=prefixes(n, 20))],
    },
    "attachments": cen,
    "who has a service route": service_routes,
    "addresses of an instance": lambda n: {
        "instances": [
            {
                "instance_id": "i",
                "type": "serverless",
                "region_id": "cn-hangzhou",
                "addresses": [f"100.{64 + i // 65_536}.{i // 256 % 256}.{i % 256}" for i in range(n)],
            }
        ]
    },
    "custom domains": group,
    "forward rules": lambda n: {
        "forward": {"rules": [{"domain": name, "upstreams": ["192.0.2.1"]} for name in names(n)]}
    },
    "the same forward rule": lambda n: {
        "forward": {"rules": [{"domain": "a.example", "upstreams": ["192.0.2.1"]}] * n}
    },
    "upstreams": lambda n: {
        "forward": {"upstreams": [f"10.{i // 65_536}.{i // 256 % 256}.{i % 256}" for i in range(n)]}
    },
    "clients": lambda n: {"server": {"clients": prefixes(n)}},
    "trusted peers": lambda n: {"server": {"trusted_peers": prefixes(n)}},
    "listeners": lambda n: {"server": {"listen": [f"127.0.{i // 250}.{i % 250 + 1}:53" for i in range(n)]}},
    "unknown keys": lambda n: {f"key{number}": 1 for number in range(n)},
    "groups that are no groups": lambda n: {"groups": list(range(n))},
}


def seconds(text: str) -> float:
    """CPU time, collector included: it walks what the reader has made."""
    gc.collect()
    before = time.process_time()
    with suppress(ConfigurationError):
        loads(text)
    return time.process_time() - before


@pytest.mark.parametrize("parts", PARTS)
def test_many_parts_take_no_longer_than_they_are_many(parts: str) -> None:
    few, many = (json.dumps({"forward": {"upstreams": []}, **PARTS[parts](count)}) for count in (FEW, MANY))
    ratio = 0.0
    for _ in range(3):  # others use the machine
        ratio = seconds(many) / min(seconds(few) for _ in range(2))
        if ratio < AT_MOST:
            return
    pytest.fail(f"{MANY // FEW} times as many take {ratio:.1f} times as long")
