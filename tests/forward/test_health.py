"""Which upstreams are asked first."""

from __future__ import annotations

from ipaddress import ip_address

from vpcdns.forward.health import Healths
from vpcdns.model.policy import Upstream

ONE, TWO, THREE = (Upstream(ip_address(f"192.0.2.{number}")) for number in (1, 2, 3))
ALL = (ONE, TWO, THREE)


def test_who_is_silent_twice_is_asked_last_for_a_while() -> None:
    healths = Healths()
    assert healths.in_order(ALL, 0.0) == ALL
    healths.silent(ONE, 0.0)
    assert healths.in_order(ALL, 0.0) == ALL, "one silence may be a lost packet"
    healths.silent(ONE, 1.0)
    assert healths.in_order(ALL, 4.9) == (TWO, THREE, ONE)
    assert healths.in_order(ALL, 5.0) == ALL, "two silences are worth 4 s"


def test_the_while_grows_up_to_a_bound() -> None:
    healths = Healths()
    for _ in range(2_000):
        healths.silent(TWO, 0.0)
    assert healths.in_order(ALL, 29.9) == (ONE, THREE, TWO)
    assert healths.in_order(ALL, 30.0) == ALL


def test_a_word_is_enough_to_be_back() -> None:
    healths = Healths()
    for upstream in (ONE, TWO):
        healths.silent(upstream, 0.0)
        healths.silent(upstream, 0.0)
    assert healths.in_order(ALL, 1.0) == (THREE, ONE, TWO)
    healths.heard(ONE)
    healths.heard(THREE)
    assert healths.in_order(ALL, 1.0) == (ONE, THREE, TWO)
    assert list(healths) == [TWO]
