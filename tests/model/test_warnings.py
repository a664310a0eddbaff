"""Warnings about what a configuration may not have meant."""

import time
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from vpcdns.config import loads
from vpcdns.model.clients import Client
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.model.resolution import MAX_CHAIN, resolve
from vpcdns.model.warnings import warnings

IN_A = Client(IPv4Address("10.1.0.9"), "vpc-a", "cn-hangzhou")

VPC_DOMAIN = f"{'1'.zfill(32)}-cn-hangzhou-vpc.alicloudapi.com"
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
                "VPC domains do not resolve in vpc-a, nor custom domains: alicloudapi.com lies in the zone",
                "in vpc-a it is asked before custom domain api.example.com",
            ],
        ),
        (
            "forward: {rules: [{domain: api.example.com, upstreams: [192.0.2.1]}]}",
            ["forward rule api.example.com: the name itself is answered here"],
        ),
        ("forward: {rules: [{domain: mail.example.net, upstreams: [192.0.2.1]}]}", []),
        ("forward: {rules: [{domain: alicloudapi.com, upstreams: [192.0.2.1]}]}", []),
        *(
            (
                f"forward: {{rules: [{{domain: {domain}, upstreams: [192.0.2.1]}}]}}",
                [f"forward rule {domain}: it is never asked, as {why}"],
            )
            for domain, why in {
                "vpcdns.internal": "vpcdns.internal is answered here",
                "whoami.vpcdns.internal": "vpcdns.internal is answered here",
                VPC_DOMAIN: "names of VPC-domain form",
                f"x.{VPC_DOMAIN}": "names of VPC-domain form",
                f"{VPC_DOMAIN}.corp.example": "names of VPC-domain form",
                "nobody-vpc.alicloudapi.com": "names of VPC-domain form",
            }.items()
        ),
        (
            """private_zones: [{zone: corp.test, vpcs: [vpc-a]}]
forward: {rules: [{domain: db.corp.test, vpcs: [vpc-a], upstreams: [192.0.2.1]}]}""",
            ["forward rule db.corp.test: it is never asked, as private zone corp.test is asked before it in"],
        ),
        (
            """private_zones: [{zone: corp.test, vpcs: [vpc-a], fall_through: true}]
forward: {rules: [{domain: db.corp.test, vpcs: [vpc-a], upstreams: [192.0.2.1]}]}""",
            [],
        ),
        (
            """private_zones: [{zone: corp.test, vpcs: [vpc-a]}]
forward: {rules: [{domain: db.corp.test, upstreams: [192.0.2.1]}]}""",
            [],
        ),
        *(
            (
                f"private_zones: [{{zone: {VPC_DOMAIN}, vpcs: [vpc-a], fall_through: {fall_through}}}]",
                [
                    (
                        f"private zone {VPC_DOMAIN}: in vpc-a it is asked before the VPC domain of group"
                        f" {'1'.zfill(32)}, where api.example.com and 1 more lead; unbind it there"
                    )
                ],
            )
            for fall_through in ("true", "false")
        ),
        (f"private_zones: [{{zone: x.{VPC_DOMAIN}, vpcs: [vpc-a]}}]", []),
        (f"private_zones: [{{zone: {'2' * 32}-cn-hangzhou-vpc.alicloudapi.com, vpcs: [vpc-a]}}]", []),
        ("private_zones: [{zone: alicloudapi.com, vpcs: [vpc-a], fall_through: true}]", []),
        *(
            (
                f"""private_zones: [{{zone: {zone}, vpcs: [vpc-a], fall_through: true,
                     records: [{{name: {name}{VPC_DOMAIN}., type: A, values: [10.1.0.9]}}]}}]""",
                ["in vpc-a it is asked before the VPC domain of group 00000000000000000000000000000001"],
            )
            for zone in ("alicloudapi.com", "com")
            for name in ("", "x.")
        ),
        *(
            (
                f"""private_zones: [{{zone: com, vpcs: [vpc-a], fall_through: true,
                     records: [{{name: "*{rest}", type: A, values: [10.1.0.9]}}]}}]""",
                said,
            )
            for rest, said in {
                ".alicloudapi": ["VPC domains do not resolve in vpc-a, nor custom domains: a wildcard"],
                "": [
                    "VPC domains do not resolve in vpc-a, nor custom domains: a wildcard holds their names",
                    "in vpc-a it is asked before custom domain api.example.com",
                ],
            }.items()
        ),
        (
            "private_zones: [{zone: alicloudapi.com, vpcs: [vpc-a]}]",
            ["VPC domains do not resolve in vpc-a, nor custom domains: alicloudapi.com lies in the zone"],
        ),
    ],
)
def test_warnings(more: str, said: list[str]) -> None:
    found = list(warnings(loads(BASE + more).world))
    assert len(found) == len(said)
    for expected, warning in zip(said, found, strict=True):
        assert expected in warning
        assert "; " in warning  # and what to do


def aliases(count: int, first: int = 0) -> str:
    """So many CNAME records in a row, and an address at the end."""
    records = [f"{{name: c{one}, type: CNAME, values: [c{one + 1}]}}" for one in range(first, first + count)]
    return ", ".join([*records, f"{{name: c{first + count}, type: A, values: [10.1.0.9]}}"])


