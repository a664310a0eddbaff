"""What is known of answers that nobody needs to look at again."""

from __future__ import annotations

from vpcdns.query import Arrival, Response


class AnswerKind:
    """Answers of one kind: how often they were recalled, and one of them to tell what kind that is."""

    __slots__ = ("arrival", "count", "reply")

    def __init__(self, arrival: Arrival, reply: Response) -> None:
        self.arrival = arrival
        self.reply = reply
        self.count = 0
