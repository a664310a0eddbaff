"""What a TCP peer may hold of the server and for how long, and how much of it a connection has used.

Knows numbers and times; the clock is the caller's. Knows neither sockets nor messages.
"""

from dataclasses import dataclass

from vpcdns.query.responses import TCP_IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What TCP peers may hold of the server; times in seconds."""

    # BIND 150, NSD 100, PowerDNS 20, Knot DNS half of the file descriptors; all from before clients kept
    # connections open as RFC 7766 asks. Ours holds 2,000 or half of the descriptors, whichever is less.
    connections: int = 2_000
    # BIND and Unbound have none. An address can be a whole network behind NAT.
    per_client: int = 250
    idle: float = TCP_IDLE_SECONDS  # clients are told
    # Unbound cuts it stepwise as its slots fill up; we once, at three quarters.
    idle_when_crowded: float = 2.0
    # From a message's first octet to its last. BIND 30 (tcp-initial-timeout), Knot DNS 0.5 (tcp-io-timeout).
    message: float = 5.0
    # Octets of responses that wait for the peer to read, until no further query is answered: asyncio's bound.
    unread: int = 65_536
    # With those that were under way then: upstreams may answer 50 queries with 64 KiB each.
    unread_at_most: int = 1 << 20
    # Of all connections together: whoever lets most wait is closed first.
    unread_in_all: int = 64 << 20
    # While more than `unread` waits for the peer to read.
    write: float = 5.0
    # After our last response: until the peer closes too (see `tcp_connection`).
    linger: float = 2.0
    # After so many a connection has had its share, and ends as soon as no query can be under way to us
    # (docs/decisions/0012-queries-on-one-connection.md). BIND and Unbound have no such bound.
    queries: int = 1_000
    # No query for so long: none is under way.
    lull: float = 0.1
    # BIND 23, Knot Resolver 100 (net.tcp_pipeline). Bounds memory, not speed.
    in_flight: int = 50
    sweep: float = 1.0


@dataclass(slots=True)
class TcpUse:
    """Of one connection. All times are those of the event loop's clock, in seconds.

    `queries` counts those that were taken; `pipelines` says that there were several before an answer to the
    first. `active_at` is when the peer last got an answer. The others are set while something lasts: a
    message is incomplete since `begun_at`, responses wait to be read since `blocked_at`, and we have nothing
    more to send since `finished_at`.
    """

    limits: TcpLimits
    active_at: float
    queries: int = 0
    pipelines: bool = False
    begun_at: float | None = None
    blocked_at: float | None = None
    finished_at: float | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether the connection had its share of queries."""
        return self.queries >= self.limits.queries

    def is_over(self, now: float, idle: float, *, owed: bool) -> bool:
        """Whether the peer has taken longer than it may.

        `idle` is how long it may ask nothing; `owed` says that it waits for us, not we for it.
        """
        limits = self.limits
        if self.blocked_at is not None:
            return now - self.blocked_at > limits.write
        if self.finished_at is not None:
            return now - self.finished_at > limits.linger
        if owed:
            return False
        if self.begun_at is not None:
            return now - self.begun_at > limits.message
        return now - self.active_at > (min(idle, limits.lull) if self.is_used_up else idle)
