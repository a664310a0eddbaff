"""JSON -> plain data item by item, so that a million of them are never all there at once.

Knows the shape that files of ours have: a mapping of sections, most of them lists. Understands a text as
`document` does, or not at all: then that one reads it, and knows what is wrong and where. Between two items
other threads may run, such as one that answers queries.
"""

import codecs
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from vpcdns.config.document import SURROGATE, UNPRINTABLE, no_constant, unique

WINDOW: Final = 1 << 18  # octets read at a time: decoding them takes well under a millisecond

# The octets of UNPRINTABLE's opposite that are ASCII.
_PRINTABLE: Final = bytes([9, 10, 13, *range(0x20, 0x7F)])
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_KEY: Final = re.compile(r'[ \t\n\r]*"([a-z]+)"[ \t\n\r]*:[ \t\n\r]*([\[{])')
_NEXT: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*(?=[\[{])").match
_DECODER: Final = json.JSONDecoder(object_pairs_hook=unique, parse_constant=no_constant)


class Unreadable(Exception):
    """The text is not JSON of the expected shape, or not in all of its readers' eyes."""


def read(octets: bytes, takers: Mapping[str, Callable[[object], None]]) -> dict[str, Any]:
    """Every section but those in `takers`, whose items are handed over one by one; raises Unreadable."""
    try:
        return _Reader(octets).read(takers)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


class _Reader:
    """A window that moves over the octets; `at` is where the next thing begins in it."""

    def __init__(self, octets: bytes) -> None:
        self._octets = memoryview(octets)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._next = 0
        self._window = ""
        self._at = 0
        self._grow()

    def read(self, takers: Mapping[str, Callable[[object], None]]) -> dict[str, Any]:
        sections: dict[str, Any] = {}
        self._expect("{")
        if self._is_next("}"):
            raise Unreadable
        while True:
            key, opening = self._key()
            if key in sections:
                raise Unreadable
            sections[key] = None
            if opening == "{":
                sections[key] = self._item()
            elif key in takers:
                self._items(takers[key])
                del sections[key]
                takers = {other: taker for other, taker in takers.items() if other != key}
            else:
                items: list[object] = []
                self._items(items.append)
                sections[key] = items
            if not self._is_next(","):
                break
        self._expect("}")
        self._space()
        if self._at < len(self._window):
            raise Unreadable
        return sections

    def _items(self, take: Callable[[object], None]) -> None:
        self._expect("[")
        if self._is_next("]"):
            return
        self._space()
        while True:
            take(self._item())
            following = _NEXT(self._window, self._at)
            if following is not None:
                self._at = following.end()
            elif self._is_next(","):
                self._space()
            else:
                break
        self._expect("]")

    def _item(self) -> object:
        """A mapping or a list, whose end can be seen; nothing else is an item here."""
        if self._window[self._at : self._at + 1] not in ("{", "["):
            raise Unreadable
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._window, self._at)
            except json.JSONDecodeError:
                if not self._grow():
                    raise
            else:
                return value

    def _key(self) -> tuple[str, str]:
        while (match := _KEY.match(self._window, self._at)) is None:
            if not self._grow():
                raise Unreadable
        self._at = match.end() - 1
        return match[1], match[2]

    def _is_next(self, character: str) -> bool:
        self._space()
        if self._window[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._is_next(character):
            raise Unreadable

    def _space(self) -> None:
        while True:
            match = _SPACE.match(self._window, self._at)
            self._at = self._at if match is None else match.end()
            if self._at < len(self._window) or not self._grow():
                return

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
            raise Unreadable
        self._window, self._at = self._window[self._at :] + more, 0
        if SURROGATE.search(self._window):
            raise Unreadable  # half a pair is no text; `document` looks closer
        return True
