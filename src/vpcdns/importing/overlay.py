"""A user's own file laid over inventories: what no import can know, such as custom domains and test networks.

It has the configuration's own form, but its objects may be incomplete: they add what they say to one that was
imported. An id may be the address of a Terraform resource.
"""

from collections.abc import Iterator
from typing import Any, Final

from vpcdns.config import Mistake, error_of, read_mapping
from vpcdns.importing.inventory import IDENTITIES, Inventory, Item

# Lists that are added to, and what tells their items apart; everything else is replaced.
_JOINED: Final = {
    "vswitches": "vswitch_id",
    **dict.fromkeys(("records", "routes", "service_routes", "custom_domains", "vpcs", "attachments"), ""),
}


class Overlay:
    def __init__(self, file: str, octets: bytes) -> None:
        self.file, self._octets = file, octets
        self._value = read_mapping(file, octets)

    def lay_over(self, *inventories: Inventory) -> None:
        """Adds to all inventories what the file says; raises ConfigurationError for what is no object.

        What one of them has is added to there, and left out where it is not.
        """
        addresses = [{address: one for one, address in each.origins.items()} for each in inventories]
        for section, content in self._value.items():
            if section not in IDENTITIES:
                for inventory in inventories:
                    inventory.settings[section] = content
                continue
            for place, part in self._parts(section, content):
                named = [_renamed(part, known) for known in addresses]
                own = IDENTITIES[section][-1]
                found = [
                    list(_matching(inventory, section, one))
                    for inventory, one in zip(inventories, named, strict=True)
                ]
                for inventory, one, items in zip(inventories, named, found, strict=True):
                    for item in items:
                        _merge(item.part, one)
                    if not any(found):
                        inventory.add(section, one, f"{section}[{place}]").is_own = True
                if not any(found) and own not in part and section != "private_zones":
                    what = f"an object without `{own}`"
                    self._raise((section, place), what, f"give its {own}, or the address of its resource")

    def _parts(self, section: str, content: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        if not isinstance(content, list):
            self._raise((section,), "this is no list", "write a list of objects, as in a configuration")
        for place, part in enumerate(content):
            if not isinstance(part, dict):
                self._raise((section, place), "this is no mapping", "give it keys, as in a configuration")
            yield place, part

    def _raise(self, path: tuple[str | int, ...], what: str, way_out: str) -> None:
        raise error_of(self.file, self._octets, [Mistake(path, what, way_out)])


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
        if key not in _JOINED or not isinstance(value, list) or not isinstance(part.get(key), list):
            part[key] = value
            continue
        known = {_key(one, _JOINED[key]): one for one in part[key]}
        for one in value:
            other = known.get(_key(one, _JOINED[key]))
            if other is None:
                part[key].append(one)
            elif isinstance(other, dict):
                other.update(one)


def _key(one: object, own: str) -> str:
    return str(one.get(own)) if own and isinstance(one, dict) else str(one)


def _renamed(value: Any, ids: dict[str, str]) -> Any:
    """The same with addresses of resources replaced by their ids."""
    if isinstance(value, dict):
        return {key: _renamed(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value
