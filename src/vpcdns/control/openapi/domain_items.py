"""A group's custom domains as responses show them, and what is kept of them beside the World."""

from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.catalogue import PUBLIC_NAMES
from vpcdns.model.gateway import Group
from vpcdns.state.api_attributes import Attributes

# In a group's record, by each of its names in lower case: what is stored and returned.
OF_NAMES: Final = "DomainAttributes"
CERTIFICATE: Final = "CertificateBody"  # only the description of one name has it


def names_of(call: Call, group: Group) -> list[tuple[str, str]]:
    """Its custom domains and their types: those that DNS knows, and public ones that are only kept."""
    internal = [(str(name), "INTRANET") for name in group.custom_domains]
    return [*internal, *((name, "INTERNET") for name in call.record(group).get(PUBLIC_NAMES, []))]


def domain_items(call: Call, group: Group) -> list[dict[str, Any]]:
    items = (domain_item(call.record(group), *one) for one in names_of(call, group))
    return [{name: value for name, value in one.items() if name != CERTIFICATE} for one in items]


def domain_item(record: Attributes, name: str, kind: str) -> dict[str, Any]:
    """What all answers about a custom domain have; `record` is its group's."""
    return {
        "DomainName": name,
        "CustomDomainType": kind,
        "DomainBindingStatus": "BINDING",  # bound, sic
        "DomainCNAMEStatus": "RESOLVED" if kind == "INTRANET" else "UNRESOLVED",
        "DomainLegalStatus": "NORMAL",
        "DomainRemark": "",
        "DomainWebSocketStatus": "CLOSE",
        "BindStageName": "",
        "IsHttpRedirectToHttps": False,
        **record.get(OF_NAMES, {}).get(name.lower(), {}),
    }


def domain_edited(record: Attributes, name: str, attributes: Attributes | None) -> Attributes:
    """The change of a group's record that puts `attributes` to those of a name; None takes all away."""
    kept = dict(record.get(OF_NAMES, {}))
    had = kept.pop(name.lower(), {})
    if attributes is not None and (put := {**had, **attributes}):
        kept[name.lower()] = put
    return {OF_NAMES: kept or None}


def sub_domain(call: Call, group: Group) -> str:
    """The public second-level domain, which nothing here resolves."""
    return f"{group.group_id}-{group.region_id}.{call.world.answers.suffix}"


def intranet_domain(call: Call, group: Group) -> str:
    """The self-calling domain, which nothing here resolves either."""
    return f"{group.group_id}-{group.region_id}-intranet.{call.world.answers.suffix}"
