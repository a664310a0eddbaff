"""The metrics: what a scraper reads is well-formed, adds up, and holds nothing that a client chose."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import example_world
from tests.support.admin_server import idle_sources
from tests.support.decided_queries import HOSTILE, decided, state, tell
from vpcdns.model.policy import Upstream
from vpcdns.observe import metrics
from vpcdns.observe.metrics import Others, Sources, exposition
from vpcdns.observe.query_counts import QueryCounts
from vpcdns.observe.worker_counts import WorkerCounts

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(of: Sources) -> str:
    return "".join(asyncio.run(exposition(of)))


def test_the_shapes_of_coredns() -> None:
    holder = state()
    of = idle_sources(holder)
    tell(of.query_counts, decided(holder), 0.0002)
    tell(of.query_counts, decided(holder, client=example_world.IN_B), 0.3)
    found = samples(scraped(of))
    asked = (
        ("family", "1"),
        ("proto", "udp"),
        ("server", "127.0.0.1:5300"),
        ("type", "A"),
        ("vpc", example_world.VPC_A),
    )
    assert found["vpcdns_dns_requests_total", asked] == 1
    answered = (
        ("rcode", "NXDOMAIN"),
        ("reason", "other-vpc"),
        ("server", "127.0.0.1:5300"),
        ("vpc", example_world.VPC_B),
    )
    assert found["vpcdns_dns_responses_total", answered] == 1
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "vpcdns_dns_request_duration_seconds_bucket" and ("vpc", example_world.VPC_B) in labels
    }
    assert (buckets["0.25"], buckets["0.5"], buckets["+Inf"]) == (0, 1, 1)
    assert found["vpcdns_dns_request_duration_seconds_count", (("vpc", example_world.VPC_B),)] == 1
    assert found["vpcdns_dns_request_size_bytes_count", (("proto", "udp"),)] == 2


def test_every_part_is_there() -> None:
    of = idle_sources(state())
    assert of.resolver is not None
    upstream = Upstream(example_world.ENDPOINT)
    of.resolver.forwarder.counters.queries[upstream] = 4
    of.resolver.cache.counters.hits = 3
    found = samples(scraped(of))
    assert found["vpcdns_forward_requests_total", (("to", str(upstream)),)] == 4
    assert found["vpcdns_forward_healthy", (("to", str(upstream)),)] == 1
    assert found["vpcdns_cache_hits_total", ()] == 3
    assert found["vpcdns_reload_total", ()] == 2
    assert found["vpcdns_reload_failed_total", ()] == 1
    assert found["vpcdns_reload_last_failed", ()] == 1
    assert found["vpcdns_config_info", (("hash", "sha256"), ("value", "ab" * 32))] == 1
    assert found["vpcdns_world_objects", (("kind", "vpcs"),)] == 3
    assert found["vpcdns_server_tcp_open", ()] == 0
    assert found["vpcdns_query_log_lines_lost_total", ()] == 0
    assert any(name == "vpcdns_build_info" for name, _ in found)


def test_nothing_that_a_client_chose_is_in_it() -> None:
    holder = state()
    of = idle_sources(holder)
    before = {name for name, _ in samples(scraped(of))}
    tell(of.query_counts, decided(holder, HOSTILE, "TYPE4711"))
    tell(of.query_counts, decided(holder, "evil.localhost"))
    text = scraped(of)
    for word in ("img", "onerror", "evil", "4711"):
        assert word not in text
    assert 'type="other"' in text
    assert before <= {name for name, _ in samples(text)}


def test_two_scrapes_do_not_count_twice() -> None:
    holder = state()
    of = idle_sources(holder)
    other = QueryCounts()
    tell(of.query_counts, decided(holder))
    tell(other, decided(holder))

    async def others() -> Others:
        return Others([WorkerCounts(other.counts()())])

    both = replace(of, others=others)
    first, second = samples(scraped(both)), samples(scraped(both))
    counted = {key: value for key, value in first.items() if key[0].startswith("vpcdns_dns_")}
    assert counted == {key: value for key, value in second.items() if key[0].startswith("vpcdns_dns_")}
    assert sum(value for (name, _), value in counted.items() if name == "vpcdns_dns_requests_total") == 2


def test_a_family_in_pieces_is_one_family(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = state()
    of = idle_sources(holder)
    for client in (example_world.IN_A, example_world.IN_B, example_world.IN_C, example_world.ON_INTERNET):
        tell(of.query_counts, decided(holder, client=client))
    whole = scraped(of)
    monkeypatch.setattr(metrics, "VALUES_AT_ONCE", 1)
    pieces = scraped(of)
    assert [line for line in pieces.splitlines() if not line.startswith("process_")] == [
        line for line in whole.splitlines() if not line.startswith("process_")
    ]
