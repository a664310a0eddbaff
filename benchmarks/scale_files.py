"""Configurations of any size, written as fast as a disk takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

REGION: Final = "cn-hangzhou"
VPCS: Final = ("vpc-one", "vpc-two")
INSTANCE: Final = "apigateway-hz-one"


def group_id(number: int) -> str:
    return f"{number:031x}a"


def write(path: Path, groups: int, *, custom: bool = False, named: bool = True) -> Path:
    """A file with so many groups on one dedicated instance; YAML or JSON, as its suffix says."""
    is_json = path.suffix == ".json"
    with path.open("w", encoding="utf-8") as file:
        file.write(_head(is_json))
        for number in range(groups):
            file.write(_group(number, is_json=is_json, custom=custom, named=named))
            if is_json:
                file.write(",\n" if number < groups - 1 else "\n")
        if is_json:
            file.write("]}\n")
    return path


def _head(is_json: bool) -> str:
    vpcs = ", ".join(
        f'{{"vpc_id": "{vpc}", "region_id": "{REGION}", "cidr_blocks": ["10.{number}.0.0/16"],'
        f' "source_networks": ["127.0.0.{number}/32"],'
        f' "vswitches": [{{"vswitch_id": "vsw-{vpc}", "cidr_block": "10.{number}.8.0/24"}}]}}'
        for number, vpc in enumerate(VPCS, start=1)
    )
    instance = (
        f'{{"instance_id": "{INSTANCE}", "type": "dedicated", "region_id": "{REGION}",'
        f' "binding": {{"vpc_id": "{VPCS[0]}", "vswitch_id": "vsw-{VPCS[0]}", "address": "10.1.8.20"}}}}'
    )
    if is_json:
        return f'{{"forward": {{"upstreams": []}}, "vpcs": [{vpcs}], "instances": [{instance}], "groups": [\n'
    return f"forward: {{upstreams: []}}\nvpcs: [{vpcs}]\ninstances: [{instance}]\ngroups:\n"


def _group(number: int, *, is_json: bool, custom: bool, named: bool) -> str:
    if is_json:
        name = f', "name": "group-{number:07d}"' if named else ""
        domains = f', "custom_domains": ["api-{number}.example.com"]' if custom else ""
        return (
            f'{{"group_id": "{group_id(number)}"{name}, "instance_id": "{INSTANCE}",'
            f' "vpc_domain": true{domains}}}'
        )
    name = f"    name: group-{number:07d}\n" if named else ""
    domains = f"    custom_domains: [api-{number}.example.com]\n" if custom else ""
    return (
        f"  - group_id: {group_id(number)}\n{name}    instance_id: {INSTANCE}\n"
        f"    vpc_domain: true\n{domains}"
    )


def networks(vpcs: int, each: int) -> Iterator[str]:
    """VPCs as JSON, with so many source networks each: 240.0.0.0/4 in blocks of 16 addresses."""
    number = 0
    for vpc in range(vpcs):
        sources = []
        for _ in range(each):
            first = (240 << 24) + number * 16
            sources.append(f'"{first >> 24}.{first >> 16 & 255}.{first >> 8 & 255}.{first & 255}/28"')
            number += 1
        yield (
            f'{{"vpc_id": "vpc-{vpc:05d}", "region_id": "{REGION}", "cidr_blocks": ["10.0.0.0/16"],'
            f' "source_networks": [{", ".join(sources)}]}}'
        )


def write_networks(path: Path, vpcs: int, each: int) -> Path:
    path.write_text('{"forward": {"upstreams": []}, "vpcs": [\n' + ",\n".join(networks(vpcs, each)) + "]}\n")
    return path
