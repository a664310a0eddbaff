"""Groups of a file, straight to the model's: the one section that a million objects are in.

Knows what an ordinary group looks like; the schema decides about every other, and says what is wrong.
A test checks that the schema accepts what is accepted here, and reads it in the same way.
"""

import re
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from vpcdns.config import schema
from vpcdns.config.values import ID_PATTERN, MAX_ID, MAX_LINE, is_region_id
from vpcdns.model.gateway import GROUP_ID, Group
from vpcdns.model.names import Name

PROGRESS_EVERY: Final = 1_000  # groups

_KEYS: Final = frozenset(schema.GroupPart.model_fields)
_ID: Final = re.compile(ID_PATTERN).fullmatch

Progress = Callable[[int], None]


def group_of(part: schema.GroupPart) -> Group:
    """The group that a part describes; one that does not name its region has none yet."""
    names = tuple(part.custom_domains)
    return Group(part.group_id, part.instance_id, part.region_id or "", part.name, part.vpc_domain, names)


class GroupReader:
    """Takes groups one by one, as a reader of YAML or JSON comes across them.

    Equal ids of instances and regions are one object in all of them. `progress` is called with the number
    of groups read; `found_invalid` says whether an item was not a valid group.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.groups: list[Group] = []
        self.found_invalid = False
        self._progress = progress
        self._instance_ids: dict[str, str] = {}
        self._region_ids: dict[str, str] = {"": ""}

    def take(self, item: object) -> None:
        """Takes one item of the section, whatever it is."""
        group = self._plain(item) if type(item) is dict else None
        if group is None:
            try:
                group = group_of(schema.GroupPart.model_validate(item))
            except ValidationError:
                self.found_invalid = True
                return
        self.groups.append(group)
        if self._progress is not None and not len(self.groups) % PROGRESS_EVERY:
            self._progress(len(self.groups))

    def _plain(self, item: dict[str, object]) -> Group | None:
        """A group without anything unusual; None: ask the schema."""
        get = item.get
        group_id, instance_id, region_id = get("group_id"), get("instance_id"), get("region_id", "")
        name, vpc_domain, domains = get("name", ""), get("vpc_domain", False), get("custom_domains", [])
        if (
            type(group_id) is not str
            or type(instance_id) is not str
            or type(region_id) is not str
            or type(name) is not str
            or type(vpc_domain) is not bool
            or type(domains) is not list
            or GROUP_ID.fullmatch(group_id) is None
            or not name.isprintable()
            or len(name) > MAX_LINE
            or not item.keys() <= _KEYS
            or (not region_id and "region_id" in item)
        ):
            return None
        known_instance, known_region = self._instance_ids.get(instance_id), self._region_ids.get(region_id)
        if known_instance is None:
            if len(instance_id) > MAX_ID or not _ID(instance_id):
                return None
            known_instance = self._instance_ids[instance_id] = instance_id
        if known_region is None:
            if not is_region_id(region_id):
                return None
            known_region = self._region_ids[region_id] = region_id
        hosts = [Name.of_host(text) for text in domains if type(text) is str]
        names = tuple([host for host in hosts if host is not None])
        if len(names) < len(domains):
            return None
        return Group(group_id, known_instance, known_region, name, vpc_domain, names)
