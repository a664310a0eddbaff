"""What answers have in common that are counted together."""

from vpcdns.query import Arrival, Response


class AnswerKind:
    """Answers that are counted together: how often they were recalled, and one of them as an example."""

    __slots__ = ("arrival", "count", "response")

    def __init__(self, arrival: Arrival, response: Response) -> None:
        self.arrival = arrival
        self.response = response
        self.count = 0
