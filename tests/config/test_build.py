"""The rules on whole configurations: every problem, with the place of the field at fault."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpcdns.config import Loaded, loads
from vpcdns.errors import ConfigurationError, Problem

G1, G2 = "1" * 31 + "a", "2" * 31 + "b"
TOPOLOGY = """\
vpcs:
  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/29}]}
  - {vpc_id: vpc-b, region_id: cn-shanghai, cidr_blocks: [10.2.0.0/16]}
networks:
  - {network_id: idc, cidr_blocks: [192.168.0.0/16], resolves_as: vpc-a}
"""
DEDICATED = "  - {instance_id: ded, type: dedicated, region_id: cn-hangzhou"
BOUND = DEDICATED + ", binding: {vpc_id: vpc-a, vswitch_id: vsw-a}}\n"
SHARED = "  - {instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.64.0.1]}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loads(text, "f")
    return str(raised.value).splitlines()


def with_instances(*lines: str, groups: str = "") -> str:
    return TOPOLOGY + "instances:\n" + "".join(lines) + (f"groups:\n{groups}" if groups else "")


def with_groups(groups: str, *lines: str) -> list[str]:
    return problems(with_instances(*(lines or (SHARED, BOUND)), groups=groups))


def addresses(loaded: Loaded) -> dict[str, str]:
    bindings = ((i.instance_id, i.binding) for i in loaded.world.instances.values())
    return {name: str(binding.address) for name, binding in bindings if binding}


def test_automatic_addresses_give_way_to_given_ones() -> None:
    text = with_instances(
        BOUND,
        BOUND.replace("ded", "two").replace("two" + "icated", "dedicated"),
        BOUND.replace("id: ded", "id: three").replace("vsw-a}", "vsw-a, address: 10.1.8.1}"),
    )
    loaded = loads(text)
    assert addresses(loaded) == {"ded": "10.1.8.2", "two": "10.1.8.3", "three": "10.1.8.1"}
    endpoints = loaded.world.endpoints
    assert endpoints[("vpc-a", IPv4Address("10.1.8.1"))] == ("cn-hangzhou", "three")


def test_a_vswitch_can_be_full() -> None:
    lines = [BOUND.replace("id: ded", f"id: i{number}") for number in range(5)]
    assert problems(with_instances(*lines)) == [
        (
            "f:12:101: instances[4].binding.vswitch_id: instance i4: vSwitch vsw-a (10.1.8.0/29) has no free"
            " address (rule 4, binding); bind it to a larger vSwitch"
        )
    ]


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        (
            "vpc_id: vpc-x, vswitch_id: vsw-y",
            (
                "f:8:83: instances[0].binding.vpc_id: instance ded: there is no VPC"
                " vpc-x (rule 4, binding); add it under `vpcs`, or correct the id"
            ),
        ),
        (
            "vpc_id: vpc-b, vswitch_id: vsw-y",
            (
                "f:8:83: instances[0].binding.vpc_id: instance ded: it is in"
                " cn-hangzhou, but VPC vpc-b is in cn-shanghai (rule 4, binding); bind it to a VPC of"
                " cn-hangzhou,"
                " and reach it from elsewhere over CEN"
            ),
        ),
        (
            "vpc_id: vpc-a, vswitch_id: vsw-y",
            (
                "f:8:102: instances[0].binding.vswitch_id: instance ded: VPC vpc-a"
                " has no vSwitch vsw-y (rule 4, binding); name one of its vSwitches (vsw-a), or add it"
                " to the VPC's"
                " `vswitches`"
            ),
        ),
        (
            "vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.9.1",
            (
                "f:8:118: instances[0].binding.address:"
                " instance ded: 10.1.9.1 is not in vsw-a's block 10.1.8.0/29 (rule 4, binding); take an"
                " address of"
                " the vSwitch, or leave `address` out"
            ),
        ),
    ],
)
def test_bindings(binding: str, expected: str) -> None:
    text = with_instances(f"{DEDICATED}, binding: {{{binding}}}}}\n")
    assert problems(text) == [expected]


def test_an_endpoint_given_twice() -> None:
    line = BOUND.replace("vsw-a}", "vsw-a, address: 10.1.8.3}")
    assert problems(with_instances(line, line.replace("id: ded", "id: two"))) == [
        (
            "f:9:118: instances[1].binding.address: instance two: 10.1.8.3 is already the endpoint of"
            " instance"
            " ded (rule unique); take another address, or leave `address` out"
        )
    ]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (
            "instance_id: nope",
            (
                "f:11:63: groups[0].instance_id: there is no instance nope;"
                " add it under `instances`, or correct the id"
            ),
        ),
        (
            "instance_id: ded, region_id: cn-shanghai",
            (
                f"f:11:63: groups[0].instance_id: group {G1}: there is no"
                " instance ded in cn-shanghai (rule 1, one-instance); add it under `instances`, or correct"
                " the id"
            ),
        ),
        (
            "instance_id: free, vpc_domain: true",
            (
                f"f:11:81: groups[0].vpc_domain: group {G1}: its VPC domain"
                " is on, but dedicated instance free is not bound to a VPC (rule 6, bound-before-enabled);"
                " bind free first, or switch the VPC domain off"
            ),
        ),
        (
            "instance_id: shared, custom_domains: [a.example]",
            (
                f"f:11:87: groups[0].custom_domains: group {G1}:"
                " custom domains do not reach serverless instance shared (rule 9, custom-domain); move"
                " the group to a"
                " dedicated instance, or remove its custom domains"
            ),
        ),
        (
            "instance_id: ded, custom_domains: [a.alicloudapi.com]",
            (
                "f:11:85: groups[0].custom_domains[0]:"
                f" group {G1}: custom domain a.alicloudapi.com lies under alicloudapi.com, whose names"
                f" are not given"
                " away (rule 9, custom-domain); take a domain of your own"
            ),
        ),
        (
            "instance_id: ded, custom_domains: [a.example, A.example]",
            (
                "f:11:96: groups[0].custom_domains[1]:"
                " custom domain A.example: it is there twice (rule unique); give each its own id, or"
                " remove one"
            ),
        ),
    ],
)
def test_groups(group: str, expected: str) -> None:
    free = "  - {instance_id: free, type: dedicated, region_id: cn-hangzhou}\n"
    text = with_instances(SHARED, BOUND.rstrip(), "\n" + free.rstrip(), groups="")
    line = text.count("\n") + 3
    found = problems(f"{text}\ngroups:\n  - {{group_id: {G1}, {group}}}\n")
    assert found == [expected.replace("f:11:", f"f:{line}:")]


def test_an_instance_id_in_two_regions() -> None:
    other = SHARED.replace("hangzhou", "shanghai")
    (found,) = with_groups(f"  - {{group_id: {G1}, instance_id: shared}}\n", SHARED, other)
    assert found == (
        "f:11:5: groups[0].region_id: instance shared is in cn-hangzhou, cn-shanghai;"
        " say which by `region_id`"
    )
    group = f"  - {{group_id: {G1}, instance_id: shared, region_id: cn-shanghai}}\n"
    world = loads(with_instances(SHARED, other, groups=group)).world
    assert world.groups[G1].region_id == "cn-shanghai"


def test_custom_domains_and_groups_are_unique() -> None:
    lines = [
        f"  - {{group_id: {G1}, instance_id: ded, custom_domains: [a.example]}}\n",
        f"  - {{group_id: {G1}, instance_id: ded}}\n",
        f"  - {{group_id: {G2}, instance_id: ded, custom_domains: [a.example]}}\n",
    ]
    assert with_groups("".join(lines)) == [
        (
            f"f:12:16: groups[1].group_id: group {G1}: it is there twice (rule unique);"
            " give each its own id, or remove one"
        ),
        (
            f"f:13:85: groups[2].custom_domains[0]: group {G2}: custom domain a.example belongs to group"
            f" {G1} already (rule unique); remove it there, or here"
        ),
    ]


def test_source_networks_claimed_twice() -> None:
    text = TOPOLOGY.replace("10.2.0.0/16", "10.1.0.0/16")
    assert problems(text) == [
        (
            "f:4:59: vpcs[1].cidr_blocks[0]: VPC vpc-b: 10.1.0.0/16 is already a source network of VPC vpc-a"
            " (rule source-network); give one of them other `source_networks` to stand in for it, or a"
            " listener"
            " of its own (`server.listen: [{address: …, vpc_id: …}]`)"
        )
    ]
    loads(text.replace("shanghai, ", "shanghai, source_networks: [], "))


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        (
            '{address: "127.0.0.1:1", vpc_id: vpc-x}',
            ("server.listen[0].vpc_id: there is no VPC vpc-x; add it under `vpcs`, or correct the id"),
        ),
        (
            '"127.0.0.1:1", "127.0.0.1:1"',
            (
                "server.listen[1]: 127.0.0.1:1 clashes with the listener on"
                " 127.0.0.1:1; give it another address or port, or remove it"
            ),
        ),
        (
            '"0.0.0.0:1", {address: "127.0.0.1:1", vpc_id: vpc-a}',
            (
                "server.listen[1].address: 127.0.0.1:1"
                " clashes with the listener on 0.0.0.0:1; give it another address or port, or remove it"
            ),
        ),
    ],
)
def test_listeners(listen: str, expected: str) -> None:
    (found,) = problems(f"{TOPOLOGY}server: {{listen: [{listen}]}}\n")
    assert found.split(": ", 1)[1] == expected


def test_listeners_that_may_stand_together() -> None:
    loaded = loads('server: {listen: ["0.0.0.0:1", "[::]:1", "127.0.0.1:2", "127.0.0.1:0", "127.0.0.1:0"]}')
    assert len(loaded.listens) == 5


def test_forwarding() -> None:
    text = """\
