"""What is counted of queries to upstreams, for the metrics."""

from dataclasses import dataclass, field

from vpcdns.model.policy import Upstream


@dataclass(slots=True)
class ForwardCounters:
    """For the metrics: what was asked of upstreams, and how it went."""

    queries: dict[Upstream, int] = field(default_factory=dict)
    silences: dict[Upstream, int] = field(default_factory=dict)
    joined: int = 0
    overloaded: int = 0
    loops: int = 0
    discarded: int = 0
    over_tcp: int = 0
    failures: int = 0
