"""Whether the names and the data of an upstream's records are well formed.

Knows RFC 1035 §4.1.4 and which types have names in their data; not what any of it means. What passes here
is relayed to clients, whose parsers may be worse than ours: a pointer must lead back to a name, past no
TTL (they are rewritten), and end; names and fixed data must fill their record exactly.
"""

from __future__ import annotations

from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import RRType
from vpcdns.model.names import MAX_LABEL, MAX_NAME

HEADER_SIZE: Final = 12
POINTER_TO_QUESTION: Final = b"\xc0\x0c"
RECORD_HEAD_SIZE: Final = 10
ADDRESS_SIZES: Final[dict[int, int]] = {RRType.A: 4, RRType.AAAA: 16}
# Octets before the names, names, octets behind them: the types whose names may be compressed or are
# decompressed by receivers (RFC 1035 §3.3, RFC 3597 §4), and addresses, which parsers expect to fit.
_FORMS: Final[dict[int, tuple[int, int, int]]] = {
    **{rtype: (size, 0, 0) for rtype, size in ADDRESS_SIZES.items()},
    **dict.fromkeys((2, 3, 4, 5, 7, 8, 9, 12, 39), (0, 1, 0)),  # NS MD MF CNAME MB MG MR PTR DNAME
    RRType.SOA: (0, 2, 20),
    **dict.fromkeys((14, 17), (0, 2, 0)),  # MINFO RP
    **dict.fromkeys((15, 18, 21, 36), (2, 1, 0)),  # MX AFSDB RT KX
    26: (2, 2, 0),  # PX
    33: (6, 1, 0),  # SRV
}
_UNKNOWN_FORM: Final = None


class Names:
    """The names of one message, read from front to back.

    Every name is walked once: a pointer to where a label of an earlier name begins is known to be good,
    so the cost is bounded by the message's length (CVE-2024-8508).
    """

    __slots__ = ("_heads", "_lengths", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._lengths: dict[int, int] = {}  # where a label begins -> octets of the name from there on
        self._heads: list[int] = []

    def end(self, offset: int) -> int:
        """Where the name at `offset` ends; raises MalformedMessage."""
        octets, at, floor = self._octets, offset, offset
        if octets[at : at + 2] == POINTER_TO_QUESTION and offset > HEADER_SIZE:
            return at + 2  # what nearly all owner names are; the question's name was read before
        begun: list[int] = []
        try:
            while (octet := octets[at]) != 0 and octet <= MAX_LABEL:
                begun.append(at)
                at += 1 + octet
            if octet == 0:
                end, rest = at + 1, 1
            elif octet >= 0xC0:
                target = (octet & 0x3F) << 8 | octets[at + 1]
                end, rest = at + 2, self._lengths.get(target) or self._behind(target, floor)
            else:
                raise MalformedMessage("an unknown label type")
        except IndexError:
            raise MalformedMessage("a name is cut short") from None
        for begin in begun:
            length = self._lengths[begin] = at - begin + rest
            if length > MAX_NAME:
                raise MalformedMessage("a name that is too long")
        return end

    def check_data(self, rtype: int, start: int, end: int) -> None:
        """Raises MalformedMessage for data that is not of its type's form. Comes once for each record."""
        self._heads.append(start - RECORD_HEAD_SIZE)
        form = _FORMS.get(rtype, _UNKNOWN_FORM)
        if form is None:
            return
        before, names, behind = form
        at = start + before
        for _ in range(names):
            at = self.end(at)
        if at + behind != end:
            raise MalformedMessage("a record's data does not fill it")

    def _behind(self, target: int, floor: int) -> int:
        """The length of a name that a pointer leads to, if it is none that was read before.

        It may stand in the data of a type whose form is not known here. Walked at most as far as 255
        octets go; every further pointer must lead to before the last, so that it ends.
        """
        octets, length, at = self._octets, 1, target
        while True:
            if not HEADER_SIZE <= at < floor or self._in_a_head(at):
                raise MalformedMessage("a compression pointer that does not lead back to a name")
            octet = octets[at]
            if octet == 0:
                return length
            if octet >= 0xC0:
                floor, at = min(floor, target), (octet & 0x3F) << 8 | octets[at + 1]
                if at in self._lengths:
                    return length - 1 + self._lengths[at]
                target = at
                continue
            length += octet + 1
            at += octet + 1
            if octet > MAX_LABEL or length > MAX_NAME:
                raise MalformedMessage("a name that is too long")

    def _in_a_head(self, at: int) -> bool:
        return any(head <= at < head + RECORD_HEAD_SIZE for head in self._heads)
