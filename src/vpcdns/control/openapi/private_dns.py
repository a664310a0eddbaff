"""The actions on internal domain names of backends, and on the instances that resolve them.

They say how gateways find backends; no client of a gateway ever asks for them (DESIGN §1), so no query does.
"""

from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final

from vpcdns.config import host_name
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.catalogue import FOUND_BY
from vpcdns.control.openapi.errors import (
    ApiError,
    bad_format,
    exceeded,
    forbidden,
    invalid,
    not_found,
    repeated,
)
from vpcdns.control.openapi.instances import dedicated_type
from vpcdns.control.openapi.json_parameters import json_of, objects_of
from vpcdns.control.openapi.kept_objects import Kept, added, all_kept, private_dns_word, without
from vpcdns.control.openapi.parameters import Action, integer
from vpcdns.errors import MalformedName
from vpcdns.model.gateway import Instance
from vpcdns.state.api_attributes import KeptKey, Kind

# The type of a resolution, and the type of the instances that it may be bound to.
_TYPES: Final = {"VPC": "normal", "A": "vpc_connect"}
MAX_RECORDS: Final = 50
MAX_WEIGHT: Final = 100
_BOUND: Final = "BindInstances"


def create_private_dns(call: Call) -> dict[str, Any]:
    name, kind = _domain(call, call.required("IntranetDomain")), call.one_of("Type", _TYPES)
    key = KeptKey(Kind.PRIVATE_DNS, call.region_id, f"{kind} {name}")
    if any(one.key == key for one in all_kept(call, Kind.PRIVATE_DNS, call.region_id)):
        raise repeated("IntranetDomain", f"{name} has a resolution of type {kind} already.")
    made = {"IntranetDomain": name, "Type": kind, "Records": _records(call, kind), _BOUND: []}
    return call.commit(records=added(call, key, call.region_id, made))


def list_private_dns(call: Call) -> dict[str, Any]:
    found = all_kept(call, Kind.PRIVATE_DNS)
    for field in ("IntranetDomain", "Type"):
        if (said := call.parameters.get(field)) is not None:
            found = [one for one in found if one.record[field].lower() == said.lower()]
    shown = call.page(found, "PrivateDNSList", "PrivateDNS", lambda one: _item(call, one))
    return {**shown, "PrivateDNSList": shown["PrivateDNSList"]["PrivateDNS"]}


def update_private_dns(call: Call) -> dict[str, Any]:
    one = _named(call)
    records = _records(call, one.record["Type"])
    return call.commit(records=call.edited(one.key, {"Records": records}))


def delete_private_dns(call: Call) -> dict[str, Any]:
    """Bound to an instance it stays, unless Force is set."""
    one = _named(call)
    if (bound := _bound(call, one)) and not call.flag("Force"):
        why = f"It is bound to {', '.join(bound)}: dissociate it first, or set Force."
        raise ApiError(
            "DependencyViolationPrivateDNS", f"The specified PrivateDNS has Instance definitions. {why}"
        )
    return call.commit(records=without(one))


def associate_instance(call: Call) -> dict[str, Any]:
    """Lets an instance resolve the names; binding again succeeds."""
    instance = call.instance()
    kind = next((one for one, of in _TYPES.items() if of == dedicated_type(call, instance)), None)
    if kind is None:
        raise forbidden("InstanceId", f"{instance.instance_id} is serverless.")
    records: Records = {}
    for name in _domains(call):
        one = _found(call, instance.region_id, kind, name)
        records |= _with(call, one, [*_bound(call, one, but=instance), instance.instance_id])
    return call.commit(records=records)


def dissociate_instance(call: Call) -> dict[str, Any]:
    instance, records = call.instance(), Records()
    kind = next((one for one, of in _TYPES.items() if of == dedicated_type(call, instance)), "VPC")
    for name in _domains(call):
        one = _found(call, instance.region_id, kind, name)
        records |= _with(call, one, _bound(call, one, but=instance))
    return call.commit(records=records)


def _with(call: Call, one: Kept, instance_ids: list[str]) -> Records:
    words = [word for word in one.record[FOUND_BY] if not word.startswith(private_dns_word(""))]
    words += [private_dns_word(instance_id) for instance_id in instance_ids]
    return call.edited(one.key, {_BOUND: instance_ids, FOUND_BY: words})


def _bound(call: Call, one: Kept, but: Instance | None = None) -> list[str]:
    """The instances that resolve it, and that there are."""
    region_id, there = one.record["RegionId"], call.world.instances
    left_out = "" if but is None else but.instance_id
    return [each for each in one.record[_BOUND] if each != left_out and (region_id, each) in there]


def _named(call: Call) -> Kept:
    name, kind = _domain(call, call.required("IntranetDomain")), call.one_of("Type", _TYPES)
    return _found(call, call.region_id, kind, name)


def _found(call: Call, region_id: str, kind: str, name: str) -> Kept:
    for one in all_kept(call, Kind.PRIVATE_DNS, region_id):
        if one.key.kept_id == f"{kind} {name}":
            return one
    raise not_found("IntranetDomain", f"resolution of {name}, type {kind}, in {region_id}.")


def _domains(call: Call) -> list[str]:
    call.required("IntranetDomains")
    return [_domain(call, str(name)) for name in json_of(call, "IntranetDomains", list) or ()]


def _domain(call: Call, text: str) -> str:
    try:
        return str(host_name(text)).lower()
    except MalformedName as error:
        raise bad_format("IntranetDomain", f"{error}.") from None


def _records(call: Call, kind: str) -> list[dict[str, Any]]:
    """Addresses and weights, of type A alone."""
    if kind != "A":
        if "Records" in call.parameters:
            raise invalid("Records", "Only a resolution of type A has records.")
        return []
    records: list[dict[str, Any]] = []
    for one in objects_of(call, "Records", "Record", "Weight"):
        weight = integer(one.get("Weight", "1"))
        if weight is None or not 0 <= weight <= MAX_WEIGHT:
            raise invalid("Records", f"Write a Weight from 0 to {MAX_WEIGHT}.")
        try:
            records.append({"Record": str(IPv4Address(one["Record"])), "Weight": weight})
        except AddressValueError as error:
            raise invalid("Records", f"{error}.") from None
    if len(records) > MAX_RECORDS:
        raise exceeded("Records", f"A resolution has at most {MAX_RECORDS}.")
    return records


def _item(call: Call, one: Kept) -> dict[str, Any]:
    return {
        **one.shown("IntranetDomain", "Type", "CreatedTime"),
        "Records": list(one.record["Records"]),
        _BOUND: _bound(call, one),
    }


_NAMED: Final = "IntranetDomain Type"
_OF_INSTANCE: Final = "InstanceId IntranetDomains"
ACTIONS: Final = {
    "CreatePrivateDNS": Action(create_private_dns, f"{_NAMED} Records"),
    "ListPrivateDNS": Action(list_private_dns, f"{_NAMED} PageNumber:int PageSize:int"),
    "UpdatePrivateDNS": Action(update_private_dns, f"{_NAMED} Records"),
    "DeletePrivateDNS": Action(delete_private_dns, f"{_NAMED} Force:bool"),
    "AssociateInstanceWithPrivateDNS": Action(associate_instance, _OF_INSTANCE),
    "DissociateInstanceWithPrivateDNS": Action(dissociate_instance, _OF_INSTANCE),
}