server: {listen: ["127.0.0.1:53"]}
forward:
  upstreams: ["127.0.0.1"]
  rules:
    - {domain: corp.example, upstreams: ["10.0.0.2"]}
    - {domain: CORP.example, upstreams: ["10.0.0.3"]}
    - {domain: corp.example, upstreams: ["10.0.0.3"], vpcs: [vpc-x]}
"""
    assert problems(text) == [
        (
            "f:3:15: forward.upstreams[0]: 127.0.0.1 is our own listener on 127.0.0.1:53: queries would"
            " go round;"
            " name another DNS server"
        ),
        (
            "f:6:16: forward.rules[1].domain: CORP.example has a rule for everybody already,"
            " forward.rules[0];"
            " put the upstreams into one rule"
        ),
        "f:7:62: forward.rules[2].vpcs[0]: there is no VPC vpc-x; add it under `vpcs`, or correct the id",
    ]


def test_admin() -> None:
    loaded = loads("admin: {access_keys_file: keys.yaml}\n" + with_instances(SHARED), folder=Path("x"))
    assert loaded.admin is not None
    assert (loaded.admin.access_keys_file, loaded.admin.region_id) == (Path("x/keys.yaml"), None)
    assert loads("admin: {region_id: cn-x}").admin is not None, "where there is nothing yet"
    assert problems("admin: {listen: '127.0.0.1:5300', region_id: cn-x}\n" + with_instances(SHARED)) == [
        (
            "f:1:17: admin.listen: 127.0.0.1:5300 clashes with the DNS listener on 127.0.0.1:5300;"
            " give it another port"
        ),
        (
            "f:1:46: admin.region_id: no VPC and no instance is in cn-x;"
            " name a region that is in use (cn-hangzhou, cn-shanghai)"
        ),
    ]


def test_the_only_region_is_admins() -> None:
    loaded = loads("admin: {}\ninstances:\n" + SHARED)
    assert loaded.admin is not None
    assert loaded.admin.region_id == "cn-hangzhou"


def test_topology() -> None:
    text = """\
