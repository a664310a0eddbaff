"""What is sound in a configuration with errors, so that the rules can still be asked about that.

Knows which parts were left out, and believes no finding that may come of their absence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from vpcdns.config import schema_errors
from vpcdns.config.problems import Finding, Path
from vpcdns.config.schema import Configuration

# The lists of objects, and what each object is named by.
_LISTS: Final = {
    "vpcs": "vpc_id",
    "networks": "network_id",
    "connections": "connection_id",
    "instances": "instance_id",
    "groups": "group_id",
}
# The keys that name another object.
_REFERENCES: Final = frozenset(
    (
        *("vpc_id", "host_vpc_id", "vpcs", "resolves_as", "network_id", "via", "instance_id", "region_id"),
        *("attachments", "access"),
    )
)


@dataclass(slots=True)
class Sound:
    """The sound parts of a configuration, and where the items of its lists stood."""

    configuration: Configuration
    findings: list[Finding]
    origins: dict[str, list[int]]


def validated(value: dict[str, Any]) -> Sound:
    """Reads plain data by the schema; on errors a second time without the parts that have some."""
    try:
        return Sound(Configuration.model_validate(value), [], {})
    except ValidationError as error:
        findings = schema_errors.findings(error, value)
    items = {finding.path[:2] for finding in findings if len(finding.path) > 1}
    sections = {
        finding.path[0] for finding in findings if finding.path[0] not in _LISTS or len(finding.path) == 1
    }
    sound: dict[str, Any] = {}
    origins: dict[str, list[int]] = {}
    for section, content in value.items():
        if section in sections:
            continue
        sound[section] = content
        if section in _LISTS:
            origins[section] = [index for index in range(len(content)) if (section, index) not in items]
            sound[section] = [content[index] for index in origins[section]]
    return Sound(Configuration.model_validate(sound), findings, origins)


def believable(found: list[Finding], sound: Sound, value: dict[str, Any]) -> Iterator[Finding]:
    """What rules found that does not come of parts left out; paths as in the file."""
    if not sound.findings:
        yield from found
        return
    broken = {finding.path[0] for finding in sound.findings}
    missing = _missing_ids(sound.findings, value)
    for finding in found:
        section, *rest = finding.path
        if section in sound.origins and rest:
            rest[0] = sound.origins[str(section)][int(rest[0])]
        path = (section, *rest)
        word = next(part for part in reversed(path) if isinstance(part, str))
        named_missing = missing is None or word == "region_id" or _at(value, path) in missing
        if word in _REFERENCES and named_missing and not broken.isdisjoint(_LISTS):
            continue
        if "server" in broken and (path == ("admin", "listen") or word == "upstreams"):
            continue
        yield replace(finding, path=path)


def _missing_ids(findings: list[Finding], value: dict[str, Any]) -> set[object] | None:
    """The ids of the objects left out; None when one of them cannot be read."""
    missing: set[object] = set()
    for finding in findings:
        if finding.path[0] not in _LISTS:
            continue
        item = _at(value, finding.path[:2])
        if len(finding.path) == 1 or not isinstance(item, dict):
            return None
        identity = item.get(_LISTS[str(finding.path[0])])
        if not isinstance(identity, str):
            return None
        missing.add(identity)
    return missing


def _at(value: Any, path: Path) -> object:
    try:
        for part in path:
            value = value[part]
    except (KeyError, IndexError, TypeError):
        return None
    return value if isinstance(value, str | dict) else None
