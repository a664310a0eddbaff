"""How many names go from one situation to another between two Worlds.

Knows groups, instances and names; not who asks. A million groups on one instance that is rebound are one
flow with a count and a few samples: names in the same situation are answered the same.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from heapq import nsmallest
from operator import attrgetter
from typing import Final

from vpcdns.model.gateway import Group, InstanceKey
from vpcdns.model.names import Name
from vpcdns.model.special_use import zone_of
from vpcdns.model.world import World
from vpcdns.rehearsal.private_names import PrivateNames

SAMPLES: Final = 3  # names that stand for a flow's others
_BY_ID: Final = attrgetter("group_id")
_STANDING: Final = attrgetter("region_id", "instance_id", "vpc_domain")


class NameKind(Enum):
    """What a name is to the gateway."""

    VPC_DOMAIN = "VPC domain"
    CUSTOM_DOMAIN = "custom domain"
    PRIVATE_NAME = "private name"


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a name stands in one World: at an instance, switched on or off there; or nowhere.

    `elsewhere` is what else may answer a custom domain that is nobody's: a special-use zone, forward rules.
    `zone` is the private zone that has the name.
    """

    instance: InstanceKey | None = None
    enabled: bool = False
    elsewhere: tuple[str, ...] = ()
    zone: str = ""

    def __str__(self) -> str:
        if self.zone:
            return f"in private zone {self.zone}"
        if self.instance is None:
            return "absent"
        return f"{'on' if self.enabled else 'off'} at {self.instance[1]} in {self.instance[0]}"


ABSENT: Final = Situation()


@dataclass(slots=True)
class Flow:
    """Names that go from one situation to another.

    They lie in private zones that `private_to` sees: VPCs of which it says nothing, and whose networks.
    """

    kind: NameKind
    before: Situation
    after: Situation
    private_to: frozenset[str] = frozenset()
    count: int = 0
    samples: list[Name] = field(default_factory=list)


class Flows:
    """Collects flows; names whose situation stays as it is count as well, as their instance may change."""

    def __init__(self, old: World, new: World, private: PrivateNames) -> None:
        self._old, self._new, self._private = old, new, private
        self._found: dict[tuple[NameKind, Situation, Situation, frozenset[str]], Flow] = {}
        self._situations: dict[tuple[InstanceKey, bool], Situation] = {}
        self._renamed = old.answers.suffix != new.answers.suffix

    def collect(self) -> list[Flow]:
        old, new = self._old.groups, self._new.groups
        was, now = old.finder(), new.finder()
        moved = {*old, *new} if self._renamed else set(old.differing(new))
        self._stay(group for group_id, group in new.scan() if group_id not in moved)
        for group_id in sorted(moved):  # so that the same plan names the same samples
            self._goes(was(group_id), now(group_id))
        return list(self._found.values())

    def _stay(self, groups: Iterator[Group]) -> None:
        """Most of a million groups: each is only counted, and names are made for the samples alone.

        Those are the first by id, so that the same plan has the same ones.
        """
        staying: dict[tuple[str, str, bool], list[Group]] = defaultdict(list)
        some_are_private = self._private.may_hold_vpc_domains(self._new.answers.suffix)
        for group in groups:
            for name in group.custom_domains:
                here = self._situation(group)
                self._count(NameKind.CUSTOM_DOMAIN, here, here, name)
            if some_are_private and self._private.seen_by(name := self._new.vpc_domain(group)):
                here = self._situation(group)
                self._count(NameKind.VPC_DOMAIN, here, here, name)
                continue
            staying[_STANDING(group)].append(group)
        for (region_id, instance_id, enabled), alike in staying.items():
            here = Situation((region_id, instance_id), enabled)
            flow = self._flow(NameKind.VPC_DOMAIN, here, here, frozenset())
            flow.count += len(alike)
            flow.samples += map(self._new.vpc_domain, nsmallest(SAMPLES, alike, key=_BY_ID))

    def _goes(self, was: Group | None, now: Group | None) -> None:
        before = ABSENT if was is None else self._situation(was)
        after = ABSENT if now is None else self._situation(now)
        old_name = None if was is None else self._old.vpc_domain(was)
        new_name = None if now is None else self._new.vpc_domain(now)
        for name in dict.fromkeys(one for one in (old_name, new_name) if one is not None):
            here = before if name == old_name else ABSENT, after if name == new_name else ABSENT
            self._count(NameKind.VPC_DOMAIN, *here, name)
        after_names = () if now is None else now.custom_domains
        gone = () if was is None else (name for name in was.custom_domains if name not in after_names)
        # A name that another group has now is counted there.
        for name in (*after_names, *(name for name in gone if name not in self._new.custom_domains.values)):
            self._count(
                NameKind.CUSTOM_DOMAIN, self._owner(name, self._old), self._owner(name, self._new), name
            )

    def _owner(self, name: Name, world: World) -> Situation:
        """By the owner in that World, which may be a wildcard's, or another group."""
        match = world.custom_domains.match(name)
        if match is not None:
            return self._situation(world.groups[match[1]])
        zone, rules = zone_of(name), world.forwarding.rules
        applying = [str(rule.domain) for rule in rules if name.is_at_or_below(rule.domain)]
        return Situation(elsewhere=(f"special use: {zone}", *applying))

    def _situation(self, group: Group) -> Situation:
        key = group.instance_key, group.vpc_domain
        if (found := self._situations.get(key)) is None:
            found = self._situations[key] = Situation(*key)
        return found

    def _count(self, kind: NameKind, before: Situation, after: Situation, name: Name) -> None:
        flow = self._flow(kind, before, after, self._private.seen_by(name))
        flow.count += 1
        if len(flow.samples) < SAMPLES:
            flow.samples.append(name)

    def _flow(self, kind: NameKind, before: Situation, after: Situation, private_to: frozenset[str]) -> Flow:
        key = kind, before, after, private_to
        if (flow := self._found.get(key)) is None:
            flow = self._found[key] = Flow(*key)
        return flow
