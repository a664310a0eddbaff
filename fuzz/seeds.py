"""Writes the kept corpus anew: `python -m fuzz.seeds`.

Rows of the conformance tests, packets as dig and kdig write them (caught from a socket), responses as BIND
would send them, PROXY headers, and the configurations of the repository.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.names import CONFIG, DEDICATED_A
from tests.differential.upstream import answer
from tests.support.costly_queries import QUERIES
from tests.support.malformed_messages import BROKEN, GOOD, SILENT
from tests.support.messages import query
from tests.support.repository import ROOT
from tests.support.rfc8906 import ROWS
from vpcdns.wire.proxy import SIGNATURE

HERE = Path(__file__).parent


def caught(command: list[str]) -> bytes | None:
    """The first packet that a client sends; None when the client is not installed."""
    if shutil.which(command[0]) is None:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        command = [word.replace("PORT", str(sock.getsockname()[1])) for word in command]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:  # noqa: S603
            try:
                return b"\x12\x34" + sock.recv(65535)[2:]
            finally:
                client.terminate()


def queries() -> Iterator[bytes]:
    for row in ROWS:
        packet = caught(["dig", "@127.0.0.1", "-p", "PORT", "+tries=1", "+time=1", *row.arguments.split()])
        if packet is not None:
            yield packet.replace(*_cookie(packet))
    for extra in (
        "",
        "+nsid",
        "+subnet=10.1.0.5/32",
        "+dnssec +bufsize=4096",
        "+padding=128",
        "+noedns -t TYPE1000",
    ):
        packet = caught(
            ["kdig", "@127.0.0.1", "-p", "PORT", "+retry=0", "+timeout=1", DEDICATED_A, *extra.split()]
        )
        if packet is not None:
            yield packet
    yield from (broken.message for broken in BROKEN)
    yield from (message for _, message in GOOD)
    yield from (message for _, message in SILENT)
    yield from (message for message in QUERIES.values() if len(message) <= 512)
    for name in ("whoami.vpcdns.internal", f"{DEDICATED_A}.explain.vpcdns.internal", "localhost", "x.onion"):
        yield query(name, "TXT").to_wire()


def _cookie(packet: bytes) -> tuple[bytes, bytes]:
    """Dig's client cookie is random: made the same each time."""
    at = packet.find(b"\0\x0a\0\x08")
    return (packet[at + 4 : at + 12], b"8 octets") if at >= 0 else (b"", b"")


def options() -> Iterator[bytes]:
    head = b"\x04\xd0\0\0\0\0"
    yield head
    for message in (*(broken.message for broken in BROKEN), *(message for _, message in GOOD)):
        at = message.find(b"\0\x29\x04\xd0")
        if at >= 0:
            yield message[at + 2 : at + 8] + message[at + 10 :]
    yield b"\x02\0\0\1\x80\0"
    yield head + b"\0\x08\0\x08\0\1\x20\0\x7f\x0a\0\5"
    yield head + b"\0\x0b\0\0\0\x0c\0\4\0\0\0\0\0\x03\0\0"


def proxies() -> Iterator[bytes]:
    message = query(DEDICATED_A).to_wire()
    ipv4 = bytes((10, 1, 0, 5, 127, 0, 0, 1)) + struct.pack("!HH", 40000, 53)
    ipv6 = bytes(15) + b"\1" + bytes(15) + b"\1" + struct.pack("!HH", 40000, 53)
    for command, family, addresses in (
        (0x21, 0x12, ipv4),
        (0x21, 0x22, ipv6),
        (0x20, 0, b""),
        (0x21, 0, b""),
        (0x31, 0x12, ipv4),
    ):
        yield SIGNATURE + bytes((command, family)) + len(addresses).to_bytes(2, "big") + addresses + message
    yield SIGNATURE
    yield SIGNATURE + b"\x21\x12\xff\xff"


def responses() -> Iterator[bytes]:
    """Without the id and the question, which the target puts in."""
    for name, rtype in (("www.example.org", "A"), ("www.example.org", "TXT"), ("nx.example.org", "A")):
        for edns in (0, False):
            for octets in answer(query(name, rtype, edns=edns).to_wire(), "udp"):
                yield octets[2:12] + octets[12 + len(name) + 6 :]
    head = struct.pack("!5H", 0x8180, 1, 1, 0, 0)
    for target in (b"\3api\7example\3com\0", b"\xc0\x0c", b"\1a\xc0\x10", b"\xc0\x29"):
        yield head + b"\xc0\x0c\0\5\0\1\0\0\0\x3c" + len(target).to_bytes(2, "big") + target


def configurations() -> Iterator[bytes]:
    yield CONFIG.encode()
    yield (ROOT / "config/vpcdns.yaml").read_bytes()
    yield b'{"vpcs": [], "answers": {"denied": "drop"}}'
    yield b"vpcs: &a [*a]\n"
    yield b"a: no\nb: 20:30\na: 1\n"
    yield b'forward: {rules: [{domain: ., upstreams: ["::1"]}]}\n'
    yield b"\xef\xbb\xbf%YAML 1.2\n---\n- 1\n"


CORPUS = {"query": queries, "opt": options, "proxy": proxies, "upstream": responses, "config": configurations}


def main() -> None:
    for target, seeds in CORPUS.items():
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for octets in seeds():
            (folder / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)


if __name__ == "__main__":
    main()
