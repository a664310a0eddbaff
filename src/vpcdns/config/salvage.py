"""The valid parts of a configuration with errors, so that the rules can still be asked about them.

Knows which parts were left out, and drops mistakes that may only come from that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from vpcdns.config import schema_errors
from vpcdns.config.mistakes import Mistake, Path
from vpcdns.config.schema import Configuration

# The lists of objects, and what each object is named by.
_LISTS: Final = {
    "vpcs": "vpc_id",
    "networks": "network_id",
    "connections": "connection_id",
    "instances": "instance_id",
    "groups": "group_id",
    "private_zones": "zone",
}
# The keys that name another object.
_REFERENCES: Final = frozenset(
    (
        *("vpc_id", "host_vpc_id", "vpcs", "resolves_as", "network_id", "via", "instance_id", "region_id"),
        *("attachments", "access"),
    )
)


@dataclass(slots=True)
class ValidParts:
    """The valid parts of a configuration, where items of its lists stood, and the mistakes in the rest."""

    configuration: Configuration
    mistakes: list[Mistake]
    origins: dict[str, list[int]]


def validated(value: dict[str, Any]) -> ValidParts:
    """Reads plain data by the schema; if there are errors, a second time without the parts that have them."""
    try:
        return ValidParts(Configuration.model_validate(value), [], {})
    except ValidationError as error:
        mistakes = schema_errors.mistakes(error, value)
    broken = {mistake.path[:2] if mistake.path[0] in _LISTS else mistake.path[:1] for mistake in mistakes}
    valid = {section: content for section, content in value.items() if (section,) not in broken}
    origins: dict[str, list[int]] = {}
    for section in valid.keys() & _LISTS.keys():
        content = valid[section]
        origins[section] = [index for index in range(len(content)) if (section, index) not in broken]
        valid[section] = [content[index] for index in origins[section]]
    return ValidParts(Configuration.model_validate(valid), mistakes, origins)


def believable(found: list[Mistake], valid: ValidParts, value: dict[str, Any]) -> Iterator[Mistake]:
    """The mistakes that do not come from parts left out; paths as in the file."""
    if not valid.mistakes:
        yield from found
        return
    broken = {mistake.path[0] for mistake in valid.mistakes}
    missing = _missing_ids(valid.mistakes, value)
    for mistake in found:
        section, *rest = mistake.path
        if section in valid.origins and rest:
            rest[0] = valid.origins[str(section)][int(rest[0])]
        path = (section, *rest)
        word = next(part for part in reversed(path) if isinstance(part, str))
        named_missing = missing is None or word == "region_id" or _at(value, path) in missing
        if word in _REFERENCES and named_missing and not broken.isdisjoint(_LISTS):
            continue
        if "server" in broken and (path == ("admin", "listen") or word == "upstreams"):
            continue
        yield replace(mistake, path=path)


def _missing_ids(mistakes: list[Mistake], value: dict[str, Any]) -> set[object] | None:
    """The ids of the objects left out; None when one of them cannot be read."""
    missing: set[object] = set()
    for path in (mistake.path for mistake in mistakes if mistake.path[0] in _LISTS):
        identity = _at(value, (*path[:2], _LISTS[str(path[0])]))
        if len(path) == 1 or not isinstance(identity, str):
            return None
        missing.add(identity)
    return missing


def _at(value: Any, path: Path) -> object:
    try:
        for part in path:
            value = value[part]
    except (KeyError, IndexError, TypeError):
        return None
    return value if isinstance(value, str) else None
