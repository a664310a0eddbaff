"""A mistake at any place of a configuration is said with its line and column, and never breaks the reading.

Invariant: a file that is read says nothing, or a ConfigurationError of which each problem has a place.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from vpcdns.config import loads
from vpcdns.errors import ConfigurationError
from vpcdns.rehearsal.scenario import read_scenario

# Every section, and every key of it.
WHOLE: Final = """
server:
  listen: ["127.0.0.1:5300", {address: "127.0.0.1:5301", vpc_id: vpc-a, wait: true}]
  clients: [10.0.0.0/8, 192.168.0.0/16]
  trusted_peers: ["::1/128"]
  responses_per_second: 100
  log: {queries: sampled, sample: 10, file: "-"}
answers: {suffix: alicloudapi.com, ttl: 60, negative_ttl: 10, denied: nodata, explain: code}
forward:
  upstreams: ["192.0.2.1", "dns.corp:53"]
  otherwise: nxdomain
  cache: {max_ttl: 5, min_ttl: 1, negative_max_ttl: 1, size: 1048576}
  rules:
    - domain: corp.example
      upstreams: ["192.0.2.2"]
      vpcs: [vpc-a]
      cache: {max_ttl: 5, min_ttl: 1, negative_max_ttl: 1}
    - {domain: other.example, upstreams: ["192.0.2.2"], cache: false}
admin: {listen: "127.0.0.1:5380", access_keys_file: keys.yaml, region_id: cn-hangzhou}
vpcs:
  - vpc_id: vpc-a
    region_id: cn-hangzhou
    cidr_blocks: [10.1.0.0/16]
    source_networks: [10.1.0.0/16]
    vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]
networks:
  - network_id: idc
    cidr_blocks: [192.168.0.0/16]
    source_networks: [192.168.0.0/16]
    resolves_as: vpc-a
    routes: [{destination: 10.1.0.0/16, via: vpn-1}]
connections:
  - connection_id: vpn-1
    type: ipsec
    vpc_id: vpc-a
    network_id: idc
    local_subnets: [10.1.0.0/16]
    remote_subnets: [192.168.0.0/16]
  - connection_id: cen-1
    type: cen
    edition: basic
    attachments: [vpc-a, idc]
    service_routes: [{host: 100.100.80.0/24, host_vpc_id: vpc-a, access: [idc]}]
instances:
  - {instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.100.80.10]}
  - instance_id: gw
    type: dedicated
    region_id: cn-hangzhou
    binding: {vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}
groups:
  - group_id: 523e8dc7bbe04613b5b1d726c2a7889d
    name: weather
    instance_id: gw
    region_id: cn-hangzhou
    vpc_domain: true
    custom_domains: [api.example.com]
private_zones:
  - zone: corp.internal
    zone_id: z-1
    vpcs: [vpc-a]
    fall_through: true
    rrset_order: fixed
    file: corp.internal.zone
    records:
      - {name: db, type: A, values: [10.1.0.9, 10.1.0.10], ttl: 60, enabled: true, record_ids: [1, 2]}
      - {name: alias, type: CNAME, values: [db]}
"""
ZONE_FILE: Final = "$TTL 60\nwww A 10.1.0.11\n"
SCENARIO: Final = """
about: a rehearsal
configuration: {vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]}
steps:
  - title: first
    changes: [attach cen-1 vpc-a]
    refused: no connection
    expect: [{from: vpc-a, name: a.example, answers: [10.1.0.9], rcode: NXDOMAIN, verdict: reachable}]
"""
WRONG: Final[tuple[object, ...]] = (
    *(None, True, -1, 10**30, 1.5, "", "x", "a b\n", "x" * 300),
    *([], [None], ["x"], [{}], {}, {"type": "A"}),
)
KEYS: Final = ("weight", "type", "mapping", "text", "name\n")


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def mistaken(whole: dict[str, Any], path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """The data with one mistake at that place: another value, an unknown key, a misspelt or a missing one."""
    for wrong in WRONG if path else ():
        made = copy.deepcopy(whole)
        at(made, path[:-1])[path[-1]] = wrong
        yield made
    if isinstance(at(whole, path), dict):
        for key in KEYS:
            made = copy.deepcopy(whole)
            at(made, path).setdefault(key, 1)
            yield made
        for key in at(whole, path):
            made = copy.deepcopy(whole)
            inner = at(made, path)
            value = inner.pop(key)
            yield copy.deepcopy(made)
            inner[key[:-1]] = value
            yield made


def said_with_places(error: ConfigurationError, file: str, text: str) -> None:
    lines = text.splitlines()
    assert error.problems
    for problem in error.problems:
        assert problem.what, problem
        assert problem.way_out, problem
        if problem.file == file:
            assert 1 <= problem.line <= len(lines), problem
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert "\n" not in str(problem)


@pytest.mark.parametrize("section", yaml.safe_load(WHOLE))
def test_a_mistake_at_any_place_of_a_configuration(section: str, tmp_path: Path) -> None:
    (tmp_path / "corp.internal.zone").write_text(ZONE_FILE)
    (tmp_path / "keys.yaml").write_text("id: secret\n")
    whole = yaml.safe_load(WHOLE)
    loads(json.dumps(whole), "f", folder=tmp_path)
    refused = 0
    for path in places(whole[section]):
        for made in mistaken(whole, (section, *path)):
            text = json.dumps(made, indent=1)
            try:
                loads(text, "f", folder=tmp_path)
            except ConfigurationError as error:
                refused += 1
                said_with_places(error, "f", text)
    assert refused > 25


def test_a_mistake_at_any_place_of_a_scenario(tmp_path: Path) -> None:
    file, whole = tmp_path / "scenario.yaml", yaml.safe_load(SCENARIO)
    refused = 0
    for path in places(whole):
        for made in mistaken(whole, path):
            text = json.dumps(made, indent=1)
            file.write_text(text)
            try:
                read_scenario(file)
            except ConfigurationError as error:
                refused += 1
                said_with_places(error, str(file), text)
    assert refused > 100


def test_a_scenario_of_another_kind_of_configuration(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("configuration: 3\nsteps: [{title: first}]\n")
    with pytest.raises(ConfigurationError) as raised:
        read_scenario(file)
    said = "scenario.yaml:1:16: configuration: expected a file's path or a mapping, found the number 3; "
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{name: a, type: A, values: [1.2.3.4], weight: 3}", "weight: unknown key; known here: enabled, "),
        ("{name: a, type: A, value: [1.2.3.4]}", "value: unknown key; did you mean `values`?"),
        ("{nam: a, type: A, values: [1.2.3.4]}", "nam: unknown key; did you mean `name`?"),
        ("{name: a, type: A}", "values: this key is missing; add it: the data of each, as in a zone file"),
        ("{name: a, values: [1.2.3.4]}", "type: this key is missing; add it: A, AAAA, CNAME, "),
        ("a A 1.2.3.4", "expected a mapping, found `a A 1.2.3.4`; give it keys (enabled, name, "),
        ("{name: a, type: 1, values: [1.2.3.4]}", "type: expected text, found the number 1; "),
    ],
)
def test_keys_of_records(record: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loads(f"private_zones: [{{zone: e.test, records: [{record}]}}]", "f")
    assert said in str(raised.value)
