"""Cached upstream answers in wire format; TTLs are rewritten every second.

Knows messages and seconds; must not know a rule. An entry is what was decided for the very same octets, in
the same view of the same World, from the same entry of the cache. Measured: 1.3 µs; to decide takes some 50.
"""

from typing import Final

from vpcdns.forward.cache import Cache
from vpcdns.query import Fetched, ForwardKey, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.wire.format import ID_SIZE
from vpcdns.wire.relay import write_ttls
from vpcdns.wire.upstream import Relayed

_OBJECTS: Final = 2_700


class CachedAnswer:
    """A cached response. `recalled` is the octets without the id, and the kind; it holds until `until`.

    It is there after the first `renew`. `weight` is in octets.
    """

    __slots__ = ("_body", "_cache", "_key", "_kind", "_relayed", "recalled", "response", "until", "weight")

    recalled: tuple[bytes, AnswerKind]

    def __init__(
        self, cache: Cache, key: ForwardKey, relayed: Relayed, response: Response, kind: AnswerKind
    ) -> None:
        self.response = response
        self.until = 0.0
        self._cache = cache
        self._key = key
        self._relayed = relayed
        self._kind = kind
        self._body = bytearray(response.octets)
        # Three copies of the octets, and the objects that an entry is made of (measured).
        self.weight = 3 * len(response.octets) + _OBJECTS

    def renew(self, now: float) -> bool:
        """Counts the TTLs down; whether the cache still has the response, fresh."""
        fetched = self._cache.fresh(self._key, now)
        if not isinstance(fetched, Fetched) or fetched.stale or fetched.relayed is not self._relayed:
            return False
        write_ttls(self._body, self._relayed.records, fetched.age)
        self.recalled = bytes(self._body[ID_SIZE:]), self._kind
        self.until = fetched.until
        return True
