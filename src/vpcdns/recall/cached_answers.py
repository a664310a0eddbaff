"""Cached responses as octets that are ready to be sent, but for the id, until their TTLs have to be less.

Knows messages and seconds; must not know a rule. An entry is what the slow path answered to the very same
octets, in the same view of the same World, from the same entry of the cache; its TTLs are counted down once
a second. Measured: 1.3 µs, where the slow path takes some 50.
"""

from __future__ import annotations

from vpcdns.forward.cache import Cache
from vpcdns.query import Fetched, Forward, ForwardKey, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.wire.format import ID_SIZE
from vpcdns.wire.relay import has_all_records, write_ttls
from vpcdns.wire.upstream import Relayed


class CachedAnswer:
    """A cached response. `recalled` is what is said without its id, and its kind, while it is before `until`.

    That is never before the first `renew`, and `known` is to be set before that.
    """

    __slots__ = ("_body", "_cache", "_key", "_relayed", "known", "recalled", "reply", "until")

    known: AnswerKind
    recalled: tuple[bytes, AnswerKind]

    def __init__(self, cache: Cache, key: ForwardKey, relayed: Relayed, reply: Response) -> None:
        self.reply = reply
        self.until = 0.0
        self._cache = cache
        self._key = key
        self._relayed = relayed
        self._body = bytearray(reply.octets)

    def renew(self, now: float) -> bool:
        """Counts the TTLs down; whether the cache still has the response, fresh."""
        known = self._cache.fresh(self._key, now)
        if not isinstance(known, Fetched) or known.stale or known.relayed is not self._relayed:
            return False
        write_ttls(self._body, self._relayed.records, known.age)
        self.recalled = bytes(self._body[ID_SIZE:]), self.known
        self.until = known.until
        return True


def fleeting(
    message: bytes, forward: Forward, key: ForwardKey, fetched: Fetched, reply: Response, cache: Cache
) -> CachedAnswer | None:
    """An entry for a response that is as it was fetched, and depends on nothing but message and view."""
    edns = forward.query.edns
    plain = forward.arrival.proxied is None and (edns is None or not edns.options)
    if len(message) != forward.query.size:
        return None  # behind a PROXY header: the message does not begin with the id
    if not plain or fetched.stale or reply.relayed is not fetched.relayed:
        return None
    if not has_all_records(reply.octets, fetched.relayed, opt=edns is not None):
        return None
    return CachedAnswer(cache, key, fetched.relayed, reply)
