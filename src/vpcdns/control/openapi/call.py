"""One API call: finds and changes the objects that its parameters name.

Knows the State that they are about. What there is not, or cannot be, raises the cloud's error.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from vpcdns.control.openapi.catalogue import LookUps
from vpcdns.control.openapi.errors import (
    ApiError,
    Product,
    dry_run_operation,
    missing,
    not_found,
    refused,
    token_of_another,
)
from vpcdns.control.openapi.given import Given
from vpcdns.model.changes import Change
from vpcdns.model.gateway import Group, Instance
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.world import World
from vpcdns.state import Commit, State
from vpcdns.state.api_attributes import Attributes, KeptKey, RecordKey, object_key

Recorded = Group | Instance | Vpc | VSwitch | PrivateZone | RecordKey | KeptKey
Records = dict[str, Attributes | None]

MAX_TOKEN: Final = 64  # characters of a ClientToken; the cloud's
_TIMED: Final = (
    Group,
    PrivateZone,
    RecordKey,
    KeptKey,
)  # objects that are described with the time of their last change


@dataclass(frozen=True, slots=True)
class Call(Given):
    """What a request gives, who calls, at what time (`2016-08-01T06:53:02Z`), and what it is about.

    `named_region` is the one that the request itself names, `region` that or the default. `look_ups` are in
    what the State held when the call began.
    """

    state: State
    look_ups: LookUps
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
            ways_out = "name one in the request, or serve with --admin-region REGION or admin.region_id"
            raise missing("RegionId", f"There is no default region here: {ways_out}.")
        return self.region

    def in_region(self, region_id: str) -> bool:
        """Whether a call may see what is in `region_id`: all regions, when the request names none."""
        return self.named_region in (None, region_id)

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

    def has_tags(self, of: Recorded, tags: Collection[dict[str, str]]) -> bool:
        """Whether an object has all of these tags; one without a value stands for its key with any."""
        has = {tag["Key"]: tag["Value"] for tag in self.record(of).get("Tags", ())}
        return all(tag["Key"] in has and tag["Value"] in ("", has[tag["Key"]]) for tag in tags)

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

    def _where(self) -> str:
        return "" if self.named_region is None else f" in {self.named_region}"
