"""Our responses read by Wireshark, whose dissector marks what is odd in them."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from dns.edns import GenericOption, OptionType

from tests.conformance.dns_client import over_udp
from tests.conformance.names import BIG, CUSTOM, DEDICATED_A, IN_A, IN_B, INTERNET, OFF_CUSTOM, SUFFIX
from tests.support.malformed_messages import BROKEN
from tests.support.messages import query

_RAW_IPV4 = 228  # LINKTYPE_IPV4


def packet(octets: bytes) -> bytes:
    """A datagram from port 53, so that it is read as DNS."""
    udp = struct.pack("!4H", 53, 40000, 8 + len(octets), 0) + octets
    addresses = bytes((127, 0, 0, 1, 127, 0, 0, 2))
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp


def capture(messages: list[bytes]) -> bytes:
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IPV4)
    for second, octets in enumerate(map(packet, messages)):
        out += struct.pack("<4I", second, 0, len(octets), len(octets)) + octets
    return out


def responses(port: int) -> list[bytes]:
    nsid = GenericOption(OptionType.NSID, b"")
    queries = [
        (query(name, rtype, do=True, subnet=subnet, options=[nsid]).to_wire(), source)
        for name in (
            DEDICATED_A,
            CUSTOM,
            OFF_CUSTOM,
            BIG,
            SUFFIX,
            "localhost",
            "x.invalid",
            "whoami.vpcdns.internal",
        )
        for rtype in ("A", "AAAA", "SOA", "TXT", "ANY", "HTTPS")
        for source, subnet in ((IN_A, None), (IN_B, None), (INTERNET, "127.10.0.0/16"))
    ]
    queries += [(broken.message, IN_A) for broken in BROKEN]
    found = [over_udp(message, port, source) for message, source in queries]
    assert None not in found
    return [octets for octets in found if octets is not None]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_finds_nothing(port: int, tmp_path: Path) -> None:
    """Each message is dissected as DNS to its last octet, without a warning.

    Notes of the severity `chat` and `note` are about RCODEs and missing requests, not about form.
    """
    file, messages = tmp_path / "responses.pcap", responses(port)
    file.write_bytes(capture(messages))
    command = ["tshark", "-r", str(file), "-T", "json", "-n"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    layers = [one["_source"]["layers"] for one in json.loads(done.stdout)]
    assert len(layers) == len(messages)
    for layer in layers:
        assert "dns" in layer
        assert "_ws.malformed" not in layer
        severities = [int(value) for value in _values(layer["dns"], "_ws.expert.severity")]
        assert all(severity < 0x600000 for severity in severities), layer["dns"]


def _values(tree: object, key: str) -> list[str]:
    if isinstance(tree, list):
        return [value for branch in tree for value in _values(branch, key)]
    if not isinstance(tree, dict):
        return []
    here = [str(tree[key])] if key in tree else []
    return here + [value for branch in tree.values() for value in _values(branch, key)]
