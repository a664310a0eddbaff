"""One API call: reads its parameters, and finds and changes the objects that they name.

Knows parameters and the State that they are about. A wrong one raises the cloud's error.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import count, islice, takewhile
from typing import Any, Final, TypeVar

from vpcdns.control.openapi.errors import ApiError, Product, bad_format, invalid, missing, not_found, refused
from vpcdns.model.changes import Change
from vpcdns.model.gateway import Group, Instance
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.world import World
from vpcdns.state import Commit, State
from vpcdns.state.api_attributes import Attributes, RecordKey, object_key

T = TypeVar("T")
Recorded = Group | Instance | Vpc | VSwitch | PrivateZone | RecordKey
Records = dict[str, Attributes | None]

MAX_TAGS: Final = 20  # the cloud's own limit
MAX_TAG: Final = 128  # characters of a key or a value; the same
MAX_KEPT: Final = 1_024  # characters of a description and the like, where the cloud allows 180 to 256
MAX_TOKEN: Final = 64  # characters of a ClientToken; the cloud's
MAX_PAGES: Final = 1_000_000
_PAGE_SIZES: Final = {Product.PVTZ: (20, 100)}  # what is taken when none is asked for, and the largest
_NUMBER: Final = re.compile(r"[0-9]{1,16}")
_TIMED: Final = (
    Group,
    PrivateZone,
    RecordKey,
)  # objects that are described with the time of their last change


@dataclass(frozen=True, slots=True)
class Call:
    """An action's parameters, who calls, at what time (`2016-08-01T06:53:02Z`), and what it is about.

    `named_region` is the one that the request itself names, `region` that or the default.
    """

    state: State
    product: Product
    parameters: Mapping[str, str]
    region: str | None
    named_region: str | None
    who: str
    at: str

    @property
    def world(self) -> World:
        return self.state.world

    @property
    def region_id(self) -> str:
        if self.region is None:
            raise missing("RegionId")
        return self.region

    def in_region(self, region_id: str) -> bool:
        """Whether a call may see what is in `region_id`: all regions, when the request names none."""
        return self.named_region in (None, region_id)

    def required(self, name: str) -> str:
        value = self.parameters.get(name)
        if value is None:
            raise missing(name)
        return value

    def invalid(self, name: str, why: str) -> ApiError:
        """The product's error of a parameter whose value is none."""
        error = invalid(name, why)
        return ApiError("InvalidParameter", error.message) if self.product is Product.PVTZ else error

    def one_of(self, name: str, words: Collection[str], default: str = "") -> str:
        """A word out of `words`, in any case; one that has no default must be there."""
        word = (self.parameters.get(name) or default or self.required(name)).upper()
        if word not in words:
            raise self.invalid(name, f"Write one of {', '.join(words)}.")
        return word

    def new_id(self) -> str:
        """32 hexadecimal digits, which are the same again when the same caller repeats a ClientToken."""
        token = self.parameters.get("ClientToken")
        if token is None:
            return secrets.token_hex(16)
        if not token.isascii() or len(token) > MAX_TOKEN:
            raise self.invalid("ClientToken", f"At most {MAX_TOKEN} ASCII characters.")
        return hashlib.sha256(f"{self.who} {token}".encode()).hexdigest()[:32]

    def flag(self, name: str) -> bool | None:
        """A boolean, written in any case; None when it is absent."""
        value = self.parameters.get(name)
        if value is None:
            return None
        read = {"true": True, "false": False}.get(value.lower())
        if read is None:
            raise self.invalid(name, "Write true or false.")
        return read

    def number(self, name: str, default: int, most: int, least: int = 1) -> int:
        value = self.parameters.get(name)
        if value is None:
            return default
        if not _NUMBER.fullmatch(value) or not least <= int(value) <= most:
            raise self.invalid(name, f"Write a number from {least} to {most}.")
        return int(value)

    def block(self, name: str) -> IPv4Network:
        try:
            return IPv4Network(self.required(name))
        except ValueError as error:
            raise bad_format(name, f"{error}.") from None

    def numbered(self, name: str, most: int) -> list[str]:
        """`name.1`, `name.2` and so on."""
        names = takewhile(self.parameters.__contains__, (f"{name}.{number}" for number in count(1)))
        found = [self.parameters[one] for one in names]
        if len(found) > most:
            raise self.invalid(name, f"At most {most}.")
        return found

    def tags(self, name: str = "Tag") -> list[dict[str, str]]:
        """`Tag.N.Key` and `Tag.N.Value`; lists count from 1."""
        tags: list[dict[str, str]] = []
        for number in count(1):
            key = self.parameters.get(f"{name}.{number}.Key")
            if key is None:
                return tags
            if number > MAX_TAGS:
                raise self.invalid(name, f"At most {MAX_TAGS} tags.")
            value = self.parameters.get(f"{name}.{number}.Value", "")
            if max(len(key), len(value)) > MAX_TAG:
                raise self.invalid(name, f"Keys and values have at most {MAX_TAG} characters.")
            tags.append({"Key": key, "Value": value})
        return tags

    def kept(self, *names: str) -> dict[str, Any]:
        """Those of the parameters that are there, to be kept as they are; tags too."""
        found: dict[str, Any] = {name: self.parameters[name] for name in names if name in self.parameters}
        for name in (name for name, value in found.items() if len(value) > MAX_KEPT):
            raise self.invalid(name, f"At most {MAX_KEPT} characters.")
        if tags := self.tags():
            found["Tags"] = tags
        return found

    def record(self, of: Recorded) -> Attributes:
        """What is kept of an object beside the World."""
        return self.state.contents.attributes.get(object_key(of), {})

    def edited(self, of: Recorded, attributes: Attributes) -> Records:
        """The object's record with `attributes` put in; None takes one away."""
        merged = {**self.record(of), **attributes}
        if isinstance(of, _TIMED):
            merged["ModifiedTime"] = self.at
        return {object_key(of): {name: value for name, value in merged.items() if value is not None}}

    def commit(self, *changes: Change, records: Records | None = None) -> dict[str, Any]:
        """Changes and records, all or none; raises the error of the rule that refuses them.

        Returns the answer of an action that has nothing more to say.
        """
        done = self.state.commit(Commit(changes, records or {}, self.who))
        if isinstance(done, Refusal):
            raise refused(done, self.product)
        return {}

    def group(self, name: str = "GroupId") -> Group:
        group_id = self.required(name)
        group = self.world.groups.get(group_id)
        if group is None or not self.in_region(group.region_id):
            raise not_found("ApiGroup", f"group {group_id}{self._where()}.")
        return group

    def instance(self, name: str = "InstanceId", region_id: str | None = None) -> Instance:
        """The instance that a parameter names: in the call's region, or the only one of that id."""
        instance_id = self.required(name)
        wanted = region_id or self.region
        instance = None if wanted is None else self.world.instances.get((wanted, instance_id))
        if instance is None and region_id is None and self.named_region is None:
            same = [one for one in self.world.instances.values() if one.instance_id == instance_id]
            instance = same[0] if len(same) == 1 else None
        if instance is None:
            raise not_found("Instance", f"instance {instance_id}{self._where()}.")
        return instance

    def vpc(self) -> Vpc:
        """The VPC that `VpcId` names, in any region: whether that fits is for the rules."""
        vpc_id = self.required("VpcId")
        vpc = self.world.topology.vpcs.get(vpc_id)
        if vpc is None:
            if self.product is Product.VPC:
                raise ApiError("InvalidVpcID.NotFound", f"Specified VPC does not exist: {vpc_id}.")
            raise not_found("Vpc", f"VPC {vpc_id}.")
        return vpc

    def page(
        self, items: Collection[T], outer: str, inner: str, render: Callable[[T], dict[str, Any]]
    ) -> dict[str, Any]:
        """One page of `items`, nested as the cloud nests lists; only what it shows is rendered."""
        number = self.number("PageNumber", 1, MAX_PAGES)
        size, total = self.number("PageSize", *_PAGE_SIZES.get(self.product, (10, 50))), len(items)
        shown = islice(items, (number - 1) * size, number * size)
        counts = {"TotalCount": total}
        if self.product is Product.PVTZ:
            counts = {"TotalItems": total, "TotalPages": -(-total // size)}
        return {
            outer: {inner: [render(item) for item in shown]},
            "PageNumber": number,
            "PageSize": size,
            **counts,
        }

    def _where(self) -> str:
        return "" if self.named_region is None else f" in {self.named_region}"
