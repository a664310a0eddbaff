"""What becomes of a name for a source, in a line; and what of that differs between two Worlds.

Knows answers and ways as the model gives them. Decides nothing.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question, Record, RRType, type_text
from vpcdns.model.names import Name
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.routing import Path, Source, path
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a name for a source: the answer, whether it is reached, and why.

    `records` are what it gets for other types than A, of which only those are looked at that differ. Caches
    keep the `cached` records, and for `negative_ttl` seconds that there is no answer.
    """

    answer: str
    verdict: str
    why: str = field(default="", compare=False)
    records: tuple[str, ...] = ()
    cached: tuple[Record, ...] = field(default=(), compare=False)
    negative_ttl: int = field(default=0, compare=False)

    @property
    def reachable(self) -> bool:
        return self.verdict == "reachable"

    def __str__(self) -> str:
        said = self.answer if self.verdict == "not_resolved" else f"{self.answer} {self.verdict}"
        return "; ".join((said, *self.records))


NOBODY: Final = Fate("no such source", "not_resolved")


def fate_of(source: Source | None, name: Name, world: World) -> Fate:
    """What becomes of `name` for `source`, a path in one line."""
    return NOBODY if source is None else _fate(path(source, name, world))


def _fate(found: Path) -> Fate:
    why = found.problems[0].detail if found.problems else ""
    answer = ", ".join(sorted(map(str, found.addresses)))
    if not answer:
        answer = "no response" if found.resolution is None else _said(found.resolution, RRType.A)
    said = found.resolution
    if said is None:
        return Fate(answer, found.verdict.value, why)
    negative_ttl = 0 if said.soa is None else said.soa.ttl
    return Fate(answer, found.verdict.value, why, cached=said.answers, negative_ttl=negative_ttl)


def changed_fates(
    name: Name,
    before: tuple[Source | None, World],
    after: tuple[Source | None, World],
    types_at: Callable[[Iterable[Name]], Collection[int]] | None = None,
    *,
    same_ways: bool = False,
) -> tuple[Fate, Fate] | None:
    """What becomes of a name before and after; None if that is no change.

    `types_at` says which types besides A are to be compared: those of the name, and of where CNAME records
    lead. With `same_ways` topologies and instances are equal, so that an equal answer is reached alike.
    """
    if before[0] is None or after[0] is None:
        was, now = fate_of(before[0], name, before[1]), fate_of(after[0], name, after[1])
        return None if was.verdict == now.verdict else (was, now)
    if (
        same_ways
        and types_at is None
        and _answer(name, before[0], before[1]) == _answer(name, after[0], after[1])
    ):
        return None
    found = path(before[0], name, before[1]), path(after[0], name, after[1])
    targets = (one.resolution.target for one in found if one.resolution is not None)
    was, now = map(_fate, found)
    for rtype in sorted(types_at({name, *targets})) if types_at is not None else ():
        said = [_of_type(name, rtype, *side) for side in (before, after)]
        if said[0][0] != said[1][0]:
            was, now = _with(was, rtype, *said[0]), _with(now, rtype, *said[1])
    return None if was == now else (was, now)


def _answer(name: Name, source: Source, world: World) -> object:
    """What a path depends on besides topology and instances."""
    said = resolve(Question(name, RRType.A), source.client, world)
    group = group_at(said.target, world)
    instance = None if group is None else group.instance_key
    records = [(one.rtype, one.rdata) for one in said.answers]
    return said.outcome, said.rcode, said.reason, said.target, records, instance


def _with(fate: Fate, rtype: int, text: str, answers: tuple[Record, ...]) -> Fate:
    if text == fate.answer:  # NXDOMAIN, or forwarded, as for A
        return fate
    records, cached = (*fate.records, f"{type_text(rtype)} {text}"), (*fate.cached, *answers)
    return replace(fate, records=records, cached=cached)


def _of_type(name: Name, rtype: int, source: Source | None, world: World) -> tuple[str, tuple[Record, ...]]:
    if source is None:
        return "", ()
    resolution = resolve(Question(name, rtype), source.client, world)
    return _said(resolution, rtype), resolution.answers


def _said(resolution: Resolution, rtype: int) -> str:
    records = sorted(one.rdata_text() for one in resolution.answers if one.rtype == rtype)
    if records:
        return ", ".join(records)
    if resolution.outcome is Outcome.RESPOND:
        return resolution.rcode.name if resolution.rcode else "NODATA"
    if resolution.outcome is Outcome.DROP:
        return "no response"
    alias = resolution.target != resolution.question.name
    return f"forwarded as {resolution.target}" if alias else "forwarded"
