"""The actions on custom domains.

An INTRANET name is a CNAME to the group's VPC domain, here and now (DESIGN §1.9); the cloud leaves making it
to its user. An INTERNET name is kept and described, and no DNS answer depends on it.
"""

from typing import Any, Final

from vpcdns.config import custom_domain
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.errors import bad_format, exceeded, invalid, not_found, repeated
from vpcdns.control.openapi.groups import domain_item, domains_of, sub_domain
from vpcdns.errors import MalformedName
from vpcdns.model.changes import AddCustomDomain, Change, RemoveCustomDomain
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name

PER_TYPE: Final = 5  # names that a group may have of each type
_TYPES: Final = ("INTERNET", "INTRANET")


def set_domain(call: Call) -> dict[str, Any]:
    """Binds a name to a group; with IsForce it is taken from another. Binding it again succeeds."""
    group, name = call.group(), _name(call)
    kind = (call.optional("CustomDomainType") or "INTERNET").upper()
    if kind not in _TYPES:
        raise invalid("CustomDomainType", f"Write one of {', '.join(_TYPES)}.")
    for flag in ("IsHttpRedirectToHttps", "IsForce"):
        call.flag(flag)
    if (str(name).lower(), kind) not in _folded(call, group):
        if sum(had == kind for _, had in domains_of(call, group)) >= PER_TYPE:
            raise exceeded("DomainName", f"A group has at most {PER_TYPE} names of a type.")
        _bind(call, group, name, kind)
    return _described(call, call.world.groups[group.group_id], str(name), kind)


def describe_domain(call: Call) -> dict[str, Any]:
    group, name = call.group(), str(_name(call))
    kinds = dict(sorted(_folded(call, group)))
    if name.lower() not in kinds:
        raise not_found("Domain", f"custom domain {name} of group {group.group_id}.")
    return _described(call, group, name, kinds[name.lower()])


def delete_domain(call: Call) -> dict[str, Any]:
    """Succeeds when there is no such name."""
    group, name = call.group(), _name(call)
    records, changes = _without(call, group, name), list[Change]()
    if name in group.custom_domains:
        changes.append(RemoveCustomDomain(group.group_id, name))
    if records or changes:
        call.commit(*changes, records=records)
    return {}


def _bind(call: Call, group: Group, name: Name, kind: str) -> None:
    changes, records = _released(call, group, name, kind)
    if kind == "INTRANET":
        call.commit(*changes, AddCustomDomain(group.group_id, name), records=records)
        return
    names = [*call.record(group).get("InternetDomains", []), str(name)]
    call.commit(*changes, records={**records, **call.edited(group, {"InternetDomains": names})})


def _released(call: Call, group: Group, name: Name, kind: str) -> tuple[list[Change], Records]:
    """What takes the name from whoever has it; refused without IsForce."""
    owner_id = call.world.custom_domains.owners.get(name) if kind == "INTRANET" else _internet(call, name)
    if owner_id is None or owner_id == group.group_id:
        return [], {}
    if not call.flag("IsForce"):
        raise repeated("DomainName", f"{name} belongs to group {owner_id}; IsForce=true takes it from there.")
    if kind == "INTRANET":
        return [RemoveCustomDomain(owner_id, name)], {}
    return [], _without(call, call.world.groups[owner_id], name)


def _internet(call: Call, name: Name) -> str | None:
    """The group that has a public name."""
    wanted = str(name).lower()
    for key, record in call.state.contents.attributes.scan():
        if any(one.lower() == wanted for one in record.get("InternetDomains", ())):
            return key.partition(" ")[2]
    return None


def _without(call: Call, group: Group, name: Name) -> Records:
    """The group's record without a public name; nothing when it has none such."""
    names = call.record(group).get("InternetDomains", [])
    rest = [one for one in names if one.lower() != str(name).lower()]
    return {} if rest == names else call.edited(group, {"InternetDomains": rest})


def _name(call: Call) -> Name:
    try:
        return custom_domain(call.required("DomainName"))
    except MalformedName as error:
        raise bad_format("DomainName", f"{error}.") from None


def _folded(call: Call, group: Group) -> set[tuple[str, str]]:
    return {(name.lower(), kind) for name, kind in domains_of(call, group)}


def _described(call: Call, group: Group, name: str, kind: str) -> dict[str, Any]:
    return {"GroupId": group.group_id, "SubDomain": sub_domain(call, group), **domain_item(name, kind)}
