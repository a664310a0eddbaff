"""Whom a change affects, and how: every (source, name) whose answer or reachability changes, and why.

Compares two Worlds by asking both, once for each flow of names and each class of sources, never once per
group. Decides nothing: answers and ways are the model's.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Final

from vpcdns.model.decision import Outcome
from vpcdns.model.gateway import Instance
from vpcdns.model.names import Name
from vpcdns.model.routing import Source, path
from vpcdns.model.world import World
from vpcdns.rehearsal.flows import ABSENT, SAMPLES, Flow, Flows, NameKind, Situation
from vpcdns.rehearsal.private_names import PrivateNames
from vpcdns.rehearsal.sources import Sources


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a name for a source: the answer, whether it is reached, and why."""

    answer: str
    verdict: str
    why: str = field(default="", compare=False)

    @property
    def reachable(self) -> bool:
        return self.verdict == "reachable"

    def __str__(self) -> str:
        return self.answer if self.verdict == "not_resolved" else f"{self.answer} {self.verdict}"


NOBODY: Final = Fate("no such source", "not_resolved")


@dataclass(slots=True)
class Row:
    """Sources for which it is the same before, and the same after."""

    before: Fate
    after: Fate
    sources: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of names that go from one situation to another."""

    flow: Flow
    instance: str
    binding: str
    rows: tuple[Row, ...]

    @property
    def pairs(self) -> int:
        return self.flow.count * sum(len(row.sources) for row in self.rows)

    def count(self, reachable: bool) -> int:
        """How many pairs become reachable, or stop being so."""
        return self.flow.count * sum(
            len(row.sources)
            for row in self.rows
            if row.after.reachable is reachable and row.before.reachable is not reachable
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The sections with changes, those with the most (source, name) pairs first, and what they add up to."""

    sections: tuple[Section, ...]
    pairs: int
    lost: int
    gained: int


def plan(old: World, new: World) -> Plan:
    """Everything that changes for anybody between two Worlds."""
    comparison = _Comparison(old, new)
    sections = (comparison.section(flow) for flow in comparison.flows())
    found = [section for section in sections if section is not None]
    found += comparison.private_sections()
    found.sort(key=lambda section: (-section.pairs, section.instance, section.flow.kind.value))
    lost, gained = (sum(section.count(reachable) for section in found) for reachable in (False, True))
    return Plan(tuple(found), sum(section.pairs for section in found), lost, gained)


class _Comparison:
    def __init__(self, old: World, new: World) -> None:
        self.old, self.new = old, new
        self.old_sources, self.new_sources = Sources(old), Sources(new)
        self.same_policy = _same(old, new, "answers", "access", "forwarding")
        self.all_suspect = not (self.same_policy and _same(old, new, "topology"))
        self.private = PrivateNames(old, new)
        self.same_gateway = old.groups is new.groups and old.instances is new.instances
        self.partial_rules = any(rule.vpcs for world in (old, new) for rule in world.forwarding.rules)
        vpcs = _alike(old.topology.vpcs, new.topology.vpcs)
        networks = _alike(old.topology.networks, new.topology.networks)
        self.everybody = [*vpcs.items(), *networks.items()]

    def flows(self) -> Iterator[Flow]:
        """The flows in which something may change."""
        if self.same_gateway and not self.all_suspect:
            return
        for flow in Flows(self.old, self.new, self.private).collect():
            closed = not (flow.before.enabled or flow.after.enabled)
            if closed and (flow.before == flow.after or flow.kind is NameKind.VPC_DOMAIN):
                continue  # an absent VPC domain and one that is off are NXDOMAIN, whoever asks
            if self.all_suspect or flow.before != flow.after or self._differs(flow):
                yield flow

    def _differs(self, flow: Flow) -> bool:
        key = flow.after.instance
        return key is not None and self.old.instances.get(key) != self.new.instances.get(key)

    def section(self, flow: Flow) -> Section | None:
        """What changes for whom in a flow; None for nothing."""
        rows: dict[tuple[Fate, Fate], Row] = {}
        name, private = flow.samples[0], self._resolving_as(flow.private_to)
        for first, members in self._classes(flow, private):
            if (fates := self._fates(first, name)) is not None:
                rows.setdefault(fates, Row(*fates, [])).sources += members()
        if not rows:
            return None
        key = flow.after.instance or flow.before.instance
        was, now = self._instance(flow.before, self.old), self._instance(flow.after, self.new)
        return Section(flow, "" if key is None else key[1], _moved(was, now), tuple(rows.values()))

    def private_sections(self) -> Iterator[Section]:
        """What changes for sources that see a zone around a name. Names that fare alike are one flow."""
        if self.same_gateway and not self.all_suspect and not self.private.changed:
            return
        found: dict[tuple[object, ...], tuple[Flow, dict[tuple[Fate, Fate], Row]]] = {}
        for name in self.private.names(self.all_suspect):
            rows: dict[tuple[Fate, Fate], Row] = {}
            for source in self._resolving_as(self.private.seen_by(name)):
                if (fates := self._fates(source, name)) is not None:
                    rows.setdefault(fates, Row(*fates, [])).sources.append(source)
            if rows:
                holders = self.private.holders(name)
                before, after = (ABSENT if one is None else Situation(zone=str(one)) for one in holders)
                key = before, after, *((fates, *row.sources) for fates, row in rows.items())
                flow, _ = found.setdefault(key, (Flow(NameKind.PRIVATE_NAME, before, after), rows))
                flow.count += 1
                if len(flow.samples) < SAMPLES:
                    flow.samples.append(name)
        for flow, rows in found.values():
            zone = self.private.zone_of(flow.samples[0])
            was, now = (_bound_to(zone, world) for world in (self.old, self.new))
            yield Section(flow, "", was if was == now else f"{was} -> {now}", tuple(rows.values()))

    def _resolving_as(self, vpc_ids: frozenset[str]) -> dict[str, None]:
        """The sources that resolve as one of these VPCs, before or after."""
        worlds = (self.old_sources, self.new_sources) if vpc_ids else ()
        return dict.fromkeys(chain.from_iterable(one.resolving_as(sorted(vpc_ids)) for one in worlds))

    def _fates(self, source: str, name: Name) -> tuple[Fate, Fate] | None:
        """What becomes of a name for a source, before and after; None if that is no change."""
        before = fate_of(self.old_sources.get(source), name, self.old)
        after = fate_of(self.new_sources.get(source), name, self.new)
        return None if before == after or _comes_to_nothing(before, after) else (before, after)

    def _classes(self, flow: Flow, private: dict[str, None]) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        """Sources that get the same: one of them to ask, and all of them.

        Every source is in one class, but those of `private`, which are in none.
        """
        was, now = self._instance(flow.before, self.old), self._instance(flow.after, self.new)
        named = dict.fromkeys(self.old_sources.audience(was))
        named.update(dict.fromkeys(self.new_sources.audience(now)))
        if self.partial_rules and (flow.before.elsewhere or flow.after.elsewhere):
            # Forward rules for some VPCs only: who hears what of a name that is not the gateway's?
            named.update((name, None) for _, names in self.everybody for name in names)
        yield from ((name, partial(list, [name])) for name in named if name not in private)
        named.update(private)
        before = self.old_sources.plain_audience(was)
        after = self.new_sources.plain_audience(now)
        for members in _alike(_without(before, named), _without(after, named)).values():
            yield members[0], partial(list, members)
        named.update(dict.fromkeys((*before, *after)))
        unmoved = flow.before == flow.after and self.same_policy
        for (here_before, here_after), everybody in self.everybody:
            # Whom the name is closed to before and after: listed only if that is a change.
            if unmoved and here_before and here_after:
                continue
            first = next((name for name in everybody if name not in named), None)
            if first is not None:
                yield first, partial(_without, everybody, named)

    @staticmethod
    def _instance(situation: Situation, world: World) -> Instance | None:
        if situation.instance is None or not situation.enabled:
            return None
        return world.instances.get(situation.instance)


