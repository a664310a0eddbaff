"""A file -> a World and where to listen, or every problem at once (DESIGN §2).

Opens files, and joins the steps: octets, plain data, schema, model. Positions are looked up only when
something is wrong.
"""

import codecs
import logging
import os
import select
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from pydantic import ValidationError

from vpcdns import gc_pauses
from vpcdns.config import document, json_stream, schema_errors
from vpcdns.config.build import Loaded, Source, build
from vpcdns.config.groups import GroupReader, Progress, group_of
from vpcdns.config.mistakes import Mistake, Mistakes, dotted
from vpcdns.config.mistakes import Path as DataPath
from vpcdns.config.salvage import believable, validated
from vpcdns.config.schema import Configuration
from vpcdns.config.topology_schema import Part
from vpcdns.config.watched_files import WatchedFiles
from vpcdns.errors import ConfigurationError, Problem
from vpcdns.model.gateway import Group
from vpcdns.model.policy import ServerIdentity

P = TypeVar("P", bound=Part)

# A million groups are some 160 MB of JSON; a device file has no end.
MAX_OCTETS: Final = 512 * 1024 * 1024
PATIENCE: Final = 1.0  # seconds before it is said that a pipe is waited for

log = logging.getLogger("vpcdns.config")


def load(
    path: Path,
    *,
    revision: int = 1,
    identity: ServerIdentity | None = None,
    progress: Progress | None = None,
    files: WatchedFiles | None = None,
) -> Loaded:
    """Reads a configuration file; raises ConfigurationError with all problems of it.

    `progress` is called now and then with the number of groups read; `files` hears of those that it names.
    """
    octets = read_octets(path)
    return loads(
        octets,
        str(path),
        folder=path.parent,
        revision=revision,
        identity=identity,
        progress=progress,
        files=files,
    )


def loads(
    text: str | bytes,
    name: str = "<text>",
    *,
    folder: Path = Path(),
    revision: int = 1,
    identity: ServerIdentity | None = None,
    progress: Progress | None = None,
    files: WatchedFiles | None = None,
) -> Loaded:
    """Reads a configuration from memory; `name` stands for the file in problems, and `folder` for its own."""
    octets = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    source = Source(folder, revision, identity or ServerIdentity(), octets, files or WatchedFiles())
    with gc_pauses.paused():
        return _read_fast(octets, name, source, progress) or _read_in_full(octets, name, source)


def read_as(kind: type[P], path: Path, example: str) -> P:
    """Reads a file of another kind, such as a scenario; raises ConfigurationError with every problem."""
    octets = read_octets(path, example)
    read = document.read(octets)
    if not isinstance(read.value, dict):
        what, keys = f"a {kind.__name__.lower()} is a mapping", ", ".join(kind.model_fields)
        raise error_of(str(path), octets, read.mistakes or [Mistake((), what, f"give it keys ({keys})")])
    try:
        whole = kind.model_validate(read.value)
    except ValidationError as error:
        wrong = read.mistakes + schema_errors.mistakes(error, read.value, kind)
        raise error_of(str(path), octets, wrong) from None
    if read.mistakes:
        raise error_of(str(path), octets, read.mistakes)
    return whole


def has_key(path: Path, *keys: str) -> bool:
    """Whether a file is a mapping with one of these keys, or cannot be read but has a line that begins so.

    Raises ConfigurationError if it cannot be opened.
    """
    octets = read_octets(path)
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # reading it says that it is
        octets = octets.decode("utf-16", "replace").encode()
    if not any(key.encode() in octets for key in keys):
        return False
    found = document.read(octets)
    if found.readable:
        return isinstance(found.value, dict) and not found.value.keys().isdisjoint(keys)
    return any(line.startswith(tuple(f"{key}:".encode() for key in keys)) for line in octets.splitlines())


def read_mapping(name: str, octets: bytes) -> dict[str, Any]:
    """A file of any keys, in YAML or JSON; raises ConfigurationError with every problem."""
    read = document.read(octets)
    if not isinstance(read.value, dict) or read.mistakes:
        no_mapping = [_no_mapping(read.value, octets)] if read.readable and not read.mistakes else []
        raise error_of(name, octets, read.mistakes or no_mapping)
    return read.value


def read_octets(path: Path, example: str = "config/vpcdns.yaml") -> bytes:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            _wait_for_writer(file)
            octets = file.read(MAX_OCTETS + 1)
    except FileNotFoundError:
        what, way_out = "there is no such file", f"check the path, or start from {example}"
    except IsADirectoryError:
        what, way_out = "it is a directory", "name the file in it"
    except PermissionError:
        what, way_out = "it may not be read", "check the permissions of it and its folders"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what, way_out = f"it cannot be read: {reason}", "check the path"
    else:
        if len(octets) <= MAX_OCTETS:
            return octets
        what, way_out = f"it has more than {MAX_OCTETS >> 20} MiB", "check that it is the right file"
    raise ConfigurationError([Problem(str(path), 0, 0, "", what, way_out)])


