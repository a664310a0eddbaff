"""What is kept of an object beside the World: what the cloud's API echoes and nothing is decided on.

Descriptions, specifications, charge types, times, tags. A one is plain JSON under the object's key.
"""

from collections.abc import Mapping
from typing import Any

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import InstanceKey
from vpcdns.model.world import World

Attributes = Mapping[str, Any]
ObjectAttributes = FrozenMap[str, Attributes]


def group_key(group_id: str) -> str:
    return f"group {group_id}"


def instance_key(key: InstanceKey) -> str:
    return f"instance {key[0]} {key[1]}"


def vpc_key(vpc_id: str) -> str:
    return f"vpc {vpc_id}"


def vswitch_key(vswitch_id: str) -> str:
    return f"vswitch {vswitch_id}"


def updated(attributes: ObjectAttributes, changes: Mapping[str, Attributes | None]) -> ObjectAttributes:
    """`attributes` with some put in place, or taken away (None)."""
    for key, one in changes.items():
        if one is not None:
            attributes = attributes.set(key, one)
        elif key in attributes:
            attributes = attributes.delete(key)
    return attributes


def of_objects_in(attributes: ObjectAttributes, world: World) -> ObjectAttributes:
    """Those whose object `world` has."""
    if not attributes:
        return attributes
    keys = {group_key(group_id) for group_id in world.groups}
    keys.update(instance_key(key) for key in world.instances)
    for vpc in world.topology.vpcs.values():
        keys.add(vpc_key(vpc.vpc_id))
        keys.update(vswitch_key(vswitch.vswitch_id) for vswitch in vpc.vswitches)
    return FrozenMap((key, one) for key, one in attributes.items() if key in keys)
