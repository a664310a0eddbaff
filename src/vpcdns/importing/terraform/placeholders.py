"""Ids for what a plan makes: until the apply nobody knows them."""

import hashlib
import re
from typing import Final

from vpcdns.importing.terraform.resources import Resource

MAX_ID: Final = 128  # characters of an id in a configuration

_SIMPLE_INDEX: Final = re.compile(r"\[\"?([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)\"?\]")


class Placeholders:
    """Ids for what has none yet, made of addresses: the same ones every time.

    `number` is the file's; of equal addresses in two files, the second one's is in its id.
    """

    def __init__(self, number: int = 1, shared: dict[str, tuple[int, str]] | None = None) -> None:
        self._number = number
        self.made: dict[str, tuple[int, str]] = {} if shared is None else shared  # file and address by id

    def of_file(self, number: int) -> "Placeholders":
        return Placeholders(number, self.made)

    def id_of(self, resource: Resource, attribute: str = "id") -> str:
        address = resource.address if attribute == "id" else f"{resource.address}.{attribute}"
        make = _group_id if resource.type == "alicloud_api_gateway_group" else _readable
        own = self._number, resource.address
        if self.made.setdefault(made := make(address), own) != own:
            self.made[made := make(f"{address}-{self._number}")] = own
        return made


def _group_id(address: str) -> str:
    """32 hexadecimal digits, as a group_id has to be, the first eight of them zeros."""
    return "00000000" + hashlib.sha256(address.encode()).hexdigest()[:24]


def _readable(address: str) -> str:
    """An address as an id: `alicloud_vswitch.this["8"]` is `alicloud_vswitch.this.8`."""
    plain = _SIMPLE_INDEX.sub(r".\1", address)
    if re.fullmatch(r"[A-Za-z0-9_.-]*[A-Za-z0-9]", plain) and len(plain) <= MAX_ID:
        return plain
    digest = hashlib.sha256(address.encode()).hexdigest()[:10]
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain)[: MAX_ID - 11]
    return f"{cleaned}-{digest}"
