"""The dig command that `serve` offers works, whatever the configuration."""

from __future__ import annotations

import pytest

from tests.support.repository import EXAMPLE
from vpcdns.cli.trial import trial
from vpcdns.config import loads

NAME = "0123456789abcdef0123456789abcdef-r-vpc.alicloudapi.com"
GATEWAY = """
instances: [{instance_id: i, type: dedicated, region_id: r, binding: {vpc_id: vpc-a, vswitch_id: vsw-a}}]
groups: [{group_id: 0123456789abcdef0123456789abcdef, instance_id: i, vpc_domain: true}]
vpcs:
  - vpc_id: vpc-a
    region_id: r
    cidr_blocks: [10.1.0.0/16]
    vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]
"""


def tried(text: str) -> str:
    loaded = loads(text)
    return str(trial(loaded.world, loaded.listens))


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ("", f"dig @127.0.0.1 -p 5300 +subnet=10.1.0.5/32 {NAME}"),
        ("    source_networks: [127.9.0.0/16]\n", f"dig -b 127.9.0.5 @127.0.0.1 -p 5300 {NAME}"),
        ("    source_networks: [127.9.0.7/32]\n", f"dig -b 127.9.0.7 @127.0.0.1 -p 5300 {NAME}"),
        ('server: {listen: ["10.1.0.9:53"]}\n', f"dig @10.1.0.9 {NAME}"),
        ('server: {listen: ["[::1]:53"]}\n', f"dig @::1 +subnet=10.1.0.5/32 {NAME}"),
        ('server: {listen: [{address: "0.0.0.0:53", vpc_id: vpc-a}]}\n', f"dig @127.0.0.1 {NAME}"),
        ("server: {trusted_peers: []}\n", "dig @127.0.0.1 -p 5300 whoami.vpcdns.internal"),
        ("server: {clients: [192.0.2.0/24]}\n", "None"),
    ],
)
def test_command(more: str, command: str) -> None:
    assert tried(GATEWAY + more) == command


def test_example_shows_the_dedicated_instance() -> None:
    assert "-b 127.10.0.5" in tried(EXAMPLE.read_text())


def test_nothing_configured() -> None:
    assert tried("{}") == "dig @127.0.0.1 -p 5300 whoami.vpcdns.internal"
