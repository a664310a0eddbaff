"""The actions on access control lists of instances, which are stored and returned: no answer asks them."""

import secrets
from ipaddress import ip_network
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError, exceeded, invalid, not_found, repeated
from vpcdns.control.openapi.json_parameters import objects_of
from vpcdns.control.openapi.kept_objects import Kept, added, all_kept, find, without
from vpcdns.control.openapi.parameters import Action
from vpcdns.model.gateway import Instance
from vpcdns.state.api_attributes import KeptKey, Kind

_VERSIONS: Final = {"IPV4": 4, "IPV6": 6}
_TYPES: Final = ("BLACK", "WHITE")
_SHOWN: Final = ("AclName", "AddressIPVersion")
# In an instance's record, for each IP version: what it is described with while a list is in force.
ACL_FIELDS: Final = {
    version: tuple(f"{prefix}{field}" for field in ("AclId", "AclName", "AclStatus", "AclType"))
    for version, prefix in (("IPV4", ""), ("IPV6", "IPV6"))
}
MAX_ENTRIES: Final = 50  # that one request adds
MAX_OF_LIST: Final = 1_000


def create_access_control_list(call: Call) -> dict[str, Any]:
    version = call.one_of("AddressIPVersion", _VERSIONS, "IPV4").lower()
    key = KeptKey(Kind.ACL, call.region_id, f"acl-{secrets.token_hex(10)}")
    made = {"AclName": _new_name(call, key.owner), "AddressIPVersion": version, "Entries": []}
    call.commit(records=added(call, key, key.owner, made))
    return {"AclId": key.kept_id}


def describe_access_control_lists(call: Call) -> dict[str, Any]:
    found = all_kept(call, Kind.ACL)
    if (name := call.parameters.get("AclName")) is not None:
        found = [one for one in found if name in one.record["AclName"]]
    if "AddressIPVersion" in call.parameters:
        version = call.one_of("AddressIPVersion", _VERSIONS).lower()
        found = [one for one in found if one.record["AddressIPVersion"] == version]
    return call.page(found, "Acls", "Acl", lambda one: {"AclId": one.key.kept_id, **one.shown(*_SHOWN)})


def describe_access_control_list_attribute(call: Call) -> dict[str, Any]:
    """Of a list that is gone the cloud says `InvokeSlbApiFail`, says the Terraform provider."""
    one = find(call, Kind.ACL, call.required("AclId"))
    if one is None:
        text = f"There is no access control list {call.required('AclId')[:128]}."
        raise ApiError("InvokeSlbApiFail", text)
    return {
        "AclId": one.key.kept_id,
        **one.shown(*_SHOWN),
        "AclEntrys": {"AclEntry": list(one.record["Entries"])},
    }


def set_access_control_list_attribute(call: Call) -> dict[str, Any]:
    one, name = _acl(call), call.required("AclName")
    if name != one.record["AclName"]:
        name = _new_name(call, one.key.owner)
    return call.commit(records=call.edited(one.key, {"AclName": name}))


def add_access_control_list_entry(call: Call) -> dict[str, Any]:
    """Adds blocks; one that the list has already stays as it is."""
    one, entries = _acl(call), _entries(call)
    has = {entry["AclEntryIp"] for entry in one.record["Entries"]}
    version = _VERSIONS[one.record["AddressIPVersion"].upper()]
    for entry in entries:
        if ip_network(entry["AclEntryIp"]).version != version:
            raise invalid("AclEntrys", f"{entry['AclEntryIp']} is no block of IPv{version}.")
    merged = [*one.record["Entries"], *(entry for entry in entries if entry["AclEntryIp"] not in has)]
    if len(merged) > MAX_OF_LIST:
        raise exceeded("AclEntrys", f"A list has at most {MAX_OF_LIST}.")
    return call.commit(records=call.edited(one.key, {"Entries": merged}))


def remove_access_control_list_entry(call: Call) -> dict[str, Any]:
    one, gone = _acl(call), {entry["AclEntryIp"] for entry in _entries(call)}
    left = [entry for entry in one.record["Entries"] if entry["AclEntryIp"] not in gone]
    return call.commit(records=call.edited(one.key, {"Entries": left}))


