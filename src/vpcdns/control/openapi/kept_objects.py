"""Objects that the API keeps beside the World: how they are made and found. No DNS answer depends on them."""

from dataclasses import dataclass
from typing import Any

from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.catalogue import FOUND_BY
from vpcdns.model.gateway import Instance
from vpcdns.state.api_attributes import Attributes, KeptKey, Kind, object_key


@dataclass(frozen=True, slots=True)
class Kept:
    """One of them, with all that is known of it."""

    key: KeptKey
    record: Attributes

    def shown(self, *names: str) -> dict[str, Any]:
        """Attributes that responses give by their own names; one that is absent is empty."""
        return {name: self.record.get(name, "") for name in names}


def added(call: Call, key: KeptKey, region_id: str, attributes: Attributes) -> Records:
    """The record of a new object."""
    words = [key.kind.word, f"{key.kind.word} of {key.owner}", f"{key.kind.word} {key.kept_id}"]
    made = {"RegionId": region_id, "CreatedTime": call.at, FOUND_BY: words}
    return call.edited(key, {**attributes, **made})


def all_kept(call: Call, kind: Kind, owner: str | None = None) -> list[Kept]:
    """Those of an owner, or of all that the call may see; the first made first."""
    of = f"{kind.word} of {owner}" if owner is not None else kind.word
    found = (_kept(call, key) for key in call.look_ups.kept(of))
    seen = (one for one in found if call.in_region(one.record["RegionId"]))
    return sorted(seen, key=lambda one: (one.record["CreatedTime"], one.key.kept_id))


def find(call: Call, kind: Kind, kept_id: str) -> Kept | None:
    """The one with that id, if the call may see it."""
    for key in call.look_ups.kept(f"{kind.word} {kept_id}"):
        if call.in_region((one := _kept(call, key)).record["RegionId"]):
            return one
    return None


def private_dns_of(call: Call, instance: Instance) -> list[str]:
    """The internal domain names that an instance resolves."""
    bound = (_kept(call, key).record for key in call.look_ups.kept(private_dns_word(instance.instance_id)))
    return [one["IntranetDomain"] for one in bound if one["RegionId"] == instance.region_id]


def private_dns_word(instance_id: str) -> str:
    """What the names that an instance resolves are found by."""
    return f"{Kind.PRIVATE_DNS.word} bound to {instance_id}"


def without(*those: Kept) -> Records:
    """What takes them away."""
    return {object_key(one.key): None for one in those}


def _kept(call: Call, key: str) -> Kept:
    word, owner, kept_id = key.split(" ", 2)
    kind = next(one for one in Kind if one.word == word)
    return Kept(KeptKey(kind, owner, kept_id), call.state.contents.attributes[key])
