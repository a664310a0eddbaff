"""The recorded corpus as a file: configurations, cases, and what the program said to each.

One JSON document, compressed by xz. Texts that recur (messages in hexadecimal, outcomes) are kept once, in
the order of their first use, so that most cases name theirs as "the next new one". Knows nothing of the
program.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Literal

FILE: Final = Path(__file__).with_name("recorded.json.xz")
_NEXT: Final = 0  # the next text that no case had before
_FILTERS: Final = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


class Kind(Enum):
    """What is done with a case's messages."""

    ASK = "ask"  # `query` is asked
    RELAY = "relay"  # and when it goes to upstreams, `upstream` comes back
    FAILED = "failed"  # and when it goes to upstreams, `failure` comes of it
    READ = "read"  # `query` is an upstream's message, only read
    SERVFAIL = "servfail"  # answering `query` raised
    OVER_TCP = "over tcp"  # `query` is to come again over TCP
    NOT_READY = "not ready"  # `query` came too early, and is told so


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration's text, and who the server says that it is."""

    name: str
    text: str
    version: str = "vpcdns 0"
    server_id: str = "server-1"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a query comes; `listener` is a VPC, `proxied` a client, both empty when there is none."""

    client: str
    transport: Literal["udp", "tcp"] = "udp"
    listener: str = ""
    proxied: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to ask; what its kind does not name is left out. Configurations are numbers of their list."""

    kind: Kind
    query: bytes
    configuration: int = 0
    arrival: Arrival = Arrival("127.0.0.1")
    upstream: bytes = b""
    age: int = 0
    stale: bool = False
    finished_in: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Cases, and as many outcomes."""

    configurations: Sequence[Configuration]
    cases: Sequence[Case]
    outcomes: Sequence[str]


class _Texts:
    """Texts by number: a new one is `_NEXT`, another its place, counted from 1."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = list(texts)
        self._places: dict[str, int] = {}
        self._seen = 0

    def number(self, text: str) -> int:
        if (place := self._places.get(text)) is not None:
            return place
        self.texts.append(text)
        self._places[text] = len(self.texts)
        return _NEXT

    def text(self, number: int) -> str:
        if number != _NEXT:
            return self.texts[number - 1]
        self._seen += 1
        return self.texts[self._seen - 1]


def write(recording: Recording, file: Path = FILE) -> None:
    """Writes the file anew."""
    texts, arrivals = _Texts(), list(dict.fromkeys(case.arrival for case in recording.cases))
    arrival_numbers = {arrival: number for number, arrival in enumerate(arrivals)}
    rows = [
        (
            case.kind.value,
            texts.number(case.query.hex()),
            case.configuration,
            arrival_numbers[case.arrival],
            texts.number(case.upstream.hex()),
            case.age,
            case.stale,
            case.finished_in,
            case.failure,
            texts.number(outcome),
        )
        for case, outcome in zip(recording.cases, recording.outcomes, strict=True)
    ]
    document = {
        "configurations": [
            [part.name, part.text, part.version, part.server_id] for part in recording.configurations
        ],
        "arrivals": [[part.client, part.transport, part.listener, part.proxied] for part in arrivals],
        "texts": texts.texts,
        "columns": list(zip(*rows, strict=True)),
    }
    octets = json.dumps(document, separators=(",", ":")).encode()
    file.write_bytes(lzma.compress(octets, lzma.FORMAT_XZ, filters=_FILTERS))


def read(file: Path = FILE) -> Recording:
    """Reads the file."""
    document = json.loads(lzma.decompress(file.read_bytes()))
    texts, arrivals = _Texts(document["texts"]), [Arrival(*parts) for parts in document["arrivals"]]
    cases, outcomes = list[Case](), list[str]()
    for row in zip(*document["columns"], strict=True):
        kind, query, configuration, arrival, upstream, age, stale, finished_in, failure, outcome = row
        cases.append(
            Case(
                Kind(kind),
                bytes.fromhex(texts.text(query)),
                configuration,
                arrivals[arrival],
                bytes.fromhex(texts.text(upstream)),
                age,
                stale,
                finished_in,
                failure,
            )
        )
        outcomes.append(texts.text(outcome))
    return Recording([Configuration(*parts) for parts in document["configurations"]], cases, outcomes)
