"""A file -> a World and where to listen, or every problem at once (DESIGN §2).

The only module here that opens files. Joins the steps: text, plain data, schema, model; asks for
positions when, and only when, something is wrong.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from vpcdns import gc_pauses
from vpcdns.config import document, json_stream
from vpcdns.config.build import Admin, Built, build
from vpcdns.config.groups import GroupReader, Progress, group_of
from vpcdns.config.positions import located
from vpcdns.config.problems import Finding, dotted
from vpcdns.config.salvage import believable, validated
from vpcdns.config.schema import Configuration
from vpcdns.errors import ConfigurationError, Problem
from vpcdns.model.gateway import Group
from vpcdns.model.policy import Listen, QueryLogging, ServerIdentity
from vpcdns.model.world import World

# A million groups are some 160 MB of JSON; a device file has no end.
MAX_OCTETS: Final = 512 * 1024 * 1024

_SECTIONS: Final = "server, answers, forward, admin, vpcs, networks, connections, instances, groups"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A good configuration. `source_hash` is the SHA-256 of its octets, in hexadecimal.

    `upstreams_given` says whether `forward.upstreams` is there; if not, the host's resolv.conf counts.
    """

    world: World
    listens: tuple[Listen, ...]
    admin: Admin | None
    query_logging: QueryLogging
    upstreams_given: bool
    source_hash: str


def load(
    path: Path, *, revision: int = 1, identity: ServerIdentity | None = None, progress: Progress | None = None
) -> Loaded:
    """Reads a configuration file; raises ConfigurationError with all problems of it.

    `progress` is called now and then with the number of groups read.
    """
    return _loaded(_octets(path), str(path), path.parent, revision, identity or ServerIdentity(), progress)


def loads(
    text: str | bytes,
    name: str = "<text>",
    *,
    revision: int = 1,
    identity: ServerIdentity | None = None,
    folder: Path = Path(),
) -> Loaded:
    """Reads a configuration from memory; `name` stands for the file in problems."""
    octets = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _loaded(octets, name, folder, revision, identity or ServerIdentity())


def _octets(path: Path) -> bytes:
    name = str(path)
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except FileNotFoundError:
        raise _error(
            name, "there is no such file", "check the path, or start from config/vpcdns.yaml"
        ) from None
    except IsADirectoryError:
        raise _error(name, "it is a directory", "name the file in it") from None
    except PermissionError:
        raise _error(name, "it may not be read", "check the permissions of it and its folders") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(name, f"it cannot be read: {reason}", "check the path") from None
    if len(octets) > MAX_OCTETS:
        raise _error(name, f"it has more than {MAX_OCTETS >> 20} MiB", "check that it is the right file")
    return octets


def _error(name: str, what: str, way_out: str, line: int = 0, column: int = 0) -> ConfigurationError:
    return ConfigurationError([Problem(name, line, column, "", what, way_out)])


def _text(octets: bytes, name: str) -> str:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(name, "it is UTF-16", "save it as UTF-8", 1, 1)
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = octets[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        what = f"octet 0x{octets[error.start]:02x} is not UTF-8"
        raise _error(
            name, what, "save it as UTF-8, or check that it is the right file", line, column
        ) from None


def _loaded(
    octets: bytes,
    name: str,
    folder: Path,
    revision: int,
    identity: ServerIdentity,
    progress: Progress | None = None,
) -> Loaded:
    with gc_pauses.paused():
        good = _good(octets, folder, revision, identity, progress)
        return good or _read_in_full(octets, name, folder, revision, identity)


def _good(
    octets: bytes, folder: Path, revision: int, identity: ServerIdentity, progress: Progress | None
) -> Loaded | None:
    """The short way of a file that has nothing wrong: no positions, and groups that are read one by one."""
    reader = GroupReader(progress)
    takers = {"groups": reader.take}
    try:
        value: object = json_stream.read(octets, takers)
    except json_stream.Unreadable:
        reader = GroupReader(progress)
        try:
            read = document.read(octets.decode("utf-8-sig"), {"groups": reader.take})
        except UnicodeDecodeError:
            return None
        if read.findings:
            return None
        value = read.value
    if reader.unsound:
        return None
    try:
        configuration = Configuration.model_validate(value)
    except ValidationError:
        return None
    # JSON that `json_stream` does not read comes with its groups.
    groups = chain(map(group_of, configuration.groups), _consumed(reader.groups))
    built = build(configuration, groups, folder, revision, identity)
    return None if built.findings else _with_hash(built, configuration, octets)


def _consumed(groups: list[Group]) -> Iterator[Group]:
    """The groups, each forgotten when the next is asked for: what takes its place takes its memory."""
    groups.reverse()
    while groups:
        yield groups.pop()


def _read_in_full(octets: bytes, name: str, folder: Path, revision: int, identity: ServerIdentity) -> Loaded:
    """Reads all of it with positions: slower, and raises ConfigurationError with everything that is wrong."""
    text = _text(octets, name)
    read = document.read(text)
    if not isinstance(read.value, dict):
        no_mapping = [_no_mapping(read.value, text)] if read.readable else []
        raise ConfigurationError(_problems(name, text, read.findings + no_mapping))
    sound = validated(read.value)
    groups = map(group_of, sound.configuration.groups)
    built = build(sound.configuration, groups, folder, revision, identity)
    wrong = [*sound.findings, *believable(built.findings, sound, read.value)]
    already = {finding.path for finding in read.findings}
    findings = read.findings + [finding for finding in wrong if finding.path not in already]
    if findings:
        raise ConfigurationError(_problems(name, text, findings))
    return _with_hash(built, sound.configuration, octets)


def _with_hash(built: Built, configuration: Configuration, octets: bytes) -> Loaded:
    given = configuration.forward.upstreams is not None
    source_hash = hashlib.sha256(octets).hexdigest()
    return Loaded(built.world, built.listens, built.admin, built.query_logging, given, source_hash)


def _no_mapping(value: object, text: str) -> Finding:
    if value is None:
        way_out = "write a configuration; config/vpcdns.yaml is one to start from"
        return Finding((), "the file says nothing" if text.strip() else "the file is empty", way_out)
    kind = "a list" if isinstance(value, list) else "a single value"
    return Finding((), f"the top is {kind}, not a mapping", f"begin with a section: {_SECTIONS}")


def _problems(name: str, text: str, findings: list[Finding]) -> list[Problem]:
    placed = located(text, findings)
    return [
        Problem(name, finding.line, finding.column, dotted(finding.path), finding.what, finding.way_out)
        for finding in placed
    ]
