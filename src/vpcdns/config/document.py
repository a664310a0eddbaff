"""Text -> plain data: dictionaries, lists, strings, numbers, booleans, None.

Knows YAML 1.2's core schema (§10.3) and JSON; not what the data mean. What two YAML readers may
understand differently is refused here, so that nobody has to know which reader this is. Built on
the parser's events: PyYAML's constructors know YAML 1.1, and cost five times as much.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from vpcdns.config.problems import Finding, Path, cut

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
# YAML 1.2 §5.1: what may stand in a file at all.
UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
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


@dataclass(slots=True)
class Document:
    """What a text says. With findings, `value` is what could be read in spite of them.

    A syntax error leaves nothing: `readable` is False then.
    """

    value: object = None
    findings: list[Finding] = field(default_factory=list)
    readable: bool = True


Taker = Callable[[object], None]


def read(text: str, takers: Mapping[str, Taker] | None = None) -> Document:
    """Reads YAML, JSON included; never raises for any text.

    JSON goes through `json`, ten times as fast; whatever that one does not take as it stands is left
    to the YAML reader, which knows the place. That one hands the items of the sections in `takers` over,
    one by one, and does not keep them.
    """
    if unprintable := UNPRINTABLE.search(text):
        return _unprintable(text, unprintable.start())
    if text.lstrip(" \t\r\n").startswith("{"):
        try:
            return Document(_json(text))
        except (ValueError, RecursionError):
            pass
    reader = _Reader(takers or {})
    try:
        reader.read(text)
    except yaml.YAMLError as error:
        reader.findings.append(_syntax(error))
        return Document(None, reader.findings, readable=False)
    except _TooDeep:
        return Document(None, reader.findings, readable=False)
    return Document(reader.value, reader.findings)


def _json(text: str) -> object:
    value = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text: ValueError
    return value


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON mapping; ValueError when a key is given twice."""
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key is given twice")
    return mapping


def no_constant(constant: str) -> object:
    """NaN and Infinity, which Python's reader takes: ValueError."""
    raise ValueError(f"{constant} is not JSON")


class _TooDeep(Exception):
    pass


class _Reader:
    """Builds the data from events, and notes what is refused on the way."""

    def __init__(self, takers: Mapping[str, Taker]) -> None:
        self.takers = takers
        self.findings: list[Finding] = []
        self.documents: list[object] = []
        # For every open collection: itself, and the key that the next value is for.
        self.containers: list[Any] = [self.documents]
        self.keys: list[Any] = [_NO_KEY]

    @property
    def value(self) -> object:
        return self.documents[0] if self.documents else None

    def read(self, text: str) -> None:
        parser = EVENTS(text)
        try:
            while True:
                event = parser.get_event()
                kind = type(event)
                if kind is ScalarEvent:
                    self._add(self._scalar(event), event)
                elif isinstance(event, CollectionStartEvent):
                    self._open(event)
                elif isinstance(event, CollectionEndEvent):
                    self.keys.pop()
                    value = self.containers.pop()
                    # [documents, the top, a section]
                    if len(self.containers) == 3 and (take := self.takers.get(self.keys[1])) is not None:
                        take(value)
                    else:
                        self._add(value, event)
                elif kind is AliasEvent:
                    what = f"`*{cut(event.anchor)}` repeats another part of the file"
                    self._refuse(event, what, "write it out: anchors and aliases are not read here")
                    self._add(_UNKNOWN, event)
                elif kind is DocumentStartEvent and self.documents:
                    self._refuse(event, "a second document begins here", "keep one document in a file")
                    return
                elif kind is StreamEndEvent:
                    return
        finally:
            parser.dispose()

    def _open(self, event: CollectionStartEvent) -> None:
        self._check_properties(event)
        if len(self.containers) > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep", "nothing here needs that: flatten it")
            raise _TooDeep
        container: Any = {} if isinstance(event, MappingStartEvent) else []
        if self._at_key():
            self._refuse(event, "a list or a mapping is no key", "write the key as text")
        self.containers.append(container)
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
            self._refuse(event, f"`{value}` is a boolean or text, as each YAML reader likes", way_out)
        elif value[0] in "0123456789+-.":
            return self._number(value, event)
        return value

    def _number(self, value: str, event: ScalarEvent) -> object:
        if _INT.fullmatch(value):
            if len(value) <= MAX_NUMBER:
                return int(value, 16 if "x" in value else 10)
            self._refuse(event, "a number this long means nothing here", "put quotes around text")
        elif _SURPRISING_NUMBER.fullmatch(value):
            way_out = "put quotes around it, or write a plain decimal number"
            what = f"`{cut(value)}` is text or a number, as each YAML reader likes"
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

    def _check_properties(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.anchor is not None:
            what = f"`&{cut(event.anchor)}` names a part of the file"
            self._refuse(event, what, "remove it: anchors and aliases are not read here")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"the tag `{cut(tag)}` is not read here", "remove it")

    def _at_key(self) -> bool:
        return type(self.containers[-1]) is dict and self.keys[-1] is _NO_KEY

    def _refuse(self, event: Event, what: str, way_out: str, *, at_key: bool = False) -> None:
        line, column = spot(event)
        finding = Finding(self._path(), what, way_out, at_key, line, column)
        self.findings.append(finding)

    def _path(self) -> Path:
        parts: list[str | int] = []
        for container, key in zip(self.containers[1:], self.keys[1:], strict=True):
            if type(container) is list:
                parts.append(len(container))
            elif type(key) is str:
                parts.append(key)
        return tuple(parts)


def spot(event: Event) -> tuple[int, int]:
    """The line and the column that an event begins at, from 1."""
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = [getattr(error, name, None) for name in ("context", "problem")]
    what = ", ".join(word for word in words if word) or "this is no YAML"
    way_out = next((way for word, way in _WAYS_OUT if word in what), "check the line and the one above it")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding((), f"not YAML: {what}", way_out, line=line, column=column)


def _unprintable(text: str, index: int) -> Document:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    line, column = before.count("\n") + 1, index - max(text.rfind("\n", 0, index), text.rfind("\r", 0, index))
    what = f"the character U+{ord(text[index]):04X} has no place in a text file"
    finding = Finding((), what, "remove it, or check that this is the right file", line=line, column=column)
    return Document(None, [finding], readable=False)
