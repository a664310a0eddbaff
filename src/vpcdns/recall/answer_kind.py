"""What answers have in common that are counted together."""

from dataclasses import dataclass

from vpcdns.query import Arrival, Response


@dataclass(slots=True, eq=False)
class AnswerKind:
    """Answers that are counted together: how often they were recalled, and one of them as an example."""

    arrival: Arrival
    response: Response
    count: int = 0
