"""A user's own file laid over inventories: what no import can know, such as custom domains and test networks.

It has the configuration's own form, but its objects may be incomplete: they add what they say to one that was
imported. An id may be the address of a Terraform resource.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from vpcdns.config import MISSING, Mistake, error_of, read_mapping, schema_mistakes
from vpcdns.importing.inventory import IDENTITIES, Inventory, Item

# Lists that are added to, and what tells their items apart; everything else is replaced.
_JOINED: Final = {
    "vswitches": "vswitch_id",
    "attachments": "network_id",  # of an id alone, the id is what tells
    **dict.fromkeys(("records", "routes", "service_routes", "custom_domains", "vpcs"), ""),
}

_OF_IPSEC: Final = frozenset(
    (
        *("local_subnets", "remote_subnets", "vpc_id", "network_id"),
        *("destination_routes", "publish_vpc", "publish_cen"),
    )
)


_ADDRESS: Final = re.compile(r"(module\.[^.]+\.)*(data\.)?alicloud_\w+\.\w")


class Overlay:
    def __init__(self, file: str, octets: bytes) -> None:
        self.file, self._octets = file, octets
        self._value = read_mapping(file, octets)

    def lay_over(self, *inventories: Inventory) -> None:
        """Adds to all inventories what the file says; raises ConfigurationError for what is wrong in it.

        What one of them has is added to there, and left out where it is not.
        """
        ids = [self._ids(each) for each in inventories]
        everywhere = {address: one for each in ids for address, one in each.items()}
        known_ids = everywhere.keys() | {one for each in inventories for one in each.origins}
        for text in _texts(self._value):
            if _ADDRESS.match(text) and text not in known_ids:
                what = f"nothing that was imported has the address `{text}`"
                self._raise(Mistake((), what, "comments of `vpcdns import terraform` tell the addresses"))
        self._check(_renamed(self._value, everywhere))
        for section, content in self._value.items():
            if section not in IDENTITIES:
                for inventory, known in zip(inventories, ids, strict=True):
                    inventory.settings[section] = _renamed(content, everywhere | known)
                continue
            for place, part in enumerate(content):
                self._add((section, place), [_renamed(part, known) for known in ids], inventories)

    def _ids(self, inventory: Inventory) -> dict[str, str]:
        """The ids of resources by address, for the addresses that the file has."""
        said, found = set(_texts(self._value)), dict[str, str]()
        for one, address in inventory.origins.items():
            if address in said and found.setdefault(address, one) != one:
                what = f"`{address}` is {found[address]} in one file and {one} in another"
                self._raise(Mistake((), what, "write the id that is meant"))
        return found

    def _add(
        self, path: tuple[str, int], parts: Sequence[dict[str, Any]], inventories: Sequence[Inventory]
    ) -> None:
        """Adds one object, which has other ids in each inventory."""
        section, _ = path
        is_known = False
        for inventory, part in zip(inventories, parts, strict=True):
            for item in _matching(inventory, section, part):
                _merge(item.part, part)
                is_known = True
        if is_known:
            return
        if lacking := [one for one in schema_mistakes({section: [parts[0]]}) if one.what == MISSING]:
            own = parts[0].get(IDENTITIES[section][-1], "this")
            what = f"nothing that was imported is `{own}`, and by itself it lacks {lacking[0].path[-1]}"
            way_out = "correct the id, write the address of its resource, or give all keys"
            self._raise(Mistake(path, what, way_out))
        for inventory, part in zip(inventories, parts, strict=True):
            inventory.add(section, part, f"{section}[{path[1]}]").is_own = True

    def _check(self, value: dict[str, Any]) -> None:
        """What is wrong by itself. Objects may lack keys; which type they are of, their other keys tell."""
        typed = dict(value)
        for section, guess in (("instances", _instance_type), ("connections", _connection_type)):
            if isinstance(content := value.get(section), list):
                typed[section] = [
                    {"type": guess(one), **one} if isinstance(one, dict) else one for one in content
                ]
        self._raise(
            *(one for one in schema_mistakes(typed) if one.what != MISSING or not _may_lack(one.path))
        )

    def _raise(self, *mistakes: Mistake) -> None:
        if mistakes:
            raise error_of(self.file, self._octets, mistakes)


def _may_lack(path: tuple[str | int, ...]) -> bool:
    """Whether what was imported may have the key: one of an object, of its binding, or a vSwitch's block."""
    return len(path) == 3 or (len(path) == 4 and path[2] == "binding") or path[-1] == "cidr_block"


def _instance_type(part: dict[str, Any]) -> str:
    return "serverless" if "addresses" in part else "dedicated"


def _connection_type(part: dict[str, Any]) -> str:
    return "ipsec" if part.keys() & _OF_IPSEC else "cen"


def _matching(inventory: Inventory, section: str, part: dict[str, Any]) -> Iterator[Item]:
    """The objects that a part is about: those that have its id, and its region if it gives one."""
    keys = [key for key in IDENTITIES[section] if key in part] or (
        ["zone"] if section == "private_zones" else []
    )
    wanted = [part.get(key) for key in keys]
    if len(keys) == len(IDENTITIES[section]) and keys != ["zone"]:
        item = inventory.sections[section].get(tuple(wanted))
        yield from () if item is None else (item,)
    elif IDENTITIES[section][-1] in keys or keys == ["zone"]:
        for item in inventory.items(section):
            if [item.part.get(key) for key in keys] == wanted:
                yield item


def _merge(part: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(part.get(key), dict):
            _merge(part[key], value)
            continue
        if key not in _JOINED or not isinstance(value, list) or not isinstance(part.get(key), list):
            part[key] = value
            continue
        known = {_key(one, _JOINED[key]): one for one in part[key]}
        for one in value:
            other = known.get(_key(one, _JOINED[key]))
            if other is None:
                part[key].append(one)
            elif isinstance(other, dict) and isinstance(one, dict):
                other.update(one)
            elif isinstance(one, dict):
                part[key][part[key].index(other)] = one


def _key(one: object, own: str) -> str:
    return str(one.get(own)) if own and isinstance(one, dict) else str(one)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _renamed(value: Any, ids: dict[str, str]) -> Any:
    """The same with addresses of resources replaced by their ids."""
    if isinstance(value, dict):
        return {key: _renamed(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value
