"""The window in which caches keep what was true before a change."""

from __future__ import annotations

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, SERVERLESS_NAME, hybrid
from vpcdns.rehearsal.cache_window import CacheWindow, cache_window, window_text
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.plan import plan
from vpcdns.rehearsal.plan_text import plan_text

ZONE = """
private_zones:
  - {zone: corp.test, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.8.9], ttl: %s}]}
"""


def test_old_answers_and_old_absences_live_as_long_as_their_ttls() -> None:
    world = hybrid(f"{CONFIGURATION}answers: {{ttl: 300, negative_ttl: 45}}")
    found = plan(world, changed(world, "bind gw vpc-b vsw-b"))
    assert cache_window(found) == CacheWindow(300, 45, own_ttl=True)
    text = "\n".join(plan_text(found))
    assert "old answers for 300 s and that there is no answer for 45 s" in text
    assert "lower `answers.ttl` and `answers.negative_ttl` first, and wait 300 s" in text


def test_only_what_changes_counts() -> None:
    world = hybrid()
    disabled = changed(world, f"disable {'d' * 32}")
    assert cache_window(plan(world, disabled)).ttl == 60
    assert cache_window(plan(disabled, world)).negative_ttl == 10
    assert cache_window(plan(disabled, world)).ttl == 0


def test_whoever_loses_only_the_way_has_nothing_in_caches() -> None:
    world = hybrid()
    found = plan(world, changed(world, "cut vpn-1"))
    assert found.lost
    assert list(window_text(cache_window(found))) == []


def test_records_of_private_zones_have_ttls_of_their_own() -> None:
    old, new = (hybrid(CONFIGURATION + ZONE % ttl) for ttl in (7, 7))
    assert list(window_text(cache_window(plan(old, new)))) == []
    moved = hybrid(CONFIGURATION + (ZONE % 7).replace("10.1.8.9", "10.1.8.10"))
    window = cache_window(plan(old, moved))
    assert window == CacheWindow(7, 0, ["corp.test"])
    assert "lower `ttl` of records in corp.test first" in "\n".join(window_text(window))


def test_records_of_other_types_count() -> None:
    text = ", {name: db, type: TXT, values: [%s], ttl: 900}]}"
    old, new = (
        hybrid(CONFIGURATION + (ZONE % 7).replace("]}\n", f"{text % word}\n")) for word in ("one", "two")
    )
    assert cache_window(plan(old, new)) == CacheWindow(900, 0, ["corp.test"])


def test_ttls_of_all_that_keeps_an_answer_are_to_be_lowered() -> None:
    """A CNAME record of a private zone leads to a VPC domain, and both are cached."""
    alias = ZONE.replace("db, type: A, values: [10.1.8.9]", f"db, type: CNAME, values: ['{DEDICATED_NAME}.']")
    world = hybrid(CONFIGURATION + alias % 900)
    window = cache_window(plan(world, changed(world, f"disable {'d' * 32}")))
    assert (window.ttl, window.own_ttl) == (60, True)
    assert "lower `answers.ttl` first" in "\n".join(window_text(window))
    other = hybrid(CONFIGURATION + (alias % 900).replace(DEDICATED_NAME, SERVERLESS_NAME))
    window = cache_window(plan(world, other))
    assert (window.ttl, window.private_zones, window.own_ttl) == (900, ["corp.test"], True)
    said = "\n".join(window_text(window))
    assert "lower `ttl` of records in corp.test and `answers.ttl` first" in said


def test_a_zone_may_say_itself_how_long_it_has_nothing() -> None:
    soa = "{name: '@', type: SOA, values: ['ns.corp.test. who.corp.test. 1 2 3 4 7200'], ttl: 7200}"
    old = hybrid(CONFIGURATION + ZONE.replace("records: [", f"records: [{soa}, ") % 7)
    new = hybrid(
        CONFIGURATION + ZONE.replace("records: [", f"records: [{soa}, ").replace("name: db", "name: n2") % 7
    )
    window = cache_window(plan(old, new))
    assert window.negative_ttl == 7200
    assert "the SOA record of corp.test, if it has one" in "\n".join(window_text(window))
