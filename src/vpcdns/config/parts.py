"""The schema's parts <-> the model's values, whose fields have the same names."""

from enum import Enum
from typing import Any, Final, get_args

from vpcdns.config import forward_schema, schema, topology_schema
from vpcdns.config.topology_schema import Part
from vpcdns.model.cache_limits import CacheLimits, TtlLimits
from vpcdns.model.connections import CenConnection, IpsecConnection, NetworkAttachment, Route, ServiceRoute
from vpcdns.model.gateway import Binding, Instance, InstanceType
from vpcdns.model.policy import Answers, ForwardRule
from vpcdns.model.topology import Network, ResolvesThrough, Vpc, VSwitch

_PARTS: Final[dict[type[Any], type[Part]]] = {
    Vpc: topology_schema.VpcPart,
    VSwitch: topology_schema.VSwitchPart,
    Network: topology_schema.NetworkPart,
    Route: topology_schema.RoutePart,
    ResolvesThrough: topology_schema.ResolvesThroughPart,
    NetworkAttachment: topology_schema.NetworkAttachmentPart,
    IpsecConnection: topology_schema.IpsecPart,
    CenConnection: topology_schema.CenPart,
    ServiceRoute: topology_schema.ServiceRoutePart,
    Binding: schema.BindingPart,
    Answers: schema.AnswersPart,
    ForwardRule: forward_schema.ForwardRulePart,
    TtlLimits: forward_schema.TtlsPart,
    CacheLimits: forward_schema.CachePart,
}
_MODELS: Final = {part: model for model, part in _PARTS.items()}


def value_of(part: Any) -> Any:
    """The model's value for a part; its own blocks are its source networks unless it says others."""
    if isinstance(part, list):
        return tuple(map(value_of, part))
    model = _MODELS.get(type(part))
    if model is None:
        return part
    given = {name: value_of(value) for name, value in part if name in model.__dataclass_fields__}
    if given.get("source_networks", ()) is None:
        given["source_networks"] = given["cidr_blocks"]
    return model(**given)


def part_of(value: Any) -> type[Part] | None:
    """The part of the schema that describes a value of the model."""
    if isinstance(value, Instance):
        return schema.ServerlessPart if value.type is InstanceType.SERVERLESS else schema.DedicatedPart
    return _PARTS.get(type(value))


def plain(value: Any) -> Any:
    """A value of the model as plain data; what is empty is left out."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    part = part_of(value)
    if part is None:
        return value if isinstance(value, int | str) else str(value)
    fields: dict[str, Any] = {}
    for name, field in part.model_fields.items():
        given = getattr(value, name, None)
        if name == "type":
            fields[name] = get_args(field.annotation)[0]
        elif name == "source_networks":
            if given != value.cidr_blocks:
                fields[name] = plain(given)
        elif given not in (None, (), frozenset()) and not (type(given) is bool and given is field.default):
            fields[name] = plain(given)
    return fields
