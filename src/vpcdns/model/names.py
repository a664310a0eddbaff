"""Domain names as labels of octets.

Knows RFC 1035, 2181 and 4343: any octets, no more than 63 in a label and 255 in a name, compared
without regard to ASCII case, kept in the case given. Text never decides anything here: it is read
from configuration and shown to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vpcdns.errors import MalformedName

MAX_LABEL: Final = 63  # RFC 1035 §2.3.4
MAX_NAME: Final = 255
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_*-]+").fullmatch  # labels that are written as they are
_TOKENS: Final = re.compile(r"\\(\d{3})|\\(\D)|(\\)|(\.)|(.)", re.DOTALL).finditer  # RFC 1035 §5.1
_HOST_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?:\*\.)?{_HOST_LABEL}(?:\.{_HOST_LABEL})*").fullmatch


class Name:
    """A fully qualified domain name; `labels` are without the root's empty one."""

    __slots__ = ("_hash", "folded", "labels")

    labels: tuple[bytes, ...]
    folded: tuple[bytes, ...]  # RFC 4343: what is compared

    def __init__(self, labels: tuple[bytes, ...]) -> None:
        """Raises MalformedName for a label or a name that is empty or too long."""
        lengths = list(map(len, labels))
        if lengths and (min(lengths) == 0 or max(lengths) > MAX_LABEL):
            raise MalformedName("a label must have 1 to 63 octets")
        if sum(lengths) + len(lengths) + 1 > MAX_NAME:
            raise MalformedName("a name must not be longer than 255 octets")
        self.labels = labels
        # bytes.lower() changes ASCII letters only, as RFC 4343 §3 wants.
        self.folded = tuple([label.lower() for label in labels])
        self._hash = hash(self.folded)

    @classmethod
    def of_host(cls, text: str) -> Name | None:
        """The name of a host, or `*.` before one, that is written in lower case; None: not of that form.

        Several times faster than `from_text`, for a million of them.
        """
        if len(text) > MAX_NAME - 2 or _HOST_NAME(text) is None:
            return None
        name = cls.__new__(cls)
        name.labels = name.folded = tuple(text.encode().split(b"."))
        name._hash = hash(name.folded)  # noqa: SLF001 - of its own class
        return name

    @classmethod
    def from_text(cls, text: str) -> Name:
        r"""Reads presentation format, with or without the final dot; `\.` and `\DDD` escape (RFC 1035 §5.1).

        Only ASCII: an internationalised name is written as its A-label (`xn--…`), so that it is
        never changed in silence. Raises MalformedName.
        """
        if not text.isascii():
            raise MalformedName(f"{text!r} has characters outside ASCII: write its A-label (xn--…)")
        if text == ".":
            return cls(())
        if "\\" in text:
            return cls(tuple(_labels(text)))
        return cls(tuple(text.encode().removesuffix(b".").split(b".")))

    def __str__(self) -> str:
        """Presentation format without the final dot; the root is `.`."""
        return ".".join(_escaped(label) for label in self.labels) or "."

    def __repr__(self) -> str:
        return f"Name({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and self.folded == other.folded

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Name], tuple[tuple[bytes, ...]]]:
        """Without the hash: that of octets differs between processes."""
        return Name, (self.labels,)

    def __len__(self) -> int:
        return len(self.labels)

    def parent(self) -> Name:
        """The name without its first label; the root has none: ValueError."""
        if not self.labels:
            raise ValueError("the root has no parent")
        return self._last(1)

    def _last(self, start: int) -> Name:
        """The name from label `start` on, which needs no checking again."""
        name = Name.__new__(Name)
        name.labels = self.labels[start:]
        name.folded = self.folded[start:]
        name._hash = hash(name.folded)  # noqa: SLF001 - of its own class
        return name

    def ancestors(self) -> Iterator[Name]:
        """Every name above this one, nearest first, the root left out."""
        for start in range(1, len(self.labels)):
            yield self._last(start)

    def is_at_or_below(self, other: Name) -> bool:
        """Whether `other` is this name or one of its ancestors, label by label."""
        count = len(other.folded)
        return count == 0 or self.folded[-count:] == other.folded

    def relative_to(self, other: Name) -> tuple[bytes, ...]:
        """The labels in front of `other`, folded; for a name at or below it."""
        return self.folded[: len(self.folded) - len(other.folded)]

    def under(self, other: Name) -> Name:
        """This name with `other` behind it; raises MalformedName when that is too long."""
        return Name(self.labels + other.labels)

    @property
    def is_wildcard(self) -> bool:
        return bool(self.labels) and self.labels[0] == b"*"

    @property
    def size(self) -> int:
        """In octets, as RFC 1035 §2.3.4 counts: one more for each label, and one for the root."""
        return sum(map(len, self.labels)) + len(self.labels) + 1


def _labels(text: str) -> Iterator[bytes]:
    label = bytearray()
    for token in _TOKENS(text):
        number, escaped, unfinished, dot, plain = token.groups()
        if unfinished or (number and int(number) > 255):
            raise MalformedName(f"{text!r} has an unfinished escape")
        if dot:
            yield bytes(label)
            label.clear()
        else:
            label.append(int(number) if number else ord(escaped or plain))
    if label or not text:
        yield bytes(label)


def _escaped(label: bytes) -> str:
    return label.decode() if _PLAIN(label) else escaped(label, b'.\\"();@$', 0x21)


def escaped(octets: bytes, special: bytes, lowest: int) -> str:
    r"""Presentation format: `\` before special octets, `\DDD` for those below `lowest` or not printable."""
    return "".join(
        f"\\{chr(octet)}" if octet in special else chr(octet) if lowest <= octet <= 0x7E else f"\\{octet:03d}"
        for octet in octets
    )
