"""One value at a time: what the schema takes, and in which words it refuses the rest."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from vpcdns.config import json_schema, loads, written
from vpcdns.config.schema import Configuration
from vpcdns.errors import ConfigurationError
from vpcdns.model.policy import UpstreamName

GROUP = "523e8dc7bbe04613b5b1d726c2a7889d"
NO_HOST_NAMES = "write an IP address: host names are not looked up here"
NAME = "write a domain name such as corp.example"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loads(text, "f")
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server: {lisen: []}", "f:1:10: server.lisen: unknown key; did you mean `listen`?"),
        (
            "answers:\n  zzz: 1",
            "f:2:3: answers.zzz: unknown key; known here: denied, explain, negative_ttl, suffix, ttl",
        ),
        ("vpc: []", "f:1:1: vpc: unknown key; did you mean `vpcs`?"),
        ("forward:", "f:1:9: forward: expected a mapping, found nothing; fill it in, or remove the key"),
        ("vpcs:", "f:1:6: vpcs: expected a list, found nothing; write [] for none, or remove the key"),
        ("vpcs: {}", "f:1:7: vpcs: expected a list, found a mapping; write a list: [ … ]"),
        (
            "answers: {ttl: '60'}",
            "f:1:16: answers.ttl: expected a whole number, found `60`; write digits alone, without quotes",
        ),
        (
            "answers: {ttl: true}",
            "f:1:16: answers.ttl: expected a whole number, found true; write digits alone, without quotes",
        ),
        (
            "answers: {ttl: 6.5}",
            (
                "f:1:16: answers.ttl: expected a whole number, found a number with a fraction or an exponent;"
                " write digits alone, without quotes"
            ),
        ),
        ("answers: {ttl: -1}", "f:1:16: answers.ttl: the number is too small; write 0 or more"),
        ("answers: {ttl: 604801}", "f:1:16: answers.ttl: the number is too large; write 604,800 or less"),
        (
            "answers: {denied: NXDOMAIN}",
            (
                "f:1:19: answers.denied: `NXDOMAIN` is not one of nxdomain, nodata, refused, drop;"
                " choose one of them"
            ),
        ),
        (
            "answers: {explain: false}",
            "f:1:20: answers.explain: expected text, found false; put quotes around it",
        ),
        (
            "answers: {suffix: '*.example'}",
            "f:1:19: answers.suffix: *.example is a wildcard; write example: it covers what lies below it",
        ),
        (
            "answers: {suffix: a..b}",
            (
                f"f:1:19: answers.suffix: `a..b` is not a domain name"
                f" (a label must have 1 to 63 octets); {NAME}"
            ),
        ),
        (
            "answers: {suffix: straße.de}",
            (
                "f:1:19: answers.suffix: `straße.de` is not a domain name"
                " (it has characters outside ASCII); write its A-label (xn--…)"
            ),
        ),
        (
            "answers: {suffix: 'https://a.b/'}",
            (
                "f:1:19: answers.suffix: `https://a.b/` is not a domain name;"
                f" {NAME}, without scheme, port or path"
            ),
        ),
        (
            "answers: {suffix: a b}",
            (
                f"f:1:19: answers.suffix: `a b` is not a domain name"
                f" (letters, digits, `-` and `_` only); {NAME}"
            ),
        ),
        (
            "server: {listen: []}",
            (
                "f:1:18: server.listen: an empty list is not allowed here;"
                " give it at least one item, or remove the key"
            ),
        ),
        (
            "server: {listen: [localhost:53]}",
            (f"f:1:19: server.listen[0]: `localhost` is not an address; {NO_HOST_NAMES}"),
        ),
        (
            "server: {listen: ['127.0.0.1:x']}",
            ("f:1:19: server.listen[0]: `x` is not a port; write 1 to 65535 behind the colon"),
        ),
        (
            "server: {listen: ['[::1:53']}",
            (
                "f:1:19: server.listen[0]: `[::1:53` has a bracket too few or too many;"
                " write it like [::1]:5300"
            ),
        ),
        (
            "server: {listen: [':53']}",
            ("f:1:19: server.listen[0]: `:53` names no address; write 0.0.0.0:53 for all of them"),
        ),
        (
            "server: {listen: ['fe80::1%eth0']}",
            (
                "f:1:19: server.listen[0]: `fe80::1%eth0` has a zone;"
                " take an address that means the same on any interface"
            ),
        ),
        (
            "server: {listen: ['::ffff:127.0.0.1']}",
            ("f:1:19: server.listen[0]: `::ffff:127.0.0.1` is an IPv4-mapped IPv6 address; write 127.0.0.1"),
        ),
        (
            "server: {listen: [53]}",
            (
                "f:1:19: server.listen[0]: expected an address and a port, found the number"
                ' 53; write "127.0.0.1:5300", or {address: "127.0.0.1:5300", vpc_id: …}'
            ),
        ),
        (
            "server: {listen: [{vpc_id: v}]}",
            (
                "f:1:19: server.listen[0].address: this key is missing;"
                " add it: address and port to listen on; without a port it is 53"
            ),
        ),
        (
            "forward: {upstreams: ['10.0.0.2:0']}",
            (
                "f:1:23: forward.upstreams[0]: nobody answers on port 0;"
                " write the upstream's port, or none for 53"
            ),
        ),
        (
            "server: {clients: [10.0.0.1/8]}",
            (
                "f:1:20: server.clients[0]: 10.0.0.1/8 has bits set behind the"
                " prefix; write 10.0.0.0/8, or 10.0.0.1/32 for the one address"
            ),
        ),
        (
            "server: {clients: [10.0.0.1]}",
            ("f:1:20: server.clients[0]: `10.0.0.1` is an address, not a prefix; write 10.0.0.1/32"),
        ),
        (
            "server: {clients: [10.0.0.0/33]}",
            ("f:1:20: server.clients[0]: `33` is not a prefix length; write 0 to 32 behind the slash"),
        ),
        (
            "server: {clients: [10.0.0.0/]}",
            ("f:1:20: server.clients[0]: the prefix length is missing; write 0 to 32 behind the slash"),
        ),
        (
            f"groups: [{{group_id: {GROUP}}}]",
            (
                "f:1:10: groups[0].instance_id: this key is missing;"
                " add it: the gateway instance that it lives on"
            ),
        ),
        (
            "private_zones: [{zone: a.b, records: [{name: x, type: A}]}]",
            (
                "f:1:39: private_zones[0].records[0].values: this key is missing;"
                " add it: the data of each, as in a zone file"
            ),
        ),
        (
            "groups: [{group_id: ABC, instance_id: a}]",
            (
                "f:1:21: groups[0].group_id: `ABC` is not a group_id:"
                " 32 lower-case hexadecimal digits; copy it from the console,"
                f" e.g. {GROUP}"
            ),
        ),
        (
            f"groups: [{{group_id: {'1' * 32}, instance_id: a}}]",
            (f"f:1:21: groups[0].group_id: expected text, found the number {'1' * 32}; put quotes around it"),
        ),
        (
            "instances: [5]",
            (
                "f:1:13: instances[0]: expected a mapping, found the number 5;"
                " give it keys (addresses, binding, instance_id, region_id, type)"
            ),
        ),
        (
            "instances: [{instance_id: a}]",
            ("f:1:13: instances[0].type: this key is missing; add it: one of dedicated, serverless"),
        ),
        (
            "instances: [{type: [x]}]",
            "f:1:20: instances[0].type: expected text, found a list; choose one of them",
        ),
        (
            "instances: [{type: shared}]",
            ("f:1:20: instances[0].type: `shared` is not one of dedicated, serverless; choose one of them"),
        ),
        (
            "instances: [{instance_id: a, type: dedicated, region_id: r, addresses: [100.64.0.1]}]",
            (
                "f:1:61: instances[0].addresses: this key is for type serverless, and here the type is"
                " dedicated;"
                " remove it, or make the type serverless"
            ),
        ),
        (
            "instances: [{instance_id: a b, type: dedicated, region_id: r}]",
            (
                "f:1:27: instances[0].instance_id:"
                " `a b` is not an id; use letters, digits, `-`, `_` and `.`, a letter or digit at each end"
            ),
        ),
        (
            "instances: [{instance_id: a, type: dedicated, region_id: CN}]",
            (
                "f:1:58: instances[0].region_id:"
                " `CN` is not a region id; use lower-case letters, digits and hyphens, e.g. cn-hangzhou"
            ),
        ),
        (
            "instances: [{instance_id: " + "a" * 129 + ", type: dedicated, region_id: r}]",
            "f:1:27: instances[0].instance_id: longer than 128 characters; shorten it",
        ),
        (
            "admin: {access_keys_file: ''}",
            (
                "f:1:27: admin.access_keys_file: an empty text is not allowed here;"
                " fill it in, or remove the key"
            ),
        ),
        (
            'admin: {access_keys_file: "a\\0b"}',
            ("f:1:27: admin.access_keys_file: `a\\x00b` has control characters; remove them"),
        ),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_all_at_once_and_in_the_order_of_the_text() -> None:
    text = "answers: {ttl: no, denied: x}\nvpcs: 5\nserver: {clients: [10.0.0.1/8]}\nzz: 1\n"
    places = [line.split(": ")[1] for line in problems(text)]
    assert places == ["answers.ttl", "answers.denied", "vpcs", "server.clients[0]", "zz"]


def test_defaults() -> None:
    loaded = loads("{}")
    assert [str(listen) for listen in loaded.listens] == ["127.0.0.1:5300"]
    assert (loaded.admin, loaded.upstreams_given) == (None, False)
    answers = loaded.world.answers
    assert (str(answers.suffix), answers.ttl, answers.negative_ttl) == ("alicloudapi.com", 60, 10)
    assert (answers.denied.value, answers.explain.value) == ("nxdomain", "full")
    assert {str(prefix) for prefix in loaded.world.access.trusted_peers} == {"127.0.0.0/8", "::1/128"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:5300", "127.0.0.1:5300"),
        ("127.0.0.1", "127.0.0.1:53"),
        ("[::1]:5300", "[::1]:5300"),
        ("[::1]", "[::1]:53"),
        ("::1", "[::1]:53"),
        ("0.0.0.0:0", "0.0.0.0:0"),
    ],
)
def test_endpoints(text: str, address: str) -> None:
    loaded = loads(json.dumps({"server": {"listen": [text]}}))
    assert [str(listen) for listen in loaded.listens] == [address]


@pytest.mark.parametrize("given", [None, [], ["192.0.2.1", "192.0.2.2:5353"]])
def test_upstreams_given_or_not(given: list[str] | None) -> None:
    loaded = loads(json.dumps({"forward": {"upstreams": given}}))
    assert loaded.upstreams_given is (given is not None)
    assert [str(upstream) for upstream in loaded.world.forwarding.upstreams] == (given or [])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("dns.corp", "dns.corp", 53),
        ("unbound:53", "unbound", 53),
        ("Unbound:5353", "unbound", 5353),
        ("dns-1.corp.example.", "dns-1.corp.example", 53),
        ("my_dns", "my_dns", 53),
        ("1a.example", "1a.example", 53),
    ],
)
def test_upstreams_by_name(text: str, host: str, port: int) -> None:
    rules = [{"domain": "corp.example", "upstreams": [text]}]
    world = loads(json.dumps({"forward": {"upstreams": [text], "rules": rules}})).world
    assert list(world.forwarding.names) == [UpstreamName(host, port)] * 2
    assert loads(json.dumps(written(world))).world.forwarding == world.forwarding


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.300", "`10.0.0.300` is not an address; write one such as 10.1.8.20"),
        ("10.0.0.300:53", "`10.0.0.300` is not an address; write one such as 10.1.8.20"),
        ("dns..corp", "`dns..corp` is no host name; write one such as dns.corp, or an address"),
        ("dns corp", "`dns corp` is no host name; write one such as dns.corp, or an address"),
        ("-dns", "`-dns` is no host name; write one such as dns.corp, or an address"),
        ("münchen.example", "`münchen.example` is no host name; write one such as dns.corp, or an address"),
        ("dns.corp:0", "nobody answers on port 0; write the upstream's port, or none for 53"),
        ("dns.corp:dns", "`dns` is not a port; write 1 to 65535 behind the colon"),
        ("a" * 64, f"`{'a' * 60}…` is longer than a host name can be; write an address"),
    ],
)
def test_what_is_no_upstream(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loads(json.dumps({"forward": {"upstreams": [text]}}))
    (found,) = raised.value.problems
    assert f"{found.what}; {found.way_out}" == problem


def test_off_is_a_word() -> None:
    assert loads("answers: {explain: off}").world.answers.explain.value == "off"


def test_json_schema_describes_everything() -> None:
    schema = json_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"] == "vpcdns configuration"
    json.dumps(schema)
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert part["description"]
        assert all(field.get("description") for field in part["properties"].values()), part["title"]


def test_json_schema_patterns() -> None:
    listen: Any = json_schema()["$defs"]["Server"]["properties"]["listen"]
    pattern = re.compile(listen["items"]["oneOf"][0]["pattern"])
    assert listen["default"] == ["127.0.0.1:5300"]
    assert all(map(pattern.search, ["127.0.0.1:53", "127.0.0.1", "[::1]:53", "::1", "2001:db8::1"]))
    assert not any(map(pattern.search, ["localhost", "localhost:53", "127.0.0.256", "127.0.0.1:"]))


def test_a_configuration_can_be_written_back() -> None:
    text = {"server": {"listen": ["127.0.0.1:53"]}, "forward": {"upstreams": ["192.0.2.1"]}}
    written = Configuration.model_validate(text).model_dump(exclude_unset=True)
    assert written == text
