"""Changes <-> plain JSON: as the journal keeps them, and as our own HTTP interface takes them.

Reads the annotations of the model's values, so a new change needs nothing here. Never converts a value in
silence: one of another type is a MalformedChange.
"""

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_network
from types import NoneType, UnionType
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


def encode_change(change: Change) -> dict[str, Any]:
    """`{"change": "Bind", "instance_key": [...], …}`."""
    return {"change": type(change).__name__, **_encode(change)}


def decode_change(value: object) -> Change:
    """The change that `value` spells out; raises MalformedChange."""
    if not isinstance(value, dict):
        raise MalformedChange("a change is an object with the key `change`")
    rest = dict(value)
    name = rest.pop("change", None)
    kind = CHANGES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise MalformedChange(f"change: one of {', '.join(CHANGES)}")
    change: Change = _decode(kind, rest, kind.__name__)
    return change


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


def _decode(kind: Any, value: Any, where: str) -> Any:
    if kind in _TEXTUAL:
        return _from_text(kind, value, where)
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, value, where)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        options = [option for option in get_args(kind) if option is not NoneType]
        return None if value is None else _decode(options[0], value, where)
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            words = ", ".join(str(member.value) for member in kind)
            raise MalformedChange(f"{where}: one of {words}") from None
    if type(value) is not kind:
        raise MalformedChange(f"{where}: {_WORDS[kind]}")
    return value


def _from_text(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise MalformedChange(f"{where}: text")
    try:
        return _TEXTUAL[kind](value)
    except ValueError as error:
        raise MalformedChange(f"{where}: {error}") from None


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise MalformedChange(f"{where}: a list")
    if kinds[-1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if len(value) != len(kinds):
        raise MalformedChange(f"{where}: a list of {len(kinds)}")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_decode(kind, item, f"{where}[{index}]") for index, (kind, item) in pairs)


def _object(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise MalformedChange(f"{where}: an object")
    types, parts = _types(kind), {}
    for name in value:
        if name not in types:
            raise MalformedChange(f"{where}: there is no `{name}`; it has {', '.join(types)}")
    for field in fields(kind):
        if field.name in value:
            parts[field.name] = _decode(types[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise MalformedChange(f"{where}.{field.name}: missing")
    return kind(**parts)


@lru_cache(maxsize=64)
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


_WORDS: Final[dict[Any, str]] = {str: "text", bool: "true or false", int: "a number"}