def delete_access_control_list(call: Call) -> dict[str, Any]:
    one = _acl(call)
    field = ACL_FIELDS[one.record["AddressIPVersion"].upper()][0]
    for instance in call.world.instances.values():
        if call.record(instance).get(field) == one.key.kept_id:
            why = f"It is in force on {instance.instance_id}: disable it there first."
            code = "DependencyViolationAccessControlList"
            raise ApiError(code, f"The specified AccessControlList has Instance definitions. {why}")
    return call.commit(records=without(one))


def enable_instance_access_control(call: Call) -> dict[str, Any]:
    instance, one, version = _of_instance(call)
    values = one.key.kept_id, one.record["AclName"], "on", call.one_of("AclType", _TYPES).lower()
    return call.commit(records=call.edited(instance, dict(zip(ACL_FIELDS[version], values, strict=True))))


def disable_instance_access_control(call: Call) -> dict[str, Any]:
    instance, one, version = _of_instance(call)
    fields = ACL_FIELDS[version]
    if call.record(instance).get(fields[0]) != one.key.kept_id:
        why = f"access control list {one.key.kept_id} in force on {instance.instance_id}."
        raise not_found("AccessControlList", why)
    return call.commit(records=call.edited(instance, dict.fromkeys(fields)))


def _of_instance(call: Call) -> tuple[Instance, Kept, str]:
    instance, one = call.instance(), _acl(call)
    version = one.record["AddressIPVersion"].upper()
    if call.one_of("AddressIPVersion", _VERSIONS, version) != version:
        raise invalid("AddressIPVersion", f"{one.key.kept_id} is a list of {version.lower()}.")
    if instance.region_id != one.key.owner:
        raise invalid("AclId", f"{one.key.kept_id} is in {one.key.owner}, not in {instance.region_id}.")
    return instance, one, version


def _acl(call: Call) -> Kept:
    acl_id = call.required("AclId")
    one = find(call, Kind.ACL, acl_id)
    if one is None:
        raise not_found("AccessControlList", f"access control list {acl_id[:128]}.")
    return one


def _new_name(call: Call, region_id: str) -> str:
    name: str = call.kept("AclName").get("AclName") or call.required("AclName")
    if any(one.record["AclName"] == name for one in all_kept(call, Kind.ACL, region_id)):
        raise repeated("AclName", f"There is a list {name} in {region_id} already.")
    return name


def _entries(call: Call) -> list[dict[str, str]]:
    """Blocks, of which several may stand in one entry, with a comma between them."""
    found = []
    for one in objects_of(call, "AclEntrys", "entry", "comment"):
        for block in one["entry"].split(","):
            try:
                entry = {"AclEntryIp": str(ip_network(block.strip()))}
            except ValueError as error:
                raise invalid("AclEntrys", f"{error}.") from None
            found.append({**entry, "AclEntryComment": one.get("comment", "")[:128]})
    if len(found) > MAX_ENTRIES:
        raise exceeded("AclEntrys", f"At most {MAX_ENTRIES} in one request.")
    return found


_IN_FORCE: Final = "InstanceId AclId AddressIPVersion"
ACTIONS: Final = {
    "CreateAccessControlList": Action(create_access_control_list, "AclName AddressIPVersion"),
    "DescribeAccessControlLists": Action(
        describe_access_control_lists, "AclName AddressIPVersion PageNumber:int PageSize:int"
    ),
    "DescribeAccessControlListAttribute": Action(describe_access_control_list_attribute, "AclId"),
    "SetAccessControlListAttribute": Action(set_access_control_list_attribute, "AclId AclName"),
    "AddAccessControlListEntry": Action(add_access_control_list_entry, "AclId AclEntrys"),
    "RemoveAccessControlListEntry": Action(remove_access_control_list_entry, "AclId AclEntrys"),
    "DeleteAccessControlList": Action(delete_access_control_list, "AclId"),
    "EnableInstanceAccessControl": Action(enable_instance_access_control, f"{_IN_FORCE} AclType"),
    "DisableInstanceAccessControl": Action(disable_instance_access_control, _IN_FORCE),
}
