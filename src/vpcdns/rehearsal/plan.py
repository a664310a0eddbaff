"""Whom a change affects, and how: every (source, name) whose answer or reachability changes, and why.

Compares two Worlds by asking both, once for each flow of names and each class of sources, never once per
group. Decides nothing: answers and ways are the model's.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from vpcdns.model.gateway import Instance
from vpcdns.model.names import Name
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.world import World
from vpcdns.rehearsal.difference import settings_differences
from vpcdns.rehearsal.fates import Fate, changed_fates
from vpcdns.rehearsal.flows import ABSENT, SAMPLES, Flow, Flows, NameKind, Situation
from vpcdns.rehearsal.private_names import PrivateNames, wildcard
from vpcdns.rehearsal.sources import Sources
from vpcdns.rehearsal.wildcard_exceptions import wildcard_exceptions


@dataclass(slots=True)
class Row:
    """Sources for which it is the same before, and the same after."""

    before: Fate
    after: Fate
    sources: list[str]


Rows = dict[tuple[Fate, Fate], Row]


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
    """The sections with changes, those with the most (source, name) pairs first, and what they add up to.

    `settings` are differences that change answers of names that a plan does not know.
    """

    sections: tuple[Section, ...]
    pairs: int
    lost: int
    gained: int
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sections or self.settings)


def plan(old: World, new: World) -> Plan:
    """Everything that changes for anybody between two Worlds."""
    comparison = _Comparison(old, new)
    sections = (comparison.section(flow) for flow in comparison.flows())
    found = [section for section in sections if section is not None]
    found += comparison.private_sections()
    found.sort(key=lambda section: (-section.pairs, section.instance, section.flow.kind.value))
    lost, gained = (sum(section.count(reachable) for section in found) for reachable in (False, True))
    settings = (*settings_differences(old, new), *comparison.other_rules())
    return Plan(tuple(found), sum(section.pairs for section in found), lost, gained, settings)


class _Comparison:
    def __init__(self, old: World, new: World) -> None:
        self.old, self.new = old, new
        self.old_sources, self.new_sources = Sources(old), Sources(new)
        self.same_policy = _same(old, new, "answers", "access", "forwarding")
        self.all_suspect = not (self.same_policy and _same(old, new, "topology"))
        self.same_ways = _same(old, new, "topology", "instances")
        self.private = PrivateNames(old, new)
        self._above: dict[Name, dict[tuple[Fate, Fate], list[str]]] = {}  # what is said of names below names
        self.exceptions = wildcard_exceptions(old, new)
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
        for name in self.exceptions:
            before, after = (
                replace(_standing(name, world), elsewhere=("exception",)) for world in (self.old, self.new)
            )
            yield Flow(NameKind.CUSTOM_DOMAIN, before, after, self.private.seen_by(name), 1, [name])

    def other_rules(self) -> Iterator[str]:
        """Networks for which forward rules of some VPCs hold, or no longer do."""
        for network in self.old.topology.networks.values() if self.partial_rules else ():
            now = self.new.topology.networks.get(network.network_id, network).asks_as
            if network.asks_as != now:
                yield f"network {network.network_id}: forward rules of {now}, not of {network.asks_as}"

    def _differs(self, flow: Flow) -> bool:
        key = flow.after.instance
        return key is not None and self.old.instances.get(key) != self.new.instances.get(key)

    def section(self, flow: Flow) -> Section | None:
        """What changes for whom in a flow; None for nothing."""
        rows: Rows = {}
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
        found: dict[tuple[object, ...], tuple[Flow, Rows]] = {}
        for name in dict.fromkeys(chain(self.private.names(self.all_suspect), self.exceptions)):
            rows = self._private_rows(name)
            if not rows or self._said_above(name, rows):
                continue
            flow = self._private_flow(name)
            key = flow.kind, flow.before, flow.after, *((fates, *row.sources) for fates, row in rows.items())
            flow, _ = found.setdefault(key, (flow, rows))
            flow.count += 1
            if len(flow.samples) < SAMPLES:
                flow.samples.append(name)
        yield from (self._private_section(flow, tuple(rows.values())) for flow, rows in found.values())

    def _private_rows(self, name: Name) -> Rows:
        rows: Rows = {}
        for source in self._resolving_as(self.private.seen_by(name)):
            if (fates := self._fates(source, name, self.private)) is not None:
                rows.setdefault(fates, Row(*fates, [])).sources.append(source)
        return rows

    def _said_above(self, name: Name, rows: Rows) -> bool:
        """Whether names below a name of a zone fare as those of the name above it, which are said."""
        if not self.private.is_inner(name):
            return False
        above = next(wildcard(name.parent().parent()))
        if above not in self._above:
            self._above[above] = _sources(self._private_rows(above))
        return self._above[above] == _sources(rows)

    def _private_flow(self, name: Name) -> Flow:
        zones = self.private.deciding(name)
        before, after = (
            _standing(name, world) if zone is None else Situation(zone=str(zone))
            for world, zone in zip((self.old, self.new), zones, strict=True)
        )
        kinds = [kind for world in (self.new, self.old) if (kind := _kind_of(name, world))]
        return Flow(kinds[0] if kinds else NameKind.PRIVATE_NAME, before, after)

    def _private_section(self, flow: Flow, rows: tuple[Row, ...]) -> Section:
        zone = flow.after.zone or flow.before.zone
        key = flow.after.instance or flow.before.instance
        if not zone and key is not None:
            was, now = self._instance(flow.before, self.old), self._instance(flow.after, self.new)
            return Section(flow, key[1], _moved(was, now), rows)
        around = Name.from_text(zone) if zone else self.private.zone_of(flow.samples[0])
        return Section(flow, "", self.private.bound(around), rows)

    def _resolving_as(self, vpc_ids: frozenset[str]) -> dict[str, None]:
        """The sources that resolve as one of these VPCs, before or after."""
        worlds = (self.old_sources, self.new_sources) if vpc_ids else ()
        return dict.fromkeys(chain.from_iterable(one.resolving_as(sorted(vpc_ids)) for one in worlds))

    def _fates(
        self, source: str, name: Name, private: PrivateNames | None = None
    ) -> tuple[Fate, Fate] | None:
        """What becomes of a name for a source, before and after; None if that is no change.

        Names that `private` zones hold may have records of other types than A.
        """
        sides = (self.old_sources.get(source), self.old), (self.new_sources.get(source), self.new)
        types_at = None if private is None else private.types_at
        return changed_fates(name, *sides, types_at, same_ways=self.same_ways)

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


def _sources(rows: Rows) -> dict[tuple[Fate, Fate], list[str]]:
    return {fates: row.sources for fates, row in rows.items()}


def _kind_of(name: Name, world: World) -> NameKind | None:
    """What a name is to the gateway, by its own name; None: nothing."""
    if name in world.custom_domains.values:
        return NameKind.CUSTOM_DOMAIN
    group = group_at(name, world)
    is_own = group is not None and world.vpc_domain(group) == name
    return NameKind.VPC_DOMAIN if is_own else None


def _standing(name: Name, world: World) -> Situation:
    """Where a name stands that no private zone decides on."""
    custom = world.custom_domains.match(name)
    group = group_at(name, world) if custom is None else world.groups[custom[1]]
    return ABSENT if group is None else Situation(group.instance_key, group.vpc_domain)


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