def test_a_chain_that_is_too_long() -> None:
    for length in range(MAX_CHAIN - 3, MAX_CHAIN + 4):
        zone = f"{{zone: e.test, vpcs: [vpc-a], records: [{aliases(length)}]}}"
        world = loads(f"{BASE}private_zones: [{zone}]").world
        asked = [resolve(Question(Name.from_text(f"c{n}.e.test"), 1), IN_A, world) for n in range(length)]
        failing = sum(one.rcode is Rcode.SERVFAIL for one in asked)
        more = f" and {failing - 1} more" if failing > 1 else ""
        said = (
            f"private zone e.test: in vpc-a CNAME chains of more than {MAX_CHAIN} records are SERVFAIL: that"
            f" from c0.e.test{more}; let it lead closer to its end"
        )
        assert list(warnings(world)) == ([said] if failing else [])


def test_chains_through_zones_wildcards_and_custom_domains() -> None:
    rest = aliases(MAX_CHAIN - 1, 1)
    zones = f"""
  - {{zone: e.test, vpcs: [vpc-a, vpc-b], records: [{{name: a, type: CNAME, values: [x.w.f.test.]}}]}}
  - zone: f.test
    vpcs: [vpc-a]
    records: [{{name: "*.w", type: CNAME, values: [c1]}}, {rest}]"""
    more = BASE.replace("vpcs: [", "vpcs: [{vpc_id: vpc-b, region_id: r, cidr_blocks: [10.2.0.0/16]}, ")
    (said,) = warnings(loads(f"{more}private_zones:{zones}").world)
    assert said.startswith("private zone e.test: in vpc-a CNAME chains of more than"), "not in vpc-b"
    assert "that from a.e.test;" in said


def test_circles_over_two_zones_of_one_vpc() -> None:
    zones = """
  - {zone: e.test, vpcs: [vpc-a], records: [{name: a, type: CNAME, values: [c.f.test.]},
     {name: into, type: CNAME, values: [a]}]}
  - {zone: f.test, vpcs: [VPC], records: [{name: c, type: CNAME, values: [a.e.test.]}]}
"""
    more = BASE.replace("vpcs: [", "vpcs: [{vpc_id: vpc-b, region_id: r, cidr_blocks: [10.2.0.0/16]}, ")
    (said,) = warnings(loads(f"{more}private_zones:{zones.replace('VPC', 'vpc-a')}").world)
    around = "a.e.test → c.f.test → a.e.test"
    assert said == (
        f"private zone e.test: in vpc-a CNAME records go round, which is SERVFAIL: {around};"
        " let one lead elsewhere"
    )
    assert list(warnings(loads(f"{more}private_zones:{zones.replace('VPC', 'vpc-b')}").world)) == []


def test_a_circle_through_a_custom_domain() -> None:
    zone = f"""
  - {{zone: alicloudapi.com, vpcs: [vpc-a], fall_through: true,
     records: [{{name: {VPC_DOMAIN}., type: CNAME, values: [api.example.com.]}}]}}"""
    hides, said = warnings(loads(f"{BASE}private_zones:{zone}").world)
    assert "it is asked before the VPC domain" in hides
    assert f"{VPC_DOMAIN} → api.example.com → {VPC_DOMAIN}" in said


def test_chains_are_followed_at_a_cost_that_has_a_bound() -> None:
    def seconds(count: int) -> float:
        zone = PrivateZone("z", Name.from_text("e.test"), frozenset({"vpc-a"})).with_records(
            (number, ZoneRecord(Name.from_text(f"c{number}.e.test"), RRType.CNAME, target))
            for number in range(count)
            for target in [Name.from_text(f"c{number + 1}.e.test")]
        )
        world = replace(loads(BASE).world, private_zones=PrivateZones.of([zone]))
        started = time.process_time()
        found = list(warnings(world))
        assert len(found) == 1
        return time.process_time() - started

    assert seconds(16_000) < 24 * seconds(2_000)


def test_vpcs_that_see_the_same_zones_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = [PrivateZone(str(n), Name.from_text(f"z{n}.test"), frozenset({f"vpc-{n}"})) for n in range(1_000)]
    shared = PrivateZone("shared", Name.from_text("e.test"), frozenset(f"vpc-{n}" for n in range(1_000)))
    records = [
        ZoneRecord(Name.from_text(f"c{n}.e.test"), RRType.CNAME, Name.from_text(f"c{n + 1}.e.test"))
        for n in range(MAX_CHAIN + 2)
    ]
    world = replace(
        loads(BASE).world, private_zones=PrivateZones.of([*zones, shared.with_records(enumerate(records))])
    )
    monkeypatch.setattr("vpcdns.model.alias_chains.MAX_FOLLOWED", 100)
    (said,) = warnings(world)
    assert "in vpc-0, vpc-1, vpc-10, vpc-100, vpc-101, … CNAME chains" in said
    monkeypatch.setattr("vpcdns.model.alias_chains.MAX_FOLLOWED", 5)
    (said,) = warnings(world)
    assert "names were followed; shorten" in said
