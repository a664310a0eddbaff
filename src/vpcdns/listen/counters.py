"""What listeners count, as plain integers, for whoever shows them.

Knows no metrics library: `observe` reads these numbers when somebody asks.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class ListenerCounters:
    """Totals since the start, except `tcp_open`, which is the connections there are now."""

    udp_received: int = 0
    udp_answered: int = 0
    udp_silent: int = 0  # left without a response because the responder wanted it so
    udp_discarded: int = 0  # not shown to the responder: longer than the limit, or from source port 0
    udp_receive_errors: int = 0
    udp_send_errors: int = 0
    tcp_received: int = 0
    tcp_answered: int = 0
    tcp_silent: int = 0  # connections closed because the responder wanted no response
    tcp_malformed: int = 0  # connections closed for a length that is no query's
    tcp_open: int = 0
    tcp_accepted: int = 0
    tcp_refused: int = 0  # connections closed at once because of a limit
    tcp_evicted: int = 0  # connections closed, the longest idle first, to make room for others
    tcp_expired: int = 0  # connections closed by a deadline
    tcp_unread: int = 0  # connections closed because the peer did not read its responses
    tcp_accept_errors: int = 0
    late_refused: int = 0  # answered SERVFAIL because too many answers were outstanding
    responder_exceptions: int = 0
