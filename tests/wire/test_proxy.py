"""PROXY protocol v2: the header's octets, and nothing else, name the client."""

from __future__ import annotations

import struct
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.octets import proxy_header
from vpcdns.errors import MalformedMessage
from vpcdns.wire.proxy import HEADER_SIZE, MAX_SIZE, SIGNATURE, ProxyHeader, read_proxy


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize("source", ["10.1.0.5", "fd00:1::5"])
def test_it_names_the_client(source: str, protocol: int) -> None:
    octets = proxy_header(source, protocol=protocol)
    assert read_proxy(octets + b"query") == ProxyHeader(len(octets), ip_address(source))


def test_mapped_ipv4_is_ipv4() -> None:
    read = read_proxy(proxy_header("::ffff:10.1.0.5"))
    assert read is not None
    assert read.source == ip_address("10.1.0.5")


def test_tlvs_are_stepped_over() -> None:
    octets = proxy_header(extra=b"\x04\x00\x03abc")
    assert read_proxy(octets) == ProxyHeader(len(octets), ip_address("10.1.0.5"))


@pytest.mark.parametrize(
    "octets",
    [
        proxy_header(command=0x20),  # LOCAL: the proxy's own health check
        SIGNATURE + b"\x20\x00\0\0",
        SIGNATURE + b"\x21\x00\0\0",  # AF_UNSPEC
        SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + bytes(216),  # AF_UNIX
    ],
)
def test_some_name_nobody(octets: bytes) -> None:
    assert read_proxy(octets) == ProxyHeader(len(octets), None)


def test_no_header_or_not_all_of_it() -> None:
    octets = proxy_header()
    assert all(read_proxy(octets[:length]) is None for length in range(len(octets)))
    assert read_proxy(b"\0\1" + octets) is None


@pytest.mark.parametrize(
    "octets",
    [
        proxy_header(command=0x11),
        proxy_header(command=0x22),
        SIGNATURE + b"\x21\x12\0\x04" + bytes(4),  # too short for its addresses
        SIGNATURE + b"\x21\x21\0\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11" + struct.pack("!H", MAX_SIZE - HEADER_SIZE + 1),
    ],
)
def test_unusable_headers_are_told(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_proxy(octets)


@given(st.binary(max_size=80))
def test_any_octets_give_a_header_within_them_or_none(octets: bytes) -> None:
    """Invariant: a header ends within the octets. MalformedMessage: it says that it is of no use."""
    for message in (octets, SIGNATURE + octets):
        with suppress(MalformedMessage):
            read = read_proxy(message)
            assert read is None or read.size <= len(message)
