"""JSON -> plain data, as a whole or item by item, so that a million items are never in memory at once.

Item by item, it reads the shape that our files have: a mapping of sections, most of them lists. It reads a
text as `document` does, or refuses it: then `document` reads it, and says what is wrong and where. Between
two items other threads may run, such as one that answers queries.
"""

import codecs
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

WINDOW: Final = 1 << 18  # octets read at a time: decoding them takes well under a millisecond

# YAML 1.2 §5.1: what may not stand in a file at all.
UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PRINTABLE: Final = bytes([9, 10, 13, *range(0x20, 0x7F)])  # what may, in ASCII
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")

_GIVEN_TWICE: Final = "a key is given twice"
_TOP: Final = re.compile(r"[ \t\n\r]*\{").match
_KEY: Final = re.compile(r'[ \t\n\r]*"([a-z]+)"[ \t\n\r]*:[ \t\n\r]*(?=([\[{]))').match
_AFTER_SECTION: Final = re.compile(r"[ \t\n\r]*([,}])").match
_FIRST_ITEM: Final = re.compile(r"\[[ \t\n\r]*(?:(\])|(?=[\[{]))").match
_NEXT_ITEM: Final = re.compile(r"[ \t\n\r]*(?:(\])|,[ \t\n\r]*(?=[\[{]))").match
_END: Final = re.compile(r"[ \t\n\r]*\Z").match

Matcher = Callable[[str, int], re.Match[str] | None]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError(_GIVEN_TWICE)
    return mapping


def _no_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON, though Python reads it")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def read_whole(text: str) -> object:
    """What a JSON text says; raises ValueError."""
    value = _DECODER.decode(text)
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text: ValueError
    return value


def read(octets: bytes, takers: Mapping[str, Callable[[object], None]]) -> dict[str, Any]:
    """Every section but those in `takers`, whose items are handed over one by one.

    Raises ValueError or RecursionError for a text that is not JSON of that shape, or not to every reader.
    """
    return _Reader(octets).read(takers)


class _Reader:
    """A window that moves over the octets; `at` is where the next thing begins in it."""

    def __init__(self, octets: bytes) -> None:
        self._octets = memoryview(octets)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._next = 0
        self._window = ""
        self._at = 0

    def read(self, takers: Mapping[str, Callable[[object], None]]) -> dict[str, Any]:
        sections: dict[str, Any] = {}
        seen: set[str] = set()
        self._match(_TOP)
        following = ","
        while following == ",":
            key, opening = self._match(_KEY).groups()
            if key in seen:
                raise ValueError(_GIVEN_TWICE)
            seen.add(key)
            if opening == "{":
                sections[key] = self._item()
            else:
                self._items(takers.get(key) or sections.setdefault(key, []).append)
            following = self._match(_AFTER_SECTION)[1]
        while self._grow():
            pass
        if _END(self._window, self._at) is None:
            raise ValueError("there is more behind the end")
        return sections

    def _items(self, take: Callable[[object], None]) -> None:
        ended = self._match(_FIRST_ITEM)[1]
        while not ended:
            take(self._item())
            ended = self._match(_NEXT_ITEM)[1]

    def _item(self) -> object:
        """A mapping or a list, whose end can be seen; nothing else is an item here."""
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._window, self._at)
            except json.JSONDecodeError:
                if not self._grow():
                    raise
            else:
                return value

    def _match(self, matcher: Matcher) -> re.Match[str]:
        while (match := matcher(self._window, self._at)) is None:
            if not self._grow():
                raise ValueError("it has another shape")
        self._at = match.end()
        return match

    def _grow(self) -> bool:
        """Moves the window on; False at the end of the text.

        What is left in it is kept, and as much again is read, so that an item of any size costs no more
        than its length.
        """
        end = self._next + max(WINDOW, len(self._window) - self._at)
        octets = bytes(self._octets[self._next : end])
        if not octets:
            return False
        self._next += len(octets)
        more = self._decoder.decode(octets, final=self._next >= len(self._octets))
        if octets.translate(None, _PRINTABLE) and UNPRINTABLE.search(more):
            raise ValueError("a character has no place in a text file")
        self._window, self._at = self._window[self._at :] + more, 0
        if _SURROGATE.search(self._window):
            raise ValueError("half a surrogate pair is no text")  # `document` looks closer
        return True
