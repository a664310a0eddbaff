"""What is told of a decided query: the same keys always, nothing longer than its limit."""

from __future__ import annotations

import json
from typing import Any

from tests.support import example_world
from tests.support.decided_queries import HOSTILE, decided, relayed, state
from vpcdns.observe.query_record import MAX_ANSWERS, MAX_TEXT, decision_data, log_data
from vpcdns.observe.query_record import record_of as value_of
from vpcdns.query import Arrival, Drop, Response

KEYS = [
    *("time", "client", "vpc_id", "network_id", "protocol", "qname", "qtype", "rcode", "reason", "answers"),
    *("duration_ms", "revision", "extended_error"),
]


def data(told: tuple[Arrival, Response | Drop]) -> dict[str, Any]:
    told_of = log_data(value_of(1_700_000_000.25, 0.00125, 7, *told))
    assert list(told_of) == KEYS
    return told_of


def test_an_answer() -> None:
    assert data(decided(state(), example_world.DEDICATED_NAME)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "client": example_world.IN_A,
        "vpc_id": example_world.VPC_A,
        "network_id": None,
        "protocol": "udp",
        "qname": example_world.DEDICATED_NAME,
        "qtype": "A",
        "rcode": "NOERROR",
        "reason": "dedicated-bound-vpc",
        "answers": [f"A {example_world.ENDPOINT}"],
        "duration_ms": 1.25,
        "revision": 7,
        "extended_error": None,
    }


def test_a_denial_has_its_extended_error() -> None:
    told = data(decided(state(), client=example_world.IN_B))
    assert (told["rcode"], told["reason"], told["extended_error"]) == ("NXDOMAIN", "other-vpc", 18)
    assert told["vpc_id"] == example_world.VPC_B


def test_a_client_on_premises_has_its_network() -> None:
    told = data(decided(state(), client=example_world.ON_PREMISES))
    assert (told["vpc_id"], told["network_id"]) == (example_world.VPC_A, "idc")


def test_a_custom_domain_tells_the_target_but_not_the_name_again() -> None:
    told = data(decided(state(), example_world.CUSTOM))
    assert told["answers"] == [f"CNAME {example_world.DEDICATED_NAME}", f"A {example_world.ENDPOINT}"]
    assert json.dumps(told).count(example_world.CUSTOM) == 1


def test_a_relayed_answer_tells_addresses_and_targets() -> None:
    records = (
        *("www.example.net 60 IN CNAME web.example.net.", "web.example.net 60 IN A 192.0.2.7"),
        *("web.example.net 60 IN AAAA 2001:db8::7", "web.example.net 60 IN MX 10 mail.example.net."),
    )
    told = data(relayed(state(), "www.example.net", *records))
    assert told["answers"] == ["CNAME web.example.net", "A 192.0.2.7", "AAAA 2001:db8::7", "MX"]
    assert told["reason"] == "forwarded"


def test_a_relayed_rcode_that_has_no_name_here_is_its_number() -> None:
    assert data(relayed(state(), "www.example.net", rcode=9))["rcode"] == "RCODE9"


def test_many_answers_are_capped() -> None:
    records = [f"www.example.net 60 IN A 192.0.2.{number}" for number in range(20)]
    told = data(relayed(state(), "www.example.net", *records))
    assert len(told["answers"]) == MAX_ANSWERS + 1
    assert told["answers"][-1] == "and 12 more"


def test_a_long_name_is_cut() -> None:
    name = ".".join(["\\001" * 40] * 5) + ".localhost"
    assert len(data(decided(state(), name))["qname"]) == MAX_TEXT


def test_a_malformed_query_tells_what_could_be_read() -> None:
    told = data(decided(state(), message=b"\0\1\1\0\0\2" + bytes(6)))
    assert (told["qname"], told["rcode"], told["reason"]) == (None, "FORMERR", "malformed")


def test_a_message_that_is_owed_nothing() -> None:
    told = data(decided(state(), message=b"?"))
    assert (told["client"], told["rcode"], told["reason"]) == (example_world.IN_A, None, "malformed")


def test_a_hostile_name_stays_text() -> None:
    told = json.dumps(data(decided(state(), HOSTILE)))
    assert told.isascii()
    assert told.isprintable()
    assert json.loads(told)["qname"].startswith('<img\\032src=x\\032onerror=\\"alert\\(1\\)\\">.a\\010b')


def test_the_steps_are_for_the_admin_server() -> None:
    told = decision_data(value_of(0, 0, 1, *decided(state())))
    assert told["steps"][0]["step"] == "client"
