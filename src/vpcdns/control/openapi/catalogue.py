"""What the API looks for by something else than an id, in the World and in what is kept beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar, overload

from vpcdns.gc_pauses import paused
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceKey, InstanceType
from vpcdns.model.index import Count, Index
from vpcdns.model.topology import Vpc
from vpcdns.server.threads import free_in_thread
from vpcdns.state import Contents
from vpcdns.state.api_attributes import Attributes

# In a group's record: its public names, which no DNS answer depends on.
PUBLIC_NAMES: Final = "InternetDomains"
# In the record of an object that is in no World: what it is looked for by.
FOUND_BY: Final = "FoundBy"

FEW: Final = 2_000  # objects of which an index is made anew in a millisecond

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")  # what is sought
Followed = Index[Any, Any, Any] | Count[Any, Any, Any]


def _name(group: Group) -> Iterable[str]:
    return (group.name,) if group.name else ()


def _enabled(group: Group) -> InstanceKey | None:
    return group.instance_key if group.vpc_domain else None


def _region(group: Group) -> str:
    return group.region_id


def _changed_at(record: Attributes) -> Iterable[str]:
    return (record["ModifiedTime"],) if "ModifiedTime" in record else ()


def _id(instance: Instance) -> Iterable[str]:
    return (instance.instance_id,)


def _serverless(instance: Instance) -> Iterable[str]:
    return (instance.region_id,) if instance.type is InstanceType.SERVERLESS else ()


def _vswitches(vpc: Vpc) -> Iterable[str]:
    return (vswitch.vswitch_id for vswitch in vpc.vswitches)


def _public(record: Attributes) -> Iterable[str]:
    return map(str.lower, record.get(PUBLIC_NAMES, ()))


def _found_by(record: Attributes) -> Iterable[str]:
    found: Iterable[str] = record.get(FOUND_BY, ())
    return found


class Catalogue:
    """The latest index of each kind that was wanted; a later one is made out of it.

    For several threads: an index is immutable, and any of the latest ones does.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {}

    def followed(self, first: Followed, version: FrozenMap[Any, Any]) -> Any:
        """The index of `version`, of the kind that `first` begins."""
        kind = first.of.__name__
        index = self._latest.get(kind, first)
        if index.version is not version:
            with paused():
                index = self._latest[kind] = index.followed(version)
        return index

    def is_near(self, contents: Contents) -> bool:
        """Whether the indexes that quick actions need are at hand, but for a few changes or objects."""
        world = contents.world
        wanted: tuple[tuple[Followed, FrozenMap[Any, Any]], ...] = (
            *((one, world.groups) for one in (_GROUP_NAMES, _ENABLED)),
            *((one, world.instances) for one in (_INSTANCE_IDS, _SERVERLESS)),
            (_PUBLIC_NAMES, contents.attributes),
        )
        return all(
            len(version) <= FEW or version.shares_with(self._latest.get(one.of.__name__, one).version)
            for one, version in wanted
        )

    def follow(self, contents: Contents) -> None:
        """Makes them so. For a thread."""
        look_ups = LookUps(self, contents)
        look_ups.groups_named("")
        look_ups.enabled_groups(("", ""))
        look_ups.instances_with_id("")
        look_ups.serverless_instances("")
        look_ups.records_with_public_name("")

    def forget(self) -> None:
        """Lets go of everything, and with it of the maps that it is about."""
        latest, self._latest = self._latest, {}
        maps = [index.keys for index in latest.values() if isinstance(index, Index)]
        free_in_thread([part for one in maps for part in one.pieces()])


class LookUps:
    """What can be found in what a State holds by something else than its id."""

    def __init__(self, catalogue: Catalogue, contents: Contents) -> None:
        self._followed = catalogue.followed
        self._contents = contents

    def groups_named(self, name: str) -> Sequence[str]:
        """In whatever regions."""
        return self._of(_GROUP_NAMES, self._contents.world.groups).find(name)

    def enabled_groups(self, key: InstanceKey) -> int:
        """How many groups of an instance have their VPC domains on."""
        return self._of(_ENABLED, self._contents.world.groups).find(key)

    def groups_in(self, region_id: str) -> int:
        """How many groups a region has."""
        return self._of(_REGIONS, self._contents.world.groups).find(region_id)

    def records_by_time(self) -> FrozenMap[str, Sequence[str]]:
        """The keys of the records beside the World by their ModifiedTime; of whatever objects."""
        return self._of(_CHANGED_AT, self._contents.attributes).keys

    def instances_with_id(self, instance_id: str) -> Sequence[InstanceKey]:
        """In whatever regions."""
        return self._of(_INSTANCE_IDS, self._contents.world.instances).find(instance_id)

    def serverless_instances(self, region_id: str) -> Sequence[InstanceKey]:
        return self._of(_SERVERLESS, self._contents.world.instances).find(region_id)

    def vpcs_with_vswitch(self, vswitch_id: str) -> Sequence[str]:
        return self._of(_VSWITCHES, self._contents.world.topology.vpcs).find(vswitch_id)

    def records_with_public_name(self, name: str) -> Sequence[str]:
        """The keys of the records beside the World that have the public name."""
        return self._of(_PUBLIC_NAMES, self._contents.attributes).find(name.lower())

    def kept(self, by: str) -> Sequence[str]:
        """The keys of the records of objects in no World that are found by that."""
        return self._of(_KEPT, self._contents.attributes).find(by)

    @overload
    def _of(self, first: Index[K, V, S], version: FrozenMap[K, V]) -> Index[K, V, S]: ...
    @overload
    def _of(self, first: Count[K, V, S], version: FrozenMap[K, V]) -> Count[K, V, S]: ...
    def _of(self, first: Any, version: Any) -> Any:
        return self._followed(first, version)


_GROUP_NAMES: Final[Index[str, Group, str]] = Index(_name)
_ENABLED: Final[Count[str, Group, InstanceKey]] = Count(_enabled)
_REGIONS: Final[Count[str, Group, str]] = Count(_region)
_CHANGED_AT: Final[Index[str, Attributes, str]] = Index(_changed_at)
_INSTANCE_IDS: Final[Index[InstanceKey, Instance, str]] = Index(_id)
_SERVERLESS: Final[Index[InstanceKey, Instance, str]] = Index(_serverless)
_VSWITCHES: Final[Index[str, Vpc, str]] = Index(_vswitches)
_PUBLIC_NAMES: Final[Index[str, Attributes, str]] = Index(_public)
_KEPT: Final[Index[str, Attributes, str]] = Index(_found_by)
