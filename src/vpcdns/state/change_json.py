"""Changes <-> plain JSON: as the journal keeps them, and as our own HTTP interface takes them.

Reads the annotations of the model's values, so a new change needs nothing here. Never converts a value in
silence: one of another type is a MalformedChange.
"""

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_network
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from vpcdns.errors import MalformedChange
from vpcdns.model import changes, topology_changes
from vpcdns.model.changes import Change
from vpcdns.model.names import Name
from vpcdns.model.topology import Prefix

CHANGES: Final[dict[str, type]] = {
    name: kind
    for name, kind in (vars(changes) | vars(topology_changes)).items()
    if isinstance(kind, type) and issubclass(kind, Change) and kind is not Change
}

_TEXTUAL: Final[dict[Any, Any]] = {
    IPv4Address: IPv4Address,
    IPv4Network: IPv4Network,
    Prefix: ip_network,
    Name: Name.from_text,
}
_FORMS: Final[dict[Any, str]] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    list: "a list",
    dict: "an object",
}
_types: Final = lru_cache(maxsize=64)(get_type_hints)


def encode_change(change: Change) -> dict[str, Any]:
    """`{"change": "Bind", "instance_key": [...], …}`."""
    return {"change": type(change).__name__, **_encode(change)}


def decode_change(value: object) -> Change:
    """The change that `value` spells out; raises MalformedChange."""
    match value:
        case {"change": str(name), **rest} if name in CHANGES:
            change: Change = _decode(CHANGES[name], rest, name)
            return change
        case dict():
            raise MalformedChange(f"change: one of {', '.join(CHANGES)}")
        case _:
            raise MalformedChange("a change is an object with the key `change`")


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


@lru_cache(maxsize=256)
def _form(kind: Any) -> Any:
    """The type that JSON has for values of a `kind`; enumerations and what may be None are none of them."""
    if kind in _TEXTUAL:
        return str
    return list if get_origin(kind) is tuple else dict if is_dataclass(kind) else kind


def _decode(kind: Any, value: Any, where: str) -> Any:
    form = _form(kind)
    if type(value) is form:
        if isinstance(value, list):
            return _tuple(get_args(kind), value, where)
        if isinstance(value, dict):
            return _object(kind, value, where)
        try:
            return _TEXTUAL[kind](value) if kind in _TEXTUAL else value
        except ValueError as error:
            raise MalformedChange(f"{where}: {error}") from None
    if get_origin(form) in (Union, UnionType):
        return None if value is None else _decode(get_args(form)[0], value, where)
    if issubclass(form, Enum):
        members = {member.value: member for member in form}
        if not isinstance(value, str) or value not in members:
            raise MalformedChange(f"{where}: one of {', '.join(members)}")
        return members[value]
    raise MalformedChange(f"{where}: {_FORMS[form]}")


def _tuple(kinds: tuple[Any, ...], value: list[Any], where: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise MalformedChange(f"{where}: a list of {len(kinds)}")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_decode(kind, item, f"{where}[{index}]") for index, (kind, item) in pairs)


def _object(kind: Any, value: dict[str, Any], where: str) -> Any:
    types = _types(kind)
    if unknown := [name for name in value if name not in types]:
        raise MalformedChange(f"{where}: there is no `{unknown[0]}`; it has {', '.join(types)}")
    for field in fields(kind):
        if field.name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise MalformedChange(f"{where}.{field.name}: missing")
    return kind(**{name: _decode(types[name], part, f"{where}.{name}") for name, part in value.items()})
