"""What becomes of a name for a source, in a line; and what of that differs between two Worlds.

Knows answers and ways as the model gives them. Decides nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question, RRType, type_text
from vpcdns.model.names import Name
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.routing import Source, path
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a name for a source: the answer, whether it is reached, and why.

    `records` are what it gets for other types than A, of which only those are looked at that differ.
    """

    answer: str
    verdict: str
    why: str = field(default="", compare=False)
    records: tuple[str, ...] = ()

    @property
    def reachable(self) -> bool:
        return self.verdict == "reachable"

    def __str__(self) -> str:
        said = self.answer if self.verdict == "not_resolved" else f"{self.answer} {self.verdict}"
        return "; ".join((said, *self.records))


NOBODY: Final = Fate("no such source", "not_resolved")


def fate_of(source: Source | None, name: Name, world: World) -> Fate:
    """What becomes of `name` for `source`, a path in one line."""
    if source is None:
        return NOBODY
    found = path(source, name, world)
    why = found.problems[0].detail if found.problems else ""
    answer = ", ".join(sorted(map(str, found.addresses)))
    if found.resolution is not None and not answer:
        answer = _said(found.resolution, RRType.A)
    return Fate(answer, found.verdict.value, why)


def target_of(name: Name, source: Source | None, world: World) -> Name:
    """The last name that CNAME records lead to, of which anything is known."""
    return name if source is None else resolve(Question(name, RRType.A), source.client, world).target


def changed_fates(
    name: Name, before: tuple[Source | None, World], after: tuple[Source | None, World], types: Iterable[int]
) -> tuple[Fate, Fate] | None:
    """What becomes of a name before and after, its records of these types besides A; None: no change."""
    was, now = fate_of(before[0], name, before[1]), fate_of(after[0], name, after[1])
    if NOBODY in (was, now):
        return None if was.verdict == now.verdict else (was, now)
    records: tuple[list[str], list[str]] = [], []
    for rtype in types:
        texts = [_of_type(name, rtype, *one) for one in (before, after)]
        if texts[0] != texts[1]:
            for said, text, fate in zip(records, texts, (was, now), strict=True):
                if text != fate.answer:  # NXDOMAIN, or forwarded, as for A
                    said.append(f"{type_text(rtype)} {text}")
    was, now = (replace(fate, records=tuple(said)) for fate, said in zip((was, now), records, strict=True))
    return None if was == now else (was, now)


def _of_type(name: Name, rtype: int, source: Source | None, world: World) -> str:
    return "" if source is None else _said(resolve(Question(name, rtype), source.client, world), rtype)


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
