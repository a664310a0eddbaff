"""Upstreams: good ones, and a hostile one whose every misdeed is named in the question.

`huge7.hostile.example` gets what `MISDEEDS` has for `huge`. `python -m` this serves until its stdin ends, and
prints what was done: an event loop that has clients as well would answer too late.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import dns.flags
import dns.message
import dns.rdataclass
import dns.rrset

from tests.soak.truth import FORWARDED, HOSTILE, domain

# Messages with the seconds to wait before each.
Responses = list[tuple[float, bytes]]
Script = Callable[[bytes, bool], Responses]
LARGE: Final = "large.forwarded.example"


def _response(message: bytes, *, truncated: bool = False) -> dns.message.Message:
    response = dns.message.make_response(dns.message.from_wire(message))
    if truncated:
        response.flags |= dns.flags.TC
    return response


def _with_records(message: bytes, *records: str) -> dns.message.Message:
    """Each is `section owner class type data`; `@` is the name that was asked for."""
    response = _response(message)
    for record in records:
        section, owner, rclass, rtype, data = record.split(" ", 4)
        name = response.question[0].name if owner == "@" else f"{owner}."
        response.section_from_number({"answer": 1, "authority": 2, "additional": 3}[section]).append(
            dns.rrset.from_text(name, 1, rclass, rtype, data)
        )
    return response


def _large(message: bytes) -> bytes:
    texts = " ".join(f'"{"x" * 255}"' for _ in range(234))
    return _with_records(message, f"answer @ IN TXT {texts}").to_wire(max_size=65_535)


def good(address: str) -> Script:
    def script(message: bytes, is_tcp: bool) -> Responses:
        if dns.message.from_wire(message).question[0].name.to_text(omit_final_dot=True).lower() != LARGE:
            return [(0, _with_records(message, f"answer @ IN A {FORWARDED[address]}").to_wire())]
        return [(0, _large(message) if is_tcp else _response(message, truncated=True).to_wire())]

    return script


def _forged(message: bytes, place: int, change: int = 1) -> bytes:
    octets = bytearray(_with_records(message, "answer @ IN A 203.0.113.66").to_wire())
    octets[place] ^= change
    return bytes(octets)


def _of_unknown_type(message: bytes) -> bytes:
    """A record whose data are 120 labels, and records whose owners are pointers into it."""
    header = message[:2] + b"\x81\x80\0\1" + (5_401).to_bytes(2, "big") + bytes(4)
    end = message.index(b"\0", 12) + 5
    labels = b"\1a" * 120 + b"\0"
    start = end + 12
    first = b"\xc0\x0c\xff\x00\0\1\0\0\0\1" + len(labels).to_bytes(2, "big") + labels
    pointers = ((0xC000 | start + 2 * (number % 120)).to_bytes(2, "big") for number in range(5_400))
    return header + message[12:end] + first + b"".join(p + b"\xff\x00\0\1\0\0\0\1\0\0" for p in pointers)


def _about_our_names(message: bytes) -> bytes:
    ours = domain("a")
    return _with_records(
        message,
        "answer @ IN A 203.0.113.1",
        f"answer {ours} IN A 203.0.113.66",
        "answer @ CH TXT ours",
        f"authority {ours} IN NS ns.example.",
        f"authority {ours} IN A 203.0.113.66",
        f"additional {ours} IN A 203.0.113.66",
    ).to_wire()


def _loop(message: bytes) -> bytes:
    end = message.index(b"\0", 12) + 5
    owner = (0xC000 | end).to_bytes(2, "big")  # a pointer to itself
    return (
        message[:2]
        + b"\x81\x80\0\1\0\1\0\0\0\0"
        + message[12:end]
        + owner
        + b"\0\1\0\1"
        + bytes(4)
        + b"\0\4abcd"
    )


def _over_tcp(make: Callable[[bytes], bytes]) -> Script:
    """Over UDP a truncated response, so that the server comes back over TCP."""
    return lambda message, is_tcp: [
        (0, make(message) if is_tcp else _response(message, truncated=True).to_wire())
    ]


def _at_once(*made: Callable[[bytes], bytes]) -> Script:
    return lambda message, is_tcp: [(0, make(message)) for make in made]


# What no server may take for an answer: beside a good upstream, the good one's is right.
UNUSABLE: Final[dict[str, Script]] = {
    "id": _at_once(lambda m: _forged(m, 1), lambda m: _forged(m, 0)),
    "question": _at_once(lambda m: _forged(m, 14, 7)),
    "cut": _at_once(lambda m: _forged(m, 1, 0)[:-7]),
    "loop": _at_once(_loop),
    "noise": _at_once(lambda m: m[:2] + b"\xff" * 300, lambda m: b"", lambda m: m),
    "silent": lambda m, is_tcp: [],
}
MISDEEDS: Final[dict[str, Script]] = {
    **UNUSABLE,
    "truncated": _at_once(lambda m: _response(m, truncated=True).to_wire()),
    "huge": _over_tcp(_large),
    "slow": lambda m, is_tcp: [(2.0, _forged(m, 1, 0))],
    "late": lambda m, is_tcp: [(6.0, _forged(m, 1, 0))],
    "ours": _at_once(_about_our_names),
    "unknown": _over_tcp(_of_unknown_type),
}


class Hostile:
    """Counts what it did, by misdeed."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def __call__(self, message: bytes, is_tcp: bool) -> Responses:
        name = dns.message.from_wire(message).question[0].name.to_text().lower()
        misdeed = re.split(r"[\d.]", name, maxsplit=1)[0]
        self.done[misdeed] += 1
        return MISDEEDS[misdeed](message, is_tcp)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, script: Script) -> None:
        self._script = script

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # typeshed has the base of all transports
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wait, response in self._script(data, False):
            asyncio.get_running_loop().call_later(wait, self._transport.sendto, response, addr)


async def _serve(address: str, script: Script) -> None:
    """On port 53, over UDP and TCP."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                for wait, response in script(await reader.readexactly(length), True):
                    await asyncio.sleep(wait)
                    writer.write(len(response).to_bytes(2, "big") + response)
                    await writer.drain()
        except (EOFError, OSError):
            pass  # the server has what it wanted
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(script), local_addr=(address, 53))
    await asyncio.start_server(connected, address, 53)


async def main() -> None:
    hostile = Hostile()
    loop = asyncio.get_running_loop()

    def fail(_: object, context: dict[str, Any]) -> None:
        hostile.done["failed"] += 1
        sys.stderr.write(f"{context['message']}: {context.get('exception')!r}\n")

    loop.set_exception_handler(fail)
    await _serve(HOSTILE, hostile)
    for address in FORWARDED:
        await _serve(address, good(address))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(hostile.done))


if __name__ == "__main__":
    asyncio.run(main())
