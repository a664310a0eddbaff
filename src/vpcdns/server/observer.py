"""Who hears of queries: one small interface, for the log, the counts and the latest decisions.

An observer is handed to the Resolver when that is made. It may neither delay a response nor fail.
"""

from collections.abc import Callable

from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.views import RecalledQuery, RelayedQuery, Views


class Observer:
    """Hears of every query, and does nothing about it: observers override what they need.

    `on_recall` is called for each response that was recalled; None costs nothing.
    """

    on_recall: Callable[[RecalledQuery], None] | None = None

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        """A query was decided; it took so many seconds."""

    def relayed(self, query: RelayedQuery, kind: AnswerKind, size: int) -> None:
        """A query that had a route was answered; its response has `size` octets."""

    def must_see(self, count: int) -> bool:
        """Whether one of the next `count` queries must be decided, so that `decided` is called for it."""
        return False

    def remembers(self, views: Views) -> None:
        """From now on responses are recalled from these views only; `kinds` counts them."""


class Observers(Observer):
    """Several observers, called in this order. Only one of them may have an `on_recall`."""

    def __init__(self, *observers: Observer) -> None:
        self._all = observers
        # Batches and relayed queries are so cheap that a call that does nothing would be felt.
        self._must_see = [one.must_see for one in observers if type(one).must_see is not Observer.must_see]
        self._relayed = [one.relayed for one in observers if type(one).relayed is not Observer.relayed]
        (self.on_recall,) = {one.on_recall for one in observers} - {None} or {None}

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        for observer in self._all:
            observer.decided(arrival, result, took)

    def relayed(self, query: RelayedQuery, kind: AnswerKind, size: int) -> None:
        for relayed in self._relayed:
            relayed(query, kind, size)

    def must_see(self, count: int) -> bool:
        # All are asked: each counts down to the next query that it must see.
        seen = False
        for must_see in self._must_see:
            seen = must_see(count) or seen
        return seen

    def remembers(self, views: Views) -> None:
        for observer in self._all:
            observer.remembers(views)