vpcs:
  - vpc_id: vpc-a
    region_id: r
    cidr_blocks: [10.1.0.0/16]
    vswitches:
      - {vswitch_id: v, cidr_block: 10.1.0.0/24}
      - {vswitch_id: v, cidr_block: 10.1.1.0/24}
  - {vpc_id: vpc-a, region_id: r, cidr_blocks: [10.3.0.0/16]}
networks:
  - {network_id: vpc-a, cidr_blocks: [192.168.0.0/16], resolves_as: vpc-x}
  - {network_id: net, cidr_blocks: [192.169.0.0/16], routes: [{destination: 10.0.0.0/8, via: c}]}
connections:
  - {connection_id: i, type: ipsec, vpc_id: net, network_id: net,
     local_subnets: [10.0.0.0/8], remote_subnets: [192.169.0.0/16]}
"""
    twice = "give each its own id, or remove one"
    assert problems(text) == [
        f"f:7:22: vpcs[0].vswitches[1].vswitch_id: vSwitch v: it is there twice (rule unique); {twice}",
        f"f:8:14: vpcs[1].vpc_id: `vpc-a` is there twice; {twice}",
        f"f:10:18: networks[0].network_id: `vpc-a` is there twice; {twice}",
        (
            "f:10:69: networks[0].resolves_as: network vpc-a: there is no VPC vpc-x (rule 10, hybrid);"
            " add it under `vpcs`, or correct the id"
        ),
        (
            "f:11:94: networks[1].routes[0].via: network net: there is no connection c (rule reference);"
            " add it under `connections`, or correct the id"
        ),
        (
            "f:13:45: connections[0].vpc_id: connection i: there is no VPC net (rule reference);"
            " add it under `vpcs`, or correct the id"
        ),
    ]


def test_sound_parts_are_checked_beside_broken_ones() -> None:
    """A reference to a part with errors is not called missing, one to nothing is; indices are the file's."""
    broken = "  - {instance_id: broken, type: dedicated, region_id: 5}\n"
    groups = "".join(
        f"  - {{group_id: {digit * 31}a, instance_id: {name}}}\n"
        for digit, name in (("1", "broken"), ("2", "nope"), ("3", "ded"))
    )
    assert with_groups(groups, broken, BOUND) == [
        "f:8:55: instances[0].region_id: expected text, found the number 5; put quotes around it",
        (
            "f:12:63: groups[1].instance_id: there is no instance nope;"
            " add it under `instances`, or correct the id"
        ),
    ]


