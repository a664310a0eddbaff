"""What the API looks for by something else than an id, in the World and in what is kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceKey, InstanceType
from vpcdns.model.index import Count, Index
from vpcdns.model.topology import Vpc
from vpcdns.state import Contents
from vpcdns.state.api_attributes import Attributes

# In a group's record: its public names, which no DNS answer depends on.
PUBLIC_NAMES: Final = "InternetDomains"


def _name(group: Group) -> Iterable[tuple[str, str]]:
    return ((group.region_id, group.name),) if group.name else ()


def _enabled(group: Group) -> InstanceKey | None:
    return group.instance_key if group.vpc_domain else None


def _id(instance: Instance) -> Iterable[str]:
    return (instance.instance_id,)


def _serverless(instance: Instance) -> Iterable[str]:
    return (instance.region_id,) if instance.type is InstanceType.SERVERLESS else ()


def _vswitches(vpc: Vpc) -> Iterable[str]:
    return (vswitch.vswitch_id for vswitch in vpc.vswitches)


def _public_names(record: Attributes) -> Iterable[str]:
    return (name.lower() for name in record.get(PUBLIC_NAMES, ()))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Indexes of what one State held at one time."""

    group_names: Index[str, Group, tuple[str, str]] = field(default_factory=lambda: Index(_name))
    enabled_groups: Count[str, Group, InstanceKey] = field(default_factory=lambda: Count(_enabled))
    instance_ids: Index[InstanceKey, Instance, str] = field(default_factory=lambda: Index(_id))
    serverless: Index[InstanceKey, Instance, str] = field(default_factory=lambda: Index(_serverless))
    vswitches: Index[str, Vpc, str] = field(default_factory=lambda: Index(_vswitches))
    public_names: Index[str, Attributes, str] = field(default_factory=lambda: Index(_public_names))

    def followed(self, contents: Contents) -> Catalogue:
        """That of other contents, at the cost of what is different in them."""
        world = contents.world
        return Catalogue(
            self.group_names.followed(world.groups),
            self.enabled_groups.followed(world.groups),
            self.instance_ids.followed(world.instances),
            self.serverless.followed(world.instances),
            self.vswitches.followed(world.topology.vpcs),
            self.public_names.followed(contents.attributes),
        )

    def pieces(self) -> list[object]:
        """What it is made of beside the maps that it is about."""
        maps: tuple[FrozenMap[Any, Any], ...] = (self.group_names.keys, self.public_names.keys)
        return [part for one in maps for part in one.pieces()]


EMPTY: Final = Catalogue()


class Following:
    """The catalogue of `contents`, made when it is first wanted out of the last one that was."""

    def __init__(self, last: Catalogue, contents: Contents) -> None:
        self.catalogue = last
        self._contents: Contents | None = contents

    def __call__(self) -> Catalogue:
        if self._contents is not None:
            self.catalogue, self._contents = self.catalogue.followed(self._contents), None
        return self.catalogue
