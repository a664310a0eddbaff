"""The actions on the custom domains of API groups.

An INTRANET name is a CNAME to the group's VPC domain, here and now (DESIGN §1.9); the cloud leaves making it
to its user. An INTERNET name is kept and described, and no DNS answer depends on it.
"""

from typing import Any, Final

from vpcdns.config import custom_domain
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.catalogue import PUBLIC_NAMES
from vpcdns.control.openapi.domain_items import domain_edited, domain_item, names_of, sub_domain
from vpcdns.control.openapi.errors import bad_format, exceeded, not_found, repeated
from vpcdns.control.openapi.parameters import Action
from vpcdns.errors import MalformedName
from vpcdns.model.changes import AddCustomDomain, Change, RemoveCustomDomain
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.state.api_attributes import Attributes

PER_TYPE: Final = 5  # names that a group may have of each type
_TYPES: Final = ("INTERNET", "INTRANET")


def set_domain(call: Call) -> dict[str, Any]:
    """Binds a name to a group; with IsForce it is taken from another. Binding it again succeeds."""
    group, name = call.group(), domain_name(call)
    kind = call.one_of("CustomDomainType", _TYPES, "INTERNET")
    has, records, changes = dict(_folded(call, group)).get(str(name).lower()), Records(), list[Change]()
    if has is None:
        if sum(had == kind for _, had in names_of(call, group)) >= PER_TYPE:
            raise exceeded("DomainName", f"A group has at most {PER_TYPE} names of a type.")
        _take(call, group, name, kind, records, changes)
    elif has != kind:
        text = f"{name} is an {has} name of group {group.group_id} already; delete that first."
        raise repeated("DomainName", text)
    record = dict(call.record(group))
    if kind == "INTERNET" and has is None:
        record[PUBLIC_NAMES] = [*record.get(PUBLIC_NAMES, []), str(name)]
    elif has is None:
        changes.append(AddCustomDomain(group.group_id, name))
    record |= domain_edited(record, str(name), _attributes(call))
    call.commit(*changes, records={**records, **call.edited(group, record)})
    return _described(call, call.world.groups[group.group_id], str(name), kind)


def describe_domain(call: Call) -> dict[str, Any]:
    return _described(call, *bound_name(call))


def delete_domain(call: Call) -> dict[str, Any]:
    """Succeeds when there is no such name."""
    group, name = call.group(), domain_name(call)
    if str(name).lower() in dict(_folded(call, group)):
        call.commit(*_removed(group, name), records=_without(call, group, name))
    return {}


def domain_name(call: Call) -> Name:
    try:
        return custom_domain(call.required("DomainName"))
    except MalformedName as error:
        raise bad_format("DomainName", f"{error}.") from None


def _take(call: Call, group: Group, name: Name, kind: str, records: Records, changes: list[Change]) -> None:
    """What takes the name from the group that has it, if one has; it needs IsForce."""
    owner_id = _internet(call, name) if kind == "INTERNET" else call.world.custom_domains.values.get(name)
    if owner_id is None:
        return
    if not call.flag("IsForce"):
        raise repeated("DomainName", f"{name} belongs to group {owner_id}; IsForce=true takes it from there.")
    owner = call.world.groups[owner_id]
    records |= _without(call, owner, name)
    changes += _removed(owner, name) if kind == "INTRANET" else ()


def _internet(call: Call, name: Name) -> str | None:
    """The group that has a public name."""
    for key in call.look_ups.records_with_public_name(str(name)):
        if (group_id := key.removeprefix("group ")) in call.world.groups:
            return group_id
    return None


def _removed(group: Group, name: Name) -> list[Change]:
    return [RemoveCustomDomain(group.group_id, name)] if name in group.custom_domains else []


def _without(call: Call, group: Group, name: Name) -> Records:
    """The group's record without a name."""
    record = call.record(group)
    rest = [one for one in record.get(PUBLIC_NAMES, []) if one.lower() != str(name).lower()]
    return call.edited(group, {PUBLIC_NAMES: rest or None, **domain_edited(record, str(name), None)})


def _attributes(call: Call) -> Attributes:
    """What is stored and returned of a name, as far as the request says it."""
    redirects = call.flag("IsHttpRedirectToHttps")
    return {
        **call.kept("BindStageName"),
        **({} if redirects is None else {"IsHttpRedirectToHttps": redirects}),
    }


def bound_name(call: Call) -> tuple[Group, str, str]:
    """The group, its custom domain that `DomainName` names, and its type."""
    group, name = call.group(), str(domain_name(call))
    kind = dict(_folded(call, group)).get(name.lower())
    if kind is None:
        raise not_found("Domain", f"custom domain {name} of group {group.group_id}.")
    return group, name, kind


def _folded(call: Call, group: Group) -> list[tuple[str, str]]:
    return [(name.lower(), kind) for name, kind in names_of(call, group)]


def _described(call: Call, group: Group, name: str, kind: str) -> dict[str, Any]:
    item = domain_item(call.record(group), name, kind)
    return {"GroupId": group.group_id, "SubDomain": sub_domain(call, group), **item}


ACTIONS: Final = {
    "SetDomain": Action(
        set_domain,
        "GroupId DomainName CustomDomainType BindStageName IsForce:bool IsHttpRedirectToHttps:bool",
        quick=True,
    ),
    "DescribeDomain": Action(describe_domain, "GroupId DomainName", quick=True),
    "DeleteDomain": Action(delete_domain, "GroupId DomainName", quick=True),
}