def found_in(octets: bytes) -> tuple[Problem, ...]:
    """The problems of any octets; nothing but ConfigurationError may be raised."""
    try:
        loads(octets, "f")
    except ConfigurationError as error:
        return error.problems
    return ()


configurations = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["vpc-a", "10.1.0.0/16", "dedicated", "cen", G1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "vpcs",
                    "vpc_id",
                    "instances",
                    "type",
                    "binding",
                    "groups",
                    "group_id",
                    "server",
                    "listen",
                    "address",
                    "networks",
                    "connections",
                    "cidr_blocks",
                    "region_id",
                    "instance_id",
                    "zz",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["vpcs", "instances", "groups", "server", "connections"]), configurations)
)
def test_any_data_loads_or_is_refused_with_a_place(data: dict[str, object]) -> None:
    found = found_in(json.dumps(data).encode())
    assert all(problem.line for problem in found)


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_any_octets_load_or_are_refused(octets: bytes) -> None:
    assert all(str(problem).isprintable() for problem in found_in(octets))


def test_listeners_that_wait() -> None:
    text = "server: {listen: [{address: '10.9.0.53:53', wait: true}, {address: '[fd00::53]:53'}, '[::1]:53']}"
    assert [(str(one), one.wait) for one in loads(text).listens] == [
        ("10.9.0.53:53", True),
        ("[fd00::53]:53", False),
        ("[::1]:53", False),
    ]
    with pytest.raises(ConfigurationError) as raised:
        loads("server: {listen: [{address: '0.0.0.0:53', wait: true}]}", "f")
    assert str(raised.value) == (
        "f:1:49: server.listen[0].wait: 0.0.0.0 is every address, which need not be waited for;"
        " remove it, or name one address"
    )
