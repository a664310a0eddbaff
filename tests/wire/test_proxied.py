"""PROXY protocol v2: what a header says, and that only a trusted peer's is believed."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import DEDICATED_NAME, ENDPOINT, IN_A, IN_B, STRANGER, example
from tests.support.messages import answered, data, exchanged, query
from vpcdns.errors import MalformedMessage
from vpcdns.query import Drop
from vpcdns.wire.proxy import SIGNATURE, ProxyHeader, read_proxy

WORLD = example()


def header(source: str, *, command: int = 0x21, family: int | None = None, more: bytes = b"") -> bytes:
    address = ip_address(source)
    kind = (0x12 if address.version == 4 else 0x22) if family is None else family
    block = address.packed * 2 + struct.pack("!HH", 1024, 53) + more
    return SIGNATURE + struct.pack("!BBH", command, kind, len(block)) + block


@pytest.mark.parametrize(
    ("octets", "source"),
    [
        (header(IN_A), IN_A),
        (header(IN_A, family=0x11), IN_A),
        (header(IN_A, more=b"\4\0\1x"), IN_A),
        (header("fd00:1::5"), "fd00:1::5"),
        (header(f"::ffff:{IN_A}"), IN_A),
        (header(IN_A, command=0x20), None),  # LOCAL: the proxy's own
        (header(IN_A, family=0), None),
        (header(IN_A, family=0x31), None),
    ],
)
def test_headers(octets: bytes, source: str | None) -> None:
    expected = None if source is None else ip_address(source)
    assert read_proxy(octets + b"a query") == ProxyHeader(len(octets), expected)
    assert all(read_proxy(octets[:length]) is None for length in range(len(octets)))


USELESS = [header(IN_A, command=0x11), header(IN_A, command=0x22), header(IN_A, more=bytes(999))]


@pytest.mark.parametrize("octets", USELESS)
def test_headers_of_no_use(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_proxy(octets)


def test_a_trusted_peers_header_names_the_client() -> None:
    asked = query(DEDICATED_NAME).to_wire()
    assert data(answered(WORLD, header(IN_A) + asked, "127.0.0.1")) == [str(ENDPOINT)]
    assert data(answered(WORLD, header(IN_B) + asked, "127.0.0.1")) == []
    both = query(DEDICATED_NAME, subnet=f"{IN_A}/32").to_wire()
    found = answered(WORLD, header(IN_B) + both, "127.0.0.1")
    assert data(found) == [], "the nearer witness counts (DESIGN §3)"
    assert answered(WORLD, header(STRANGER) + asked, "127.0.0.1").rcode() == 5


def test_anybody_elses_is_no_header() -> None:
    """To others it is a message of an opcode that we do not know."""
    found = answered(WORLD, header(IN_A) + query(DEDICATED_NAME).to_wire(), IN_B)
    assert (found.rcode(), found.answer) == (4, [])
    assert exchanged(WORLD, header(IN_A)[:20], "127.0.0.1") == Drop()


@given(st.binary(max_size=64).map(lambda octets: SIGNATURE + octets))
def test_any_octets_behind_the_signature(octets: bytes) -> None:
    """A header within the octets, none yet, or malformed; and the exchange raises nothing."""
    exchanged(WORLD, octets, "127.0.0.1")
    try:
        found = read_proxy(octets)
    except MalformedMessage:
        return
    assert found is None or 16 <= found.size <= len(octets)
