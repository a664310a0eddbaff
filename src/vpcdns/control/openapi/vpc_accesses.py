"""The actions on VPC access authorizations: which backends in a VPC gateways may call.

Which way a gateway's packets take is the model's to say; what listens at their end nobody here knows.
"""

import secrets
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import forbidden, invalid, missing, not_found, repeated
from vpcdns.control.openapi.instances import backends_vpc
from vpcdns.control.openapi.kept_objects import Kept, added, all_kept, find, without
from vpcdns.control.openapi.parameters import Action
from vpcdns.model.gateway import Instance, InstanceType
from vpcdns.model.routing import path, source_of
from vpcdns.model.topology import Vpc, within
from vpcdns.state.api_attributes import KeptKey, Kind

MAX_PORT: Final = 65_535
_TARGET: Final = ("VpcId", "InstanceId", "Port")  # no two authorizations have the same
_SHOWN: Final = ("Name", "VpcId", "InstanceId", "VpcTargetHostName", "Description", "RegionId", "CreatedTime")


def set_vpc_access(call: Call) -> dict[str, Any]:
    """Names a backend: an address in a VPC, or the id of a server or a load balancer, and a port."""
    vpc, name = call.vpc(), call.required("Name")
    target = call.kept("Name", "VpcId", "InstanceId", "VpcTargetHostName", "Description")
    call.required("InstanceId")
    target["Port"] = _port(call)
    if vpc.region_id != call.region_id:
        raise invalid("VpcId", f"{vpc.vpc_id} is in {vpc.region_id}, not in {call.region_id}.")
    for one in all_kept(call, Kind.VPC_ACCESS):
        if one.record["RegionId"] == vpc.region_id and one.record["Name"] == name:
            raise repeated("Name", f"There is an authorization {name} in {vpc.region_id} already.")
        if all(one.record[field] == target[field] for field in _TARGET):
            raise repeated("InstanceId", f"Authorization {one.record['Name']} is for it already.")
    key = KeptKey(Kind.VPC_ACCESS, vpc.vpc_id, secrets.token_hex(16))
    call.commit(records=added(call, key, vpc.region_id, target))
    return {"VpcAccessId": key.kept_id}


def describe_vpc_accesses(call: Call) -> dict[str, Any]:
    """Those for which all that is asked for holds; of a name a part is enough without AccurateQuery."""
    found = all_kept(call, Kind.VPC_ACCESS, call.parameters.get("VpcId"))
    if (access_id := call.parameters.get("VpcAccessId")) is not None:
        found = [one for one in found if one.key.kept_id == access_id]
    if (instance_id := call.parameters.get("InstanceId")) is not None:
        found = [one for one in found if one.record["InstanceId"] == instance_id]
    if (port := call.parameters.get("Port")) is not None:
        found = [one for one in found if str(one.record["Port"]) == port]
    if (name := call.parameters.get("Name")) is not None:
        exact = call.flag("AccurateQuery")
        found = [
            one for one in found if name == one.record["Name"] or (not exact and name in one.record["Name"])
        ]
    if tags := call.tags():
        found = [one for one in found if call.has_tags(one.key, tags)]
    return call.page(found, "VpcAccessAttributes", "VpcAccessAttribute", _attribute)


def remove_vpc_access(call: Call) -> dict[str, Any]:
    vpc, instance_id, port = call.vpc(), call.required("InstanceId"), _port(call)
    for one in all_kept(call, Kind.VPC_ACCESS, vpc.vpc_id):
        if (one.record["InstanceId"], one.record["Port"]) == (instance_id, port):
            call.commit(records=without(one))
            return {"Apis": {"Api": []}}
    raise not_found("VpcAccess", f"authorization for {instance_id}, port {port} in {vpc.vpc_id}.")


def validate_vpc_connectivity(call: Call) -> dict[str, Any]:
    """Whether packets of a dedicated instance get to the backend and back.

    Of a backend that is named by an id the address is not known: any in its VPC stands for it.
    """
    instance, access_id = call.instance(), call.required("VpcAccessId")
    if instance.type is not InstanceType.DEDICATED:
        raise forbidden("InstanceId", f"{instance.instance_id} is serverless.")
    access = find(call, Kind.VPC_ACCESS, access_id)
    if access is None:
        raise not_found("VpcAccess", f"authorization {access_id}.")
    vpc = call.world.topology.vpcs[access.key.owner]
    try:
        address: IPv4Address | None = IPv4Address(access.record["InstanceId"])
    except AddressValueError:
        address = None
    if address is not None and not within(address, [vswitch.cidr_block for vswitch in vpc.vswitches]):
        return {"Connected": False, "IpType": "INVALID"}
    kind = {} if address is None else {"IpType": "ECS"}
    return {"Connected": _connected(call, instance, vpc, address), **kind}


def _connected(call: Call, instance: Instance, vpc: Vpc, address: IPv4Address | None) -> bool:
    """A normal instance has a way into each VPC of its region; a vpc_connect one is inside of one VPC."""
    inside = backends_vpc(call, instance)
    if inside is None:
        return instance.region_id == vpc.region_id
    if inside == vpc.vpc_id:
        return True
    source, there = source_of(inside, call.world), source_of(vpc.vpc_id, call.world)
    if source is None or there is None:
        return False
    way = path(source, address or there.addresses[0], call.world)
    # Another VPC may have the same block.
    return way.reachable and way.there[-1].at == vpc.vpc_id


def _port(call: Call) -> int:
    if "Port" not in call.parameters:
        raise missing("Port")
    return call.number("Port", 0, MAX_PORT)


def _attribute(one: Kept) -> dict[str, Any]:
    return {
        "VpcAccessId": one.key.kept_id,
        **one.shown(*_SHOWN),
        "Port": one.record["Port"],
        "Tags": {"TagInfo": list(one.record.get("Tags", []))},
    }


_TAGS: Final = "Tag.N.Key Tag.N.Value"
ACTIONS: Final = {
    "SetVpcAccess": Action(
        set_vpc_access, f"Name VpcId InstanceId Port:int VpcTargetHostName Description {_TAGS}"
    ),
    "DescribeVpcAccesses": Action(
        describe_vpc_accesses,
        f"Name VpcId InstanceId Port VpcAccessId AccurateQuery:bool {_TAGS} PageNumber:int PageSize:int",
    ),
    "RemoveVpcAccess": Action(remove_vpc_access, "VpcId InstanceId Port:int", "NeedBatchWork:bool"),
    "ValidateVpcConnectivity": Action(validate_vpc_connectivity, "InstanceId VpcAccessId"),
}
