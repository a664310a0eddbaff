"""When a TCP peer has taken longer than it may: every limit, just before it and just after."""

from __future__ import annotations

import pytest

from vpcdns.listen.tcp_limits import TcpLimits, TcpUse

LIMITS = TcpLimits(message=5, write=6, linger=2, queries=3, lull=0.5)
IDLE = 10.0


@pytest.mark.parametrize(
    ("field", "limit"), [("active_at", IDLE), ("begun_at", 5), ("blocked_at", 6), ("finished_at", 2)]
)
def test_each_time_has_its_limit(field: str, limit: float) -> None:
    used = TcpUse(LIMITS, 100.0)
    setattr(used, field, 200.0)
    used.active_at = 200.0
    assert not used.is_over(200.0 + limit, IDLE, owed=False)
    assert used.is_over(200.1 + limit, IDLE, owed=False)


def test_nobody_is_idle_who_waits_for_us() -> None:
    used = TcpUse(LIMITS, 0.0)
    used.begun_at = 0.0
    assert not used.is_over(1e6, IDLE, owed=True)
    used.blocked_at = 0.0  # but must read what is there already
    assert used.is_over(7.0, IDLE, owed=True)


def test_after_its_share_a_lull_is_enough() -> None:
    used = TcpUse(LIMITS, 0.0)
    for queries, over in ((2, False), (3, True), (4, True)):
        used.queries = queries
        assert used.is_used_up is over
        assert used.is_over(0.6, IDLE, owed=False) is over
    assert used.is_over(0.3, 0.2, owed=False), "a crowded server waits no longer than for others"
