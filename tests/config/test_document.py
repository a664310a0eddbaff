"""Text to plain data: YAML 1.2's types, and what is refused with its place."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vpcdns.config import document
from vpcdns.config.document import MAX_DEPTH, read
from vpcdns.config.mistakes import Mistake, dotted
from vpcdns.config.read import located

EITHER = "is a boolean to some YAML readers, and text to others; put quotes around it, or write true or false"
NUMBER = (
    "is a number to some YAML readers, and text to others;"
    " put quotes around it, or write a plain decimal number"
)
NO_ALIAS = "anchors and aliases are not read here"


def problems(text: str) -> list[str]:
    return [f"{f.line}:{f.column}: {dotted(f.path)}: {f.what}; {f.way_out}" for f in read(text).mistakes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: off", {"a": "off"}),
        (
            "a: [true, FALSE, null, ~, 12, -3, 0x1F, 1e3, .5]",
            {"a": [True, False, None, None, 12, -3, 31, 1e3, 0.5]},
        ),
        ("a:", {"a": None}),
        ("a: 'no'\nb: \"20:30\"", {"a": "no", "b": "20:30"}),
        ("a: 127.0.0.1:5300", {"a": "127.0.0.1:5300"}),
        ("a: fe80::1", {"a": "fe80::1"}),
        ("a: 523e8dc7bbe04613b5b1d726c2a7889d", {"a": "523e8dc7bbe04613b5b1d726c2a7889d"}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("- 1\n- [2]", [1, [2]]),
        ("", None),
        ("# nothing\n", None),
        ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        ('{"a": "\\ud83c\\udf26"}', {"a": "\U0001f326"}),
        ("{a: b}", {"a": "b"}),
    ],
)
def test_values(text: str, value: object) -> None:
    document = read(text)
    assert (document.value, document.mistakes) == (value, [])


@pytest.mark.parametrize("word", ["no", "Yes", "ON", "y", "N", "<<", "="])
def test_words_that_readers_differ_about(word: str) -> None:
    assert problems(f"a: {word}") == [f"1:4: a: `{word}` {EITHER}"]


@pytest.mark.parametrize(
    "word",
    ["20:30", "010", "0o7", "1_000", "2024-01-31", "2024-01-31T10:00:00Z", "0b11", "1_0.5", "00", "-0x1F"],
)
def test_numbers_that_readers_differ_about(word: str) -> None:
    assert problems(f"a: {word}") == [f"1:4: a: `{word}` {NUMBER}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3", ["4:3: b.c: this key is given twice; keep one of them"]),
        ('{"a": 1,\n "a": 2}', ["2:2: a: this key is given twice; keep one of them"]),
        ("1: x", ["1:1: : the key `1` is not text; put quotes around it"]),
        ("? [a]\n: b", ["1:3: : a list or a mapping cannot be a key; write the key as text"]),
        ("a: &x b", [f"1:4: a: `&x` names a part of the file; remove it: {NO_ALIAS}"]),
        (
            "a: !!python/object:os.system b",
            ["1:4: a: the tag `!!python/object:os.system` is not read here; remove it"],
        ),
        ("a: !!str 1", ["1:4: a: the tag `!!str` is not read here; remove it"]),
        ("a: 1\n---\nb: 2", ["2:1: : a second document begins here; keep one document in a file"]),
        ("a: " + "9" * 50, ["1:4: a: no number here is this long; put quotes around text"]),
        (
            "a:\r\n  b: \x00",
            [
                (
                    "2:6: : the character U+0000 has no place in a text file;"
                    " remove it, or check that it is the right file"
                )
            ],
        ),
        ("a: no\nb: yes\n", [f"1:4: a: `no` {EITHER}", f"2:4: b: `yes` {EITHER}"]),
    ],
)
def test_refused(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_alias() -> None:
    found = problems("a: &x [1]\nb: *x")
    assert [line.split(":")[0] for line in found] == ["1", "2"]
    assert found[1] == f"2:4: b: `*x` repeats another part of the file; write it out: {NO_ALIAS}"


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: b: c", (1, 5)), ("a:\n\t- b", (2, 1)), ("a: [1, 2", (1, 9)), ('a: "b', (1, 6)), ("a: @b", (1, 4))],
)
def test_syntax_errors_have_a_place(text: str, place: tuple[int, int]) -> None:
    document = read(text)
    assert not document.readable
    (mistake,) = document.mistakes
    assert mistake.what.startswith("not YAML: ")
    assert (mistake.line, mistake.column) in {place, (place[0] + 1, 1)}  # libyaml or PyYAML's own parser


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "- " * 10_000, "{a: " * 5_000])
def test_depth_is_limited(text: str) -> None:
    document = read(text)
    assert not document.readable
    assert "deep" in document.mistakes[-1].what


def test_depth_that_is_allowed() -> None:
    assert read("[" * (MAX_DEPTH) + "]" * (MAX_DEPTH)).mistakes == []


def test_half_a_surrogate_pair_is_refused() -> None:
    assert read('{"a": "\\ud83c"}').mistakes


def test_the_parser_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "EVENTS", yaml.SafeLoader)
    assert read("a: [1, 'no', off]").value == {"a": [1, "no", "off"]}
    assert problems("a: no") == [f"1:4: a: `no` {EITHER}"]


def test_positions() -> None:
    text = "a:\n  - b: 1\n    c: [2, 3]\nd: {e: f}\n"
    paths = [("a", 0, "c", 1), ("a", 0, "b"), ("d", "e"), ("d", "missing"), ("a",), (), ("a", 7), ("zz", "y")]
    places = {f.path: (f.line, f.column) for f in located(text, [Mistake(path, "", "") for path in paths])}
    expected = [(3, 12), (2, 8), (4, 8), (4, 4), (2, 3), (1, 1), (2, 3), (1, 1)]
    assert places == dict(zip(paths, expected, strict=True))
    (at_key,) = located(text, [Mistake(("a", 0, "c"), "", "", at_key=True)])
    assert (at_key.line, at_key.column) == (3, 5)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values))
def test_json_is_read_as_json_reads_it(value: dict[str, object]) -> None:
    assert read(json.dumps(value)).value == value


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    document = read(text)
    assert document.readable or document.mistakes
