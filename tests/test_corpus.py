"""The recorded corpus, replayed: no octet of a response changes unless that is meant (tests/corpus)."""

from __future__ import annotations

from itertools import takewhile

import dns.exception
import dns.message
import pytest

from tests.corpus.program import outcome, worlds
from tests.corpus.recording import FILE, Case, Kind, Recording, read
from vpcdns.model.world import World

AT_LEAST = 50_000  # cases; fewer would prove less than is said
SIZE_AT_MOST = 2_000_000  # octets of a file that everybody clones
SHOWN_AT_MOST = 3


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read()


@pytest.fixture(scope="module")
def known(recording: Recording) -> list[World]:
    return worlds(recording.configurations)


def test_the_corpus_is_large_and_its_file_is_not(recording: Recording) -> None:
    assert len(recording.cases) == len(recording.outcomes) >= AT_LEAST
    assert len(set(recording.cases)) == len(recording.cases)
    assert {case.kind for case in recording.cases} == set(Kind)
    assert FILE.stat().st_size <= SIZE_AT_MOST


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: str(kind.value))
def test_replay(kind: Kind, recording: Recording, known: list[World]) -> None:
    count, differences = 0, list[str]()
    for case, recorded in zip(recording.cases, recording.outcomes, strict=True):
        if case.kind is not kind:
            continue
        count += 1
        if (found := outcome(case, known)) != recorded:
            differences.append(
                difference(case, recorded, found, recording) if len(differences) < SHOWN_AT_MOST else ""
            )
    assert count
    if differences:
        told = [f"{len(differences)} of {count} cases differ from what was recorded", *differences]
        pytest.fail("\n\n".join(filter(None, told)), pytrace=False)


def difference(case: Case, recorded: str, found: str, recording: Recording) -> str:
    """One case, and both of its outcomes as dnspython reads them."""
    arrival = case.arrival
    whose = "".join(
        (
            f" at the listener of {arrival.listener}" if arrival.listener else "",
            f", for {arrival.proxied}" if arrival.proxied else "",
        )
    )
    names = [recording.configurations[number].name for number in (case.configuration, case.finished_in)]
    parts = [
        f"configuration: {names[0]}",
        f"client: {arrival.client} over {arrival.transport}{whose}",
        f"query: {case.query.hex()}",
    ]
    if case.kind is Kind.RELAY:
        parts.append(f"upstream: {case.upstream.hex()}, {case.age} s old{', stale' if case.stale else ''}")
    if case.kind is Kind.FAILED:
        parts.append(f"failure: {case.failure}")
    if case.kind in (Kind.RELAY, Kind.FAILED) and names[1] != names[0]:
        parts.append(f"finished in configuration: {names[1]}")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(recorded, found, strict=False)))
    start = recorded.rfind(" ") + 1
    if min(len(recorded), len(found)) > same >= start > 0:
        parts.append(f"they differ from octet {(same - start) // 2} on")
    return "\n".join((*parts, f"recorded: {shown(recorded)}", f"found: {shown(found)}"))


def shown(said: str) -> str:
    """An outcome with its octets, if it has any, and what they mean."""
    octets = said.rpartition(" ")[2] if " " in said else ""
    if not octets:
        return said
    try:
        text = dns.message.from_wire(bytes.fromhex(octets), ignore_trailing=True).to_text()
    except (dns.exception.DNSException, ValueError) as error:
        text = f"dnspython does not read it: {error!r}"
    return f"{said}\n{text}"
