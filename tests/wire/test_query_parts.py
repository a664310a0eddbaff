"""Queries are taken apart where their names and questions stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import NAME_LABELS
from vpcdns.model.names import Name
from vpcdns.wire.buffer import write_name
from vpcdns.wire.query_parts import around_question, find, split_off_label, without_labels

HEAD = b"\1\0\0\1\0\0\0\0\0\0"
REST = b"\0\1\0\1"


@given(NAME_LABELS, st.integers(1, 8))
def test_a_query_is_found_by_the_end_of_its_name(labels: list[bytes], count: int) -> None:
    count = min(count, len(labels))
    first = write_name(Name(tuple(labels[:count])))[:-1]
    query = HEAD + write_name(Name(tuple(labels))) + REST
    if count:
        assert find(query, {without_labels(query, len(first)): "found"}) == ("found", first)
    if labels[-1:] != [b"-"]:
        assert find(query, {HEAD + b"\1-\0" + REST: "another"}) is None


@pytest.mark.parametrize("name", [b"", b"\0", b"\xc0\x0c", b"\x40a", b"\3ab", b"\1a" * 9 + b"\0"])
def test_what_is_no_short_name_is_not_found(name: bytes) -> None:
    assert find(HEAD + name, {HEAD + b"\0": "found"}) is None


def test_the_parts_of_a_query_for_one_label_and_a_suffix() -> None:
    query = HEAD + b"\3WwW\3cOm\0" + REST + b"more"
    parts = b"www\3com\0", b"\3WwW\3cOm\0" + REST, HEAD + REST + b"more"
    assert split_off_label(query, 5, 2) == parts
    assert split_off_label(query, 5, 3) is None
    assert split_off_label(query[:-5], 5, 2) is None
    assert split_off_label(HEAD, 5, 0) is None


def test_around_the_question() -> None:
    assert around_question(HEAD + b"\0" + REST + b"answer", b"\0" + REST) == (HEAD, b"answer")
    assert around_question(HEAD + b"\1a\0" + REST, b"\0" + REST) is None
