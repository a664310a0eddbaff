"""The configurations that the corpus is recorded under: the repository's, and some for what those lack."""

from __future__ import annotations

from typing import Final

import yaml

from tests.corpus.recording import Configuration
from tests.support.repository import ROOT

_MANY: Final = ", ".join(f"100.101.{number // 250}.{number % 250 + 1}" for number in range(90))
_VERY_MANY: Final = ", ".join(f"100.102.{number // 250}.{number % 250 + 1}" for number in range(4200))

# Names that are forwarded, to whom depends on the client's VPC; names of ours that upstreams may lead to.
_FORWARDING: Final = """\
server:
  clients: [127.0.0.0/8, 10.0.0.0/8, 192.168.0.0/16, "fd00::/8"]
  trusted_peers: [127.0.0.1/32, "::1/128"]
answers: {answers}
forward:
  upstreams: ["192.0.2.1", "192.0.2.2:5353", "2001:db8::53"]
  rules:
    - {{domain: corp.example, upstreams: ["192.0.2.3"]}}
    - {{domain: corp.example, vpcs: [vpc-a], upstreams: ["[2001:db8::54]:5353"]}}
    - {{domain: 2.10.in-addr.arpa, upstreams: ["192.0.2.4"]}}
vpcs:
  - {{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     source_networks: [10.1.0.0/16, "fd00:1::/48"],
     vswitches: [{{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}}]}}
  - {{vpc_id: vpc-b, region_id: cn-hangzhou, cidr_blocks: [10.2.0.0/16]}}
  - {{vpc_id: vpc-c, region_id: cn-shanghai, cidr_blocks: [10.3.0.0/16]}}
networks:
  - {{network_id: idc, cidr_blocks: [192.168.0.0/16], resolves_as: vpc-a}}
instances:
  - {{instance_id: api-shared-vpc-001, type: serverless, region_id: cn-hangzhou,
     addresses: [100.100.80.10, 100.100.80.11]}}
  - {{instance_id: api-shared-vpc-002, type: serverless, region_id: cn-hangzhou, addresses: [{many}]}}
  - {{instance_id: apigateway-1, type: dedicated, region_id: cn-hangzhou,
     binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}}}}
groups:
  - {{group_id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, instance_id: api-shared-vpc-001, vpc_domain: true}}
  - {{group_id: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, instance_id: api-shared-vpc-002, vpc_domain: true}}
  - {{group_id: dddddddddddddddddddddddddddddddd, instance_id: apigateway-1, vpc_domain: true,
     custom_domains: [api.example.com, "*.wild.example.com", b.wild.example.com, {long}]}}
  - {{group_id: "00000000000000000000000000000000", instance_id: apigateway-1,
     custom_domains: [off.example.com]}}
"""
LONG_NAME: Final = ".".join(("l" * 60, "o" * 60, "n" * 60, "g" * 53, "example"))
FORWARDING: Final = (
    "forwarding",
    "forwarding, code",
    "forwarding, off",
    "forwarding, nodata",
    "forwarding, refused",
    "forwarding, drop",
)


def configurations() -> list[Configuration]:
    """All of them, in the order of their numbers."""
    found = [
        Configuration(file, (ROOT / file).read_text())
        for file in ("config/vpcdns.yaml", "tests/conformance/vpcdns.yaml")
    ]
    found += (
        Configuration(path.stem, yaml.safe_load(path.read_text())["configuration"])
        for path in sorted((ROOT / "tests/scenarios").glob("*.yaml"))
    )
    answers = (
        "{ttl: 60, negative_ttl: 10}",
        "{ttl: 0, negative_ttl: 0, explain: code}",
        "{explain: off}",
        "{denied: nodata}",
        "{denied: refused}",
        "{denied: drop}",
    )
    for name, text in zip(FORWARDING, answers, strict=True):
        found.append(Configuration(name, _FORWARDING.format(answers=text, many=_MANY, long=LONG_NAME)))
    found.append(
        Configuration(
            "a long identity, and more addresses than a message has room for",
            _FORWARDING.format(answers="{ttl: 3600}", many=_VERY_MANY, long=LONG_NAME),
            "v" * 300,
            "\u00e9" * 90,
        )
    )
    return found