def _comes_to_nothing(before: Fate, after: Fate) -> bool:
    """Whether a source came or went that does not resolve the name anyway."""
    return NOBODY in (before, after) and before.verdict == after.verdict


def _same(old: World, new: World, *parts: str) -> bool:
    pairs = [(getattr(old, part), getattr(new, part)) for part in parts]
    return all(before is after or before == after for before, after in pairs)


def _alike(before: Collection[str], after: Collection[str]) -> dict[tuple[bool, bool], list[str]]:
    """Those that are in both, and those in one of them only."""
    was, now = frozenset(before), frozenset(after)
    classes: dict[tuple[bool, bool], list[str]] = {}
    for name in dict.fromkeys((*before, *after)):
        classes.setdefault((name in was, name in now), []).append(name)
    return classes


def _without(everybody: Iterable[str], named: dict[str, None]) -> list[str]:
    return [name for name in everybody if name not in named]


def fate_of(source: Source | None, name: Name, world: World) -> Fate:
    """What becomes of `name` for `source`, a path in one line."""
    if source is None:
        return NOBODY
    found = path(source, name, world)
    resolution = found.resolution
    why = found.problems[0].detail if found.problems else ""
    if resolution is None or found.addresses:
        answer = ", ".join(sorted(map(str, found.addresses)))
    elif resolution.outcome is Outcome.RESPOND:
        answer = resolution.rcode.name if resolution.rcode else "NODATA"
    else:
        answer = {Outcome.FORWARD: "forwarded", Outcome.DROP: "no response"}[resolution.outcome]
    return Fate(answer, found.verdict.value, why)


def _bound_to(zone: Name | None, world: World) -> str:
    zones = [one for one in world.private_zones.zones.values() if one.zone == zone]
    vpcs = sorted(frozenset().union(*(one.vpcs for one in zones)))
    return f"bound to {', '.join(vpcs)}" if vpcs else "unbound" if zones else "no such zone"


def _moved(was: Instance | None, now: Instance | None) -> str:
    before, after = _place(was), _place(now)
    return after if before == after else f"{before} -> {after}"


def _place(instance: Instance | None) -> str:
    if instance is None:
        return "closed"
    if instance.binding is not None:
        return f"{instance.instance_id} in {instance.binding.vpc_id} ({instance.binding.address})"
    if instance.addresses:
        return f"{instance.instance_id} in {instance.region_id} ({', '.join(map(str, instance.addresses))})"
    return f"{instance.instance_id}, not bound"
