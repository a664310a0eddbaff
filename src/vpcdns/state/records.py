"""What is kept of an object beside the World: what the cloud's API echoes and nothing is decided on.

Descriptions, specifications, charge types, times, tags. A record is plain JSON under the object's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import InstanceKey
from vpcdns.model.world import World

Record = Mapping[str, Any]
Records = FrozenMap[str, Record]


def group_key(group_id: str) -> str:
    return f"group {group_id}"


def instance_key(key: InstanceKey) -> str:
    return f"instance {key[0]} {key[1]}"


def vpc_key(vpc_id: str) -> str:
    return f"vpc {vpc_id}"


def vswitch_key(vswitch_id: str) -> str:
    return f"vswitch {vswitch_id}"


def changed(records: Records, changes: Mapping[str, Record | None]) -> Records:
    """`records` with some put in place, or taken away (None)."""
    for key, record in changes.items():
        if record is not None:
            records = records.set(key, record)
        elif key in records:
            records = records.delete(key)
    return records


def living(records: Records, world: World) -> Records:
    """Those whose object `world` has."""
    keys = {group_key(group_id) for group_id in world.groups}
    keys.update(instance_key(key) for key in world.instances)
    for vpc in world.topology.vpcs.values():
        keys.add(vpc_key(vpc.vpc_id))
        keys.update(vswitch_key(vswitch.vswitch_id) for vswitch in vpc.vswitches)
    return FrozenMap((key, record) for key, record in records.items() if key in keys)
