"""Octets or text -> plain data: dictionaries, lists, strings, numbers, booleans, None.

Knows YAML 1.2's core schema (§10.3) and JSON; not what the data mean. What two YAML readers may
understand differently is refused, so that nobody has to know which reader this is. Built on
the parser's events: PyYAML's constructors know YAML 1.1, and cost five times as much.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml import events
from yaml.events import Event, ScalarEvent

from vpcdns.config import json_stream
from vpcdns.config.mistakes import Mistake, Path, cut

# The schema is 7 deep; nothing that nests deeper is meant for us.
MAX_DEPTH: Final = 32
MAX_NUMBER: Final = 40  # characters; a group_id without quotes may be a number of 32

EVENTS: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Final[dict[str, object]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# YAML 1.1 knows these as booleans, 1.2 as text. `off` is a word of ours (DESIGN §2).
_SURPRISING_WORDS: Final = frozenset(
    form for word in ("y", "n", "yes", "no", "on") for form in (word, word.capitalize(), word.upper())
) | {"<<", "="}
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_SURPRISING_NUMBER: Final = re.compile(
    r"[-+]?0[0-9_]+|0o[0-7]+"  # octal in 1.1 or in 1.2, decimal in the other or text
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # 20:30 is 1230 in 1.1
    r"|[-+]?0b[01_]+|0x[0-9a-fA-F]*_[0-9a-fA-F_]*|[-+]?0x[0-9a-fA-F_]+"
    r"|[-+]?(?=[0-9.]*_)[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"  # 1_000
    r"|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt \t][-+0-9:.Zz \t]*)?"  # a date
)
_UNKNOWN: Final[Any] = object()  # the value of something refused
_NO_KEY: Final[Any] = object()

# Words of the parser's error -> way out. libyaml and PyYAML's own parser differ in the rest.
_WAYS_OUT: Final = (
    ("tab", "indent with spaces"),
    ("cannot start any token", "indent with spaces, and put quotes around text that begins with @, ` or %"),
    ("mapping values are not allowed", "check the indentation, or put quotes around text with `: ` in it"),
    ("simple key", "check the indentation, and that each key is followed by a colon and a space"),
    ("quoted scalar", "close the quotation marks"),
    ("escape", "double the backslash, or use single quotes"),
    ("or ']'", "close the bracket, and separate the items by commas"),
    ("or '}'", "close the brace, and separate the items by commas"),
)
_RIGHT_FILE: Final = "check that it is the right file"

Taker = Callable[[object], None]
Spot = tuple[int, int]  # line and column, from 1


@dataclass(slots=True)
class Document:
    """What a text says. With mistakes, `value` is what could be read in spite of them.

    A syntax error leaves nothing: `readable` is False then.
    """

    value: object
    mistakes: list[Mistake]
    readable: bool = True


def read(text: str | bytes, takers: Mapping[str, Taker] | None = None) -> Document:
    """Reads YAML, JSON included; never raises for any text.

    JSON goes through `json`, ten times as fast; what that refuses is left to the YAML reader, which knows the
    place. That one hands the items of the sections in `takers` over, one by one, and does not keep them.
    """
    if isinstance(text, bytes):
        decoded = _decoded(text)
        return read(decoded, takers) if isinstance(decoded, str) else decoded
    if found := json_stream.UNPRINTABLE.search(text):
        what = f"the character U+{ord(found[0]):04X} has no place in a text file"
        return _unreadable(what, f"remove it, or {_RIGHT_FILE}", text[: found.start()])
    if text.lstrip(" \t\r\n").startswith("{"):
        try:
            return Document(json_stream.read_whole(text), [])
        except (ValueError, RecursionError):
            pass
    reader = _Reader(takers)
    readable = reader.read(text)
    value = reader.documents[0] if readable and reader.documents else None
    return Document(value, reader.mistakes, readable)


def spots(text: str | bytes, wanted: Collection[Path]) -> dict[tuple[Path, bool], Spot]:
    """Where the values at some paths begin, and (with True) their keys, as far as the text has them."""
    reader = _Reader(wanted=wanted)
    reader.read(text if isinstance(text, str) else text.decode("utf-8-sig", "replace"))
    return reader.spots


def _decoded(octets: bytes) -> str | Document:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unreadable("it is UTF-16", "save it as UTF-8")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, wrong = error.object[: error.start], error.object[error.start]
        way_out = f"save it as UTF-8, or {_RIGHT_FILE}"
        return _unreadable(f"octet 0x{wrong:02x} is not UTF-8", way_out, before.decode())


def _unreadable(what: str, way_out: str, before: str = "") -> Document:
    """A document with a mistake behind the text `before`."""
    lines = re.split("\r\n|\r|\n", before)
    mistake = Mistake((), what, way_out, line=len(lines), column=len(lines[-1]) + 1)
    return Document(None, [mistake], readable=False)


class _Reader:
    """Builds the data from events, and notes what is refused on the way.

    With `wanted`, it keeps no values, and notes where those paths are.
    """

    def __init__(self, takers: Mapping[str, Taker] | None = None, wanted: Collection[Path] = ()) -> None:
        self.takers = takers or {}
        self.wanted = wanted
        self.spots: dict[tuple[Path, bool], Spot] = {}
        self.mistakes: list[Mistake] = []
        self.documents: list[object] = []
        # For every open collection: itself, and the key that the next value is for.
        self.containers: list[Any] = [self.documents]
        self.keys: list[Any] = [_NO_KEY]

    def read(self, text: str) -> bool:
        """False for a syntax error, or what nests too deep."""
        parser = EVENTS(text)
        is_going_on = True
        try:
            while is_going_on:
                event = parser.get_event()
                if self.wanted:
                    self._see(event)
                if type(event) is ScalarEvent:  # most are, of a million groups
                    self._add(self._scalar(event), event)
                else:
                    is_going_on = self._structure(event)
        except yaml.YAMLError as error:
            self.mistakes.append(_syntax(error))
            return False
        finally:
            parser.dispose()
        return len(self.containers) <= MAX_DEPTH

    def _structure(self, event: Event) -> bool:
        """Whether there is more to read behind an event that is not a scalar."""
        if isinstance(event, events.CollectionStartEvent):
            if len(self.containers) > MAX_DEPTH:
                self._refuse(
                    event, f"nested more than {MAX_DEPTH} deep", "nothing here needs that: flatten it"
                )
                return False
            self._open(event)
        elif isinstance(event, events.CollectionEndEvent):
            self.keys.pop()
            value = self.containers.pop()
            # [documents, the top, a section]
            if len(self.containers) == 3 and (take := self.takers.get(self.keys[1])) is not None:
                take(value)
            else:
                self._add(None if self.wanted else value, event)
        elif isinstance(event, events.AliasEvent):
            what = f"`*{cut(str(event.anchor))}` repeats another part of the file"
            self._refuse(event, what, "write it out: anchors and aliases are not read here")
            self._add(_UNKNOWN, event)
        elif isinstance(event, events.DocumentStartEvent) and self.documents:
            self._refuse(event, "a second document begins here", "keep one document in a file")
            return False
        return not isinstance(event, events.StreamEndEvent)

    def _see(self, event: Event) -> None:
        """Notes the place of an event that begins something wanted."""
        path, at_key = self._path(), self._at_key()
        if isinstance(event, ScalarEvent):
            path = (*path, event.value) if at_key else path
        elif at_key or not isinstance(event, events.AliasEvent | events.CollectionStartEvent):
            return
        if path in self.wanted:
            self.spots.setdefault((path, at_key), _spot(event))

    def _open(self, event: events.CollectionStartEvent) -> None:
        self._check_properties(event)
        if self._at_key():
            self._refuse(event, "a list or a mapping cannot be a key", "write the key as text")
        self.containers.append({} if isinstance(event, events.MappingStartEvent) else [])
        self.keys.append(_NO_KEY)

    def _scalar(self, event: ScalarEvent) -> object:
        value: str = event.value
        if event.anchor is not None or event.tag is not None:
            self._check_properties(event)
        if not event.implicit[0]:
            return value
        if value in _WORDS:
            return _WORDS[value]
        if value in _SURPRISING_WORDS:
            way_out = "put quotes around it, or write true or false"
            self._refuse(event, f"`{value}` is a boolean to some YAML readers, and text to others", way_out)
        elif value[0] in "0123456789+-.":
            return self._number(value, event)
        return value

    def _number(self, value: str, event: ScalarEvent) -> object:
        if _INT.fullmatch(value):
            if len(value) <= MAX_NUMBER:
                return int(value, 16 if "x" in value else 10)
            self._refuse(event, "no number here is this long", "put quotes around text")
        elif _SURPRISING_NUMBER.fullmatch(value):
            way_out = "put quotes around it, or write a plain decimal number"
            what = f"`{cut(value)}` is a number to some YAML readers, and text to others"
            self._refuse(event, what, way_out)
        elif _FLOAT.fullmatch(value):
            return float(value)
        return value

    def _add(self, value: Any, event: Event) -> None:
        container, key = self.containers[-1], self.keys[-1]
        if type(container) is list:
            container.append(value)
        elif key is not _NO_KEY:
            if key is not _UNKNOWN:
                container[key] = value
            self.keys[-1] = _NO_KEY
        elif type(value) is str:
            self.keys[-1] = value
            if value in container:
                self._refuse(event, "this key is given twice", "keep one of them", at_key=True)
                self.keys[-1] = _UNKNOWN
        else:
            if isinstance(event, ScalarEvent):
                what = f"the key `{cut(event.value)}` is not text"
                self._refuse(event, what, "put quotes around it")
            self.keys[-1] = _UNKNOWN

    def _check_properties(self, event: ScalarEvent | events.CollectionStartEvent) -> None:
        if event.anchor is not None:
            what = f"`&{cut(event.anchor)}` names a part of the file"
            self._refuse(event, what, "remove it: anchors and aliases are not read here")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"the tag `{cut(tag)}` is not read here", "remove it")

    def _at_key(self) -> bool:
        return type(self.containers[-1]) is dict and self.keys[-1] is _NO_KEY

    def _refuse(self, event: Event, what: str, way_out: str, *, at_key: bool = False) -> None:
        self.mistakes.append(Mistake(self._path(), what, way_out, at_key, *_spot(event)))

    def _path(self) -> Path:
        parts: list[str | int] = []
        for container, key in zip(self.containers[1:], self.keys[1:], strict=True):
            if type(container) is list:
                parts.append(len(container))
            elif type(key) is str:
                parts.append(key)
        return tuple(parts)


def _spot(event: Event) -> Spot:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = [getattr(error, name, None) for name in ("context", "problem")]
    what = ", ".join(word for word in words if word) or "this is no YAML"
    way_out = next((way for word, way in _WAYS_OUT if word in what), "check the line and the one above it")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Mistake((), f"not YAML: {what}", way_out, line=line, column=column)
