"""Indexes follow their map through its versions, and find what looking at everything would find."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vpcdns.model.frozen_map import PARTS, FrozenMap
from vpcdns.model.index import Count, Index

WORDS = ("", "a", "b", "c", "d")
EDITS = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 30), st.sampled_from(WORDS)), st.sets(st.integers(0, 30)))
)


def letters(word: str) -> tuple[str, ...]:
    return (word, f"{word}!") if word else ()


def kind(word: str) -> str | None:
    return word or None


def assert_true(
    index: Index[int, str, str], count: Count[int, str, str], version: FrozenMap[int, str]
) -> None:
    for word in WORDS[1:]:
        there = sorted(key for key, value in version.items() if value == word)
        assert sorted(index.find(word)) == sorted(index.find(f"{word}!")) == there
        assert count.find(word) == len(there)
    assert index.find("none") == ()
    assert count.find("none") == 0
    assert len(index.keys) == 2 * len({value for value in version.values() if value})


@given(EDITS, st.integers(0, 2 * PARTS))
def test_an_index_follows(edits: list[tuple[dict[int, str], set[int]]], more: int) -> None:
    version = FrozenMap((100 + number, "z") for number in range(more))
    index: Index[int, str, str] = Index(lambda word: () if word == "z" else letters(word))
    count: Count[int, str, str] = Count(lambda word: None if word == "z" else kind(word))
    for put, gone in edits:
        there = [key for key in gone if key in version and key not in put]
        version = version.edited(put, there)
        index, count = index.followed(version), count.followed(version)
        bare = FrozenMap((key, value) for key, value in version.items() if value != "z")
        assert_true(index, count, bare)
        assert index.followed(version) is index
        assert count.followed(version) is count


def test_it_may_leave_versions_out_and_go_back() -> None:
    first = FrozenMap((number, WORDS[number % 5]) for number in range(3 * PARTS))
    second = first.edited({0: "d"}, [1]).edited({5: "a"})
    index: Index[int, str, str] = Index(letters)
    count: Count[int, str, str] = Count(kind)
    for version in (first, second, first, FrozenMap({1: "a"}), second):
        index, count = index.followed(version), count.followed(version)
        assert_true(index, count, version)


def test_what_all_have_in_common_costs_no_square() -> None:
    version = FrozenMap((number, "same") for number in range(50_000))
    index: Index[int, str, str] = Index(letters)
    assert len(index.followed(version).find("same")) == 50_000
    assert Counter(version.values()) == {"same": 50_000}
