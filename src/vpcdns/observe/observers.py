"""Several observers as one."""

from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.views import RelayedQuery, Views
from vpcdns.server.observer import Observer


class Observers(Observer):
    """Passes on what happens, in this order. Of recalled queries one observer hears, at most."""

    def __init__(self, *observers: Observer) -> None:
        self._all = observers
        # Batches and relayed queries are so cheap that a call for nothing is felt.
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
