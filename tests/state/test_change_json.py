"""Changes as JSON and back."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.support.world_strategies import ALL_CHANGES, ZONE_CHANGES
from vpcdns.errors import MalformedChange
from vpcdns.model.changes import Bind, Change
from vpcdns.state.change_json import CHANGES as KINDS
from vpcdns.state.change_json import decode_change, encode_change


@given(ALL_CHANGES | ZONE_CHANGES)
def test_a_change_is_read_back(change: Change) -> None:
    read = decode_change(json.loads(json.dumps(encode_change(change))))
    assert read == change
    assert encode_change(read) == encode_change(change), "the case of names too"


def test_every_change_has_a_word() -> None:
    assert "Bind" in KINDS
    assert "CreateVSwitch" in KINDS
    assert "UpdateZoneRecord" in KINDS
    assert len(KINDS) == 24


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "an object"),
        ({}, "one of CreateInstance"),
        ({"change": "Explode"}, "one of CreateInstance"),
        ({"change": []}, "one of"),
        ({"change": "Unbind"}, "Unbind.instance_key: missing"),
        ({"change": "Unbind", "instance_key": "a"}, "a list"),
        ({"change": "Unbind", "instance_key": ["a"]}, "a list of 2"),
        ({"change": "Unbind", "instance_key": ["a", 1]}, "text"),
        ({"change": "Unbind", "instance_key": ["a", "b"], "force": True}, "there is no `force`"),
        ({"change": "AddCustomDomain", "group_id": "a", "name": "a..b"}, "AddCustomDomain.name"),
        ({"change": "AddCustomDomain", "group_id": "a", "name": 5}, "text"),
        ({"change": "CreateInstance", "instance": []}, "an object"),
        (
            {"change": "CreateInstance", "instance": {"instance_id": "i", "region_id": "r", "type": "big"}},
            "one of serverless, dedicated",
        ),
    ],
)
def test_what_is_no_change(value: Any, words: str) -> None:
    with pytest.raises(MalformedChange) as raised:
        decode_change(value)
    assert words in str(raised.value)


def test_the_form_is_for_people_too() -> None:
    assert encode_change(Bind(("cn-hangzhou", "i-1"), "vpc-1", "vsw-1")) == {
        "change": "Bind",
        "instance_key": ["cn-hangzhou", "i-1"],
        "vpc_id": "vpc-1",
        "vswitch_id": "vsw-1",
        "address": None,
    }


def test_the_documentation_has_every_change_with_its_fields() -> None:
    rows = Path("docs/testing.md").read_text(encoding="utf-8").splitlines()
    for name, kind in KINDS.items():
        found = [row for row in rows if row.startswith("| ") and f"`{name}`" in row]
        assert len(found) == 1, name
        assert all(f"`{field.name}`" in found[0] for field in fields(kind)), name
