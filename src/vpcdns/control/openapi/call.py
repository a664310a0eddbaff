"""One API call: reads its parameters, and finds and changes the objects that they name.

Knows parameters and the State that they are about. A wrong one raises the cloud's error.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice, takewhile
from typing import Any, Final, Generic, TypeVar

from vpcdns.control.openapi import parameters
from vpcdns.control.openapi.catalogue import LookUps
from vpcdns.control.openapi.errors import (
    ApiError,
    Product,
    dry_run_operation,
    missing,
    not_found,
    refused,
    token_of_another,
    wrong,
)
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
_TIMED: Final = (
    Group,
    PrivateZone,
    RecordKey,
)  # objects that are described with the time of their last change


@dataclass(frozen=True, slots=True)
class Runs(Generic[T]):
    """Very many items, of which one page is wanted: one after the other they are those of all runs."""

    runs: list[list[T]]

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def part(self, first: int, end: int) -> Iterator[T]:
        """Those from `first` up to `end`."""
        for run in self.runs:
            if end <= 0:
                return
            yield from run[max(0, first) : end]
            first, end = first - len(run), end - len(run)


@dataclass(frozen=True, slots=True)
class Call:
    """An action's parameters, who calls, at what time (`2016-08-01T06:53:02Z`), and what it is about.

    `named_region` is the one that the request itself names, `region` that or the default. `look_ups` are in
    what the State held when the call began.
    """

    state: State
    look_ups: LookUps
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
    def dry_run(self) -> bool:
        """Whether the request is only to be checked."""
        return bool(self.flag("DryRun"))

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
        return wrong(self.product, name, why)

    def one_of(self, name: str, words: Collection[str], default: str = "") -> str:
        """A word out of `words`, in any case; one that has no default must be there."""
        word = (self.parameters.get(name) or default or self.required(name)).upper()
        if word not in words:
            raise self.invalid(name, f"Write one of {', '.join(words)}.")
        return word

    def new_id(self, by: str = "ClientToken", *what: str) -> str:
        """32 hexadecimal digits, which are the same again when the same caller repeats the token `by`.

        `what` more must be the same, so that one token may make several things.
        """
        said = self.parameters.get(by)
        if said is None:
            return secrets.token_hex(16)
        if not said.isascii() or len(said) > MAX_TOKEN:
            raise self.invalid(by, f"At most {MAX_TOKEN} ASCII characters.")
        return hashlib.sha256(" ".join((*what, self.who, said)).encode()).hexdigest()[:32]

    def request_mark(self, by: str = "ClientToken") -> Attributes:
        """What is kept of an object that a token made, for `is_repeated`."""
        said = sorted((name, value) for name, value in self.parameters.items() if name != by)
        digest = hashlib.sha256(repr(said).encode()).hexdigest()
        return {"Request": digest} if by in self.parameters else {}

    def is_repeated(self, made: Recorded | None, by: str = "ClientToken") -> bool:
        """Whether this request has made `made` already; raises ApiError if another one with its token has."""
        if made is None:
            return False
        if {"Request": self.record(made).get("Request")} != self.request_mark(by):
            raise token_of_another(object_key(made), by)
        return True

    def flag(self, name: str) -> bool | None:
        """A boolean, written in any case; None when it is absent."""
        value = self.parameters.get(name)
        read = None if value is None else parameters.flag(value)
        if value is not None and read is None:
            raise self.invalid(name, "Write true or false.")
        return read

    def number(self, name: str, default: int, most: int, least: int = 1) -> int:
        value = self.parameters.get(name)
        if value is None:
            return default
        read = parameters.integer(value)
        if read is None or not least <= read <= most:
            raise self.invalid(name, f"Write a number from {least} to {most}.")
        return read

    def numbered(self, name: str, most: int) -> list[str]:
        """`name.1`, `name.2` and so on."""
        names = takewhile(self.parameters.__contains__, (f"{name}.{number}" for number in count(1)))
        found = [self.parameters[one] for one in names]
        if len(found) > most:
            raise self.invalid(name, f"At most {most}.")
        return found

    def tags(self, name: str = "Tag") -> list[dict[str, str]]:
        """`Tag.N.Key` and `Tag.N.Value`; lists count from 1."""
        tags: dict[str, str] = {}
        for number in count(1):
            key, value = (self.parameters.get(f"{name}.{number}.{part}") for part in ("Key", "Value"))
            if key is None and value is None:
                return [{"Key": key, "Value": value} for key, value in tags.items()]
            if key is None:
                raise missing(f"{name}.{number}.Key")
            if key in tags:
                raise self.invalid(name, f"It has the key {key} twice.")
            if number > MAX_TAGS:
                raise self.invalid(name, f"At most {MAX_TAGS} tags.")
            tags[key] = value or ""
            if max(len(key), len(tags[key])) > MAX_TAG:
                raise self.invalid(name, f"Keys and values have at most {MAX_TAG} characters.")
        raise AssertionError  # `count` has no end

    def structures(self, name: str, *fields: str) -> list[dict[str, str]]:
        """`name.1.field`, `name.2.field` and so on: each with those of its fields that are there."""
        found: list[dict[str, str]] = []
        for number in count(1):
            names = {field: f"{name}.{number}.{field}" for field in fields}
            one = {field: self.parameters[at] for field, at in names.items() if at in self.parameters}
            if not one:
                break
            if max(map(len, one.values())) > MAX_KEPT:
                raise self.invalid(name, f"At most {MAX_KEPT} characters.")
            found.append(one)
        return found

    def has_tags(self, of: Recorded, tags: Collection[dict[str, str]]) -> bool:
        """Whether an object has all of these tags; one without a value stands for its key with any."""
        has = {tag["Key"]: tag["Value"] for tag in self.record(of).get("Tags", ())}
        return all(tag["Key"] in has and tag["Value"] in ("", has[tag["Key"]]) for tag in tags)

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

        Returns the answer of an action that has nothing more to say. A dry run ends here, as it does in the
        cloud: with an error that says that all is well.
        """
        commit = Commit(changes, records or {}, self.who)
        done = self.state.contents.after(commit) if self.dry_run else self.state.commit(commit)
        if isinstance(done, Refusal):
            raise refused(done, self.product)
        if self.dry_run:
            raise dry_run_operation()
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
            same = self.look_ups.instances_with_id(instance_id)
            instance = self.world.instances.get(same[0]) if len(same) == 1 else None
        if instance is None:
            raise not_found("Instance", f"instance {instance_id}{self._where()}.")
        return instance

    def vpc(self, name: str = "VpcId") -> Vpc:
        """The VPC that a parameter names, in any region: whether that fits is for the rules."""
        vpc_id = self.required(name)
        vpc = self.world.topology.vpcs.get(vpc_id)
        if vpc is None:
            if self.product is Product.VPC:
                raise ApiError("InvalidVpcID.NotFound", f"Specified VPC does not exist: {vpc_id}.", 404)
            raise not_found("Vpc", f"VPC {vpc_id}.")
        return vpc

    def vswitch(self, vswitch_id: str) -> tuple[Vpc, VSwitch]:
        """The vSwitch of that id, and its VPC."""
        for vpc_id in self.look_ups.vpcs_with_vswitch(vswitch_id):
            vpc = self.world.topology.vpcs[vpc_id]
            if (vswitch := vpc.vswitch(vswitch_id)) is not None:
                return vpc, vswitch
        if self.product is Product.VPC:
            text = f"Specified vSwitch does not exist: {vswitch_id}."
            raise ApiError("InvalidVswitchID.NotFound", text, 404)
        raise not_found("Vswitch", f"vSwitch {vswitch_id}.")

    def page(
        self, items: Collection[T] | Runs[T], outer: str, inner: str, render: Callable[[T], dict[str, Any]]
    ) -> dict[str, Any]:
        """One page of `items`, nested as the cloud nests lists; only what it shows is rendered."""
        number = self.number("PageNumber", 1, MAX_PAGES)
        size, total = self.number("PageSize", *_PAGE_SIZES.get(self.product, (10, 50))), len(items)
        first, end = (number - 1) * size, number * size
        parts = Runs([items]) if isinstance(items, list) else items
        shown = parts.part(first, end) if isinstance(parts, Runs) else islice(parts, first, end)
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
