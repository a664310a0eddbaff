import os
import pickle
import subprocess
import sys

import dns.name
import pytest
from hypothesis import given

from tests.support.message_strategies import NAME_LABELS
from vpcdns.errors import MalformedName
from vpcdns.model.names import Name


@given(NAME_LABELS)
def test_text_and_octets_mean_what_dnspython_says(labels: list[bytes]) -> None:
    name = Name(tuple(labels))
    oracle = dns.name.Name((*labels, b""))
    assert name.size == sum(len(label) + 1 for label in oracle.labels)
    assert dns.name.from_text(str(name)) == oracle
    for text in (str(name), oracle.to_text()):
        read = Name.from_text(text)
        assert read.labels == name.labels


@pytest.mark.parametrize(
    "text", ["", "..", ".a", "a..b", "a..", "a" * 64, "a\\", "a\\2", "a\\25", "a\\256", "ä.de"]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(MalformedName):
        Name.from_text(text)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (".", ()),
        ("a", (b"a",)),
        ("A.b.", (b"A", b"b")),
        (r"a\.b.c", (b"a.b", b"c")),
        (r"a\..", (b"a.",)),
        (r"\000\255.x", (b"\0\xff", b"x")),
        (r"\a", (b"a",)),
    ],
)
def test_presentation_format(text: str, labels: tuple[bytes, ...]) -> None:
    assert Name.from_text(text).labels == labels


def test_the_longest_name_and_one_octet_more() -> None:
    """RFC 1035 §2.3.4: 255 octets, the root's empty label among them."""
    longest = Name((b"x" * 63,) * 3 + (b"y" * 61,))
    assert longest.size == 255
    with pytest.raises(MalformedName):
        longest.under(Name((b"z",)))
    with pytest.raises(MalformedName):
        Name((b"",))


def test_case_is_kept_and_not_compared() -> None:
    """RFC 4343: ASCII letters only; octets above 127 have no case."""
    upper, lower = Name.from_text("API.Example.COM"), Name.from_text("api.example.com")
    assert upper == lower
    assert hash(upper) == hash(lower)
    assert str(upper) == "API.Example.COM"
    assert Name((b"\xc4",)) != Name((b"\xe4",))
    assert upper != "api.example.com"
    assert repr(lower) == "Name('api.example.com')"


def test_above_and_below_go_by_labels() -> None:
    name, zone = Name.from_text("a.b.example.com"), Name.from_text("EXAMPLE.com")
    assert name.is_at_or_below(zone)
    assert zone.is_at_or_below(zone)
    assert zone.is_at_or_below(Name(()))
    assert not zone.is_at_or_below(name)
    assert not Name.from_text("badexample.com").is_at_or_below(zone)
    assert not Name((b"x.example", b"com")).is_at_or_below(zone)
    assert name.relative_to(zone) == (b"a", b"b")
    assert [str(ancestor) for ancestor in name.ancestors()] == ["b.example.com", "example.com", "com"]
    assert str(name.parent()) == "b.example.com"
    assert len(name) == 4
    with pytest.raises(ValueError, match="root"):
        Name(()).parent()


def test_a_wildcard_is_a_first_label_of_one_star() -> None:
    assert Name.from_text("*.example.com").is_wildcard
    assert not Name.from_text("a*.example.com").is_wildcard
    assert not Name.from_text("a.*.com").is_wildcard
    assert not Name(()).is_wildcard


def test_a_name_is_found_in_another_process_too() -> None:
    """Replaced workers get names pickled; each process hashes octets in its own way."""
    program = (
        "import pickle, sys; from vpcdns.model.names import Name;"
        " print({pickle.load(sys.stdin.buffer): 'found'}[Name.from_text('api.example.com')])"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=pickle.dumps(Name.from_text("API.example.com")),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert done.stdout == b"found\n"
