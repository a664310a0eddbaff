"""What the admin server answers, and what changes in words are."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest

from tests.support.hybrid_cloud import DEDICATED_NAME, SERVERLESS_NAME, hybrid
from vpcdns.errors import MalformedChange, MalformedName, MalformedSource
from vpcdns.model.gateway import Binding, Group
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed, usage
from vpcdns.rehearsal.http_answers import path_answer, plan_answer


def test_a_path_as_data() -> None:
    answer = path_answer(hybrid(), SERVERLESS_NAME, "idc")
    assert json.loads(json.dumps(answer)) == answer
    assert list(answer) == ["source", "name", "resolution", "verdict", "dns", "hops", "problems"]
    assert answer["resolution"] == {
        "rcode": "NOERROR",
        "reason": "serverless-same-region",
        "addresses": ["100.100.80.10"],
    }
    assert answer["verdict"] == "no_route"
    assert {tuple(problem) for problem in answer["problems"]} == {("code", "detail", "remedy")}
    hops = path_answer(hybrid(), DEDICATED_NAME, "127.40.0.5")["hops"]
    assert hops[0] == {"at": "idc", "destination": "10.1.0.0/16", "via": "vpn-1"}


def test_what_cannot_be_read() -> None:
    with pytest.raises(MalformedSource, match="there are: vpc-a, vpc-b, vpc-c, idc"):
        path_answer(hybrid(), DEDICATED_NAME, "nowhere")
    with pytest.raises(MalformedName):
        path_answer(hybrid(), "a..b", "idc")
    with pytest.raises(MalformedChange, match="is not a change"):
        plan_answer(hybrid(), ["explode"])


WINDOW = {"ttl": 0, "negative_ttl": 0, "private_zones": [], "negative_zones": [], "own_ttl": False}


def test_a_plan_as_data() -> None:
    answer = plan_answer(hybrid(), ["bind gw vpc-b vsw-b"])
    assert json.loads(json.dumps(answer)) == answer
    assert (answer["changes"], answer["lost"], answer["gained"]) == (6, 4, 2)
    assert answer["cache_window"] == WINDOW | {"ttl": 60, "negative_ttl": 10, "own_ttl": True}
    nothing = plan_answer(hybrid(), [])
    assert nothing.pop("cache_window") == WINDOW
    assert nothing == {"changes": 0, "lost": 0, "gained": 0, "settings": [], "sections": []}


WORDS = [
    "bind gw vpc-b vsw-b 10.2.8.9",
    f"disable {'d' * 32}",
    f"enable {'d' * 32}",
    f"create-group {'e' * 32} gw 'a new one'",
    f"delete-group {'d' * 32}",
    f"migrate {'a' * 32} gw",
    f"add-domain {'d' * 32} *.example.org",
    f"remove-domain {'d' * 32} api.example.com",
    "route idc 100.64.0.0/10 cen-1",
    "unroute idc 10.1.0.0/16",
    "cut vpn-1",
    "destinations vpn-1 192.168.0.0/16",
    "publish vpn-1 cen",
    "unpublish vpn-1 vpc",
    "resolve-through idc vpc-a vpn-1",
    "selectors vpn-1 10.1.0.0/16,100.64.0.0/10 -",
    "attach cen-1 vpc-c",
    "detach cen-1 idc",
    "service-route cen-1 100.100.80.0/24 vpc-a idc,vpc-b",
    "resolve-as idc vpc-b",
    "resolve-as idc -",
    "edition cen-1 basic",
    "create-vswitch vpc-a vsw-new 10.1.9.0/24",
]


@pytest.mark.parametrize("text", WORDS)
def test_every_form_of_a_change(text: str) -> None:
    world = hybrid()
    after = changed(world, text)
    assert isinstance(after, World)
    assert after.revision > world.revision
    assert any(line.startswith(text.split(maxsplit=1)[0]) for line in usage())


def test_every_form_is_tried() -> None:
    assert {line.split()[0] for line in usage()} - {text.split()[0] for text in WORDS} == {
        *("unbind", "service-unroute", "delete-vswitch")  # there is nothing of it to take away
    }
    with pytest.raises(MalformedChange, match="rule 6"):
        changed(hybrid(), "unbind gw")


def test_words_become_the_changes_they_name() -> None:
    world, key = hybrid(), ("cn-hangzhou", "gw")
    for instance in ("gw", "cn-hangzhou/gw"):
        binding = changed(world, f"bind {instance} vpc-b vsw-b").instances[key].binding
        assert binding == Binding("vpc-b", "vsw-b", IPv4Address("10.2.8.1"))
    assert changed(world, f"migrate {'a' * 32} gw").groups["a" * 32].instance_key == key
    assert changed(world, f"create-group {'e' * 32} gw new").groups["e" * 32] == Group(
        "e" * 32, "gw", "cn-hangzhou", "new"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bind cn-x/gw vpc-b vsw-b", "there is no instance gw in cn-x"),
        ("", "is not a change"),
        ("bind 'gw", "cannot be read"),
        ("x" * 1_000_000, "a change has at most 4000 characters"),
        ("bind nowhere vpc-b vsw-b", "there is no instance nowhere"),
        ("bind gw vpc-b vsw-b 10.2", "write: bind"),
        ("route idc 10.1.0.1/16 vpn-1", "has host bits set"),
        ("route idc 10.1.0.0/16 nowhere", "there is no connection nowhere"),
        ("route nowhere 10.1.0.0/16 vpn-1", "there is no network, VPC or CEN nowhere"),
        ("unroute idc 10.9.0.0/16", "there is no route to 10.9.0.0/16"),
        ("cut nowhere", "there is no connection nowhere"),
        ("selectors cen-1 - -", "there is no IPsec connection cen-1"),
        ("attach vpn-1 vpc-c", "there is no CEN vpn-1"),
        ("attach cen-1 nowhere", "there is no VPC or network nowhere"),
        ("service-route cen-1 10.0.0.0/8 vpc-a idc", "outside 100.64.0.0/10"),
        ("service-route cen-1 100.64.0.0/10 vpc-c idc", "not attached"),
        ("resolve-as idc nowhere", "there is no VPC nowhere"),
        (f"add-domain {'d' * 32} a..b", "write: add-domain GROUP DOMAIN"),
    ],
)
def test_what_is_no_change(text: str, said: str) -> None:
    with pytest.raises(MalformedChange) as caught:
        changed(hybrid(), text)
    assert said in str(caught.value)


def test_cutting_withdraws_routes_and_detaching_service_routes() -> None:
    world = hybrid()
    assert changed(world, "cut vpn-1").topology.networks["idc"].routes == ()
    world = changed(world, "service-route cen-1 100.64.0.0/10 vpc-a idc,vpc-b")
    world = changed(world, "route idc 10.0.0.0/8 cen-1")
    without = changed(world, "detach cen-1 idc")
    assert [route.via for route in without.topology.networks["idc"].routes] == ["vpn-1"]
    connection = without.topology.connections["cen-1"]
    assert [route.access for route in getattr(connection, "service_routes")] == [("vpc-b",)]  # noqa: B009
    assert getattr(changed(world, "detach cen-1 vpc-a").topology.connections["cen-1"], "service_routes") == ()  # noqa: B009
