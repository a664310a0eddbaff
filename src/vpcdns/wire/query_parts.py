"""Queries that are looked up by their parts without being read.

Messages here are without their ids, which are another for every query. Names are followed, not checked: what
a part is compared with was learned from a query that had been read.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from vpcdns.model.names import MAX_LABEL
from vpcdns.wire.format import NAME_AT, TYPE_AND_CLASS_SIZE

T = TypeVar("T")

# Labels before a search is given up; each takes 0.3 µs. Reverse names of IPv6 have 34.
_LABELS_AT_MOST: Final = 8


def without_labels(query: bytes, size: int) -> bytes:
    """The query without the first labels of its name, which take `size` octets: what `find` looks up."""
    return query[:NAME_AT] + query[NAME_AT + size :]


def find(query: bytes, table: Mapping[bytes, T]) -> tuple[T, bytes] | None:
    """What `table` has for the query without its first labels, as few as possible; and these labels."""
    head, end, size = query[:NAME_AT], NAME_AT, len(query)
    for _ in range(_LABELS_AT_MOST):
        if end >= size or not 0 < query[end] <= MAX_LABEL:
            return None
        end += 1 + query[end]
        found = table.get(head + query[end:])
        if found is not None:
            return found, query[NAME_AT:end]
    return None


def split_off_label(query: bytes, suffix_size: int, longer_than: int) -> tuple[bytes, bytes, bytes] | None:
    """The parts of a query for a name of one label and a suffix of that many octets.

    They are the name in lower case without the octet it begins with, the question as it is, and the query
    without its name. None if the label is too short, or the query; the suffix itself is not looked at.
    """
    size = len(query)
    length = query[NAME_AT] if size > NAME_AT else 0
    if length <= longer_than:
        return None
    end = NAME_AT + 1 + length + suffix_size
    behind = end + TYPE_AND_CLASS_SIZE
    if size < behind:
        return None
    return query[NAME_AT + 1 : end].lower(), query[NAME_AT:behind], query[:NAME_AT] + query[end:]


def around_question(message: bytes, question: bytes) -> tuple[bytes, bytes] | None:
    """What stands before and behind the question; None if that is another."""
    if not message.startswith(question, NAME_AT):
        return None
    return message[:NAME_AT], message[NAME_AT + len(question) :]