def _open_at_once(path: str, flags: int) -> int:
    """Opens a named pipe whether or not somebody has opened it to write; changes nothing for a file."""
    return os.open(path, flags | os.O_NONBLOCK)


def _wait_for_writer(file: BinaryIO) -> None:
    """Waits for the first octet of a pipe, and says so if it does not come at once."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    if not poll.poll(PATIENCE * 1000):
        log.warning("Waiting for somebody to write to %s", file.name)
        poll.poll()
    os.set_blocking(file.fileno(), True)


def _read_fast(octets: bytes, name: str, source: Source, progress: Progress | None) -> Loaded | None:
    """Reads a file that has nothing wrong: no positions, and groups one by one. None: read it in full.

    Raises ConfigurationError when only its zone files have: where, is known already.
    """
    reader = GroupReader(progress)
    try:
        value: object = json_stream.read(octets, {"groups": reader.take})
    except (ValueError, RecursionError):
        reader = GroupReader(progress)
        read = document.read(octets, {"groups": reader.take})
        if read.mistakes:
            return None
        value = read.value
    if reader.found_invalid:
        return None
    try:
        configuration = Configuration.model_validate(value)
    except ValidationError:
        return None
    # Where `json` read the text as a whole, the groups are in it.
    groups = chain(map(group_of, configuration.groups), _consumed(reader.groups))
    mistakes = Mistakes()
    loaded = build(configuration, groups, source, mistakes)
    if mistakes and all(mistake.line for mistake in mistakes):
        raise error_of(name, octets, mistakes)
    return None if mistakes else loaded


def _consumed(groups: list[Group]) -> Iterator[Group]:
    """The groups, each forgotten when the next is asked for, so that its memory is free again."""
    groups.reverse()
    while groups:
        yield groups.pop()


def _read_in_full(octets: bytes, name: str, source: Source) -> Loaded:
    """Reads all of it with positions: slower, and raises ConfigurationError with everything that is wrong."""
    read = document.read(octets)
    if not isinstance(read.value, dict):
        top = [_no_mapping(read.value, octets)] if read.readable else []
        raise error_of(name, octets, read.mistakes + top)
    loaded, wrong = built(read.value, source)
    already = {mistake.path for mistake in read.mistakes}
    if mistakes := read.mistakes + [mistake for mistake in wrong if mistake.path not in already]:
        raise error_of(name, octets, mistakes)
    return loaded


def schema_mistakes(value: dict[str, Any]) -> list[Mistake]:
    """What the schema says of plain data, each at its path in them; no rule is asked."""
    return validated(value).mistakes


def built(value: dict[str, Any], source: Source | None = None) -> tuple[Loaded, list[Mistake]]:
    """What plain data make, and everything that is wrong with them, each at its path in them.

    What they make is good only when nothing is wrong.
    """
    source = source or Source(Path(), 1, ServerIdentity(), b"", WatchedFiles())
    valid = validated(value)
    broken_rules = Mistakes()
    groups = map(group_of, valid.configuration.groups)
    loaded = build(valid.configuration, groups, source, broken_rules)
    return loaded, [*valid.mistakes, *believable(broken_rules, valid, value)]


def _no_mapping(value: object, octets: bytes) -> Mistake:
    if value is None:
        is_empty = not octets.removeprefix(codecs.BOM_UTF8).strip()
        way_out = "write a configuration; config/vpcdns.yaml is one to start from"
        return Mistake((), "the file is empty" if is_empty else "the file says nothing", way_out)
    kind, sections = "a list" if isinstance(value, list) else "a single value", Configuration.model_fields
    way_out = f"begin with a section: {', '.join(sections)}"
    return Mistake((), f"the top is {kind}, not a mapping", way_out)


def located(text: str | bytes, mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes with the line and the column of each, in the order of the text, which is read once more.

    A path that is not in the text has the place of the nearest node above it that is.
    """
    mistakes = list(mistakes)
    paths = {mistake.path for mistake in mistakes if not mistake.line}
    wanted = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    spots = document.spots(text, wanted) if wanted else {}
    placed = [mistake if mistake.line else _placed(mistake, spots) for mistake in mistakes]
    return sorted(placed, key=lambda mistake: (mistake.file, mistake.line, mistake.column))


def _placed(mistake: Mistake, spots: dict[tuple[DataPath, bool], document.Spot]) -> Mistake:
    path = mistake.path
    candidates = [(path, mistake.at_key), *((path[:depth], False) for depth in range(len(path), 0, -1))]
    line, column = next((spots[one] for one in candidates if one in spots), (1, 1))
    return replace(mistake, line=line, column=column)


def error_of(file: str, text: str | bytes, mistakes: Iterable[Mistake]) -> ConfigurationError:
    """All that is wrong in a file, as people read it."""
    return ConfigurationError(
        Problem(one.file or file, one.line, one.column, dotted(one.path), one.what, one.way_out)
        for one in located(text, mistakes)
    )
