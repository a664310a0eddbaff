"""What stands in a state file: entries of the journal and snapshots, sealed so that damage shows.

Knows JSON and digests, not SQLite. Each entry's seal covers what it says and the seal before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from vpcdns.config import json_text, loads, written_json, written_objects
from vpcdns.errors import ConfigurationError, MalformedChange, StateError
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.rules import Refusal
from vpcdns.model.world import World
from vpcdns.state.change_json import decode_change, encode_change
from vpcdns.state.journal import Commit, Contents


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the journal. `at` is in Unix seconds, `revision` the World's afterwards.

    `text` is JSON: changes and attributes. A `kind` of `file` puts a snapshot in place instead.
    """

    number: int
    at: float
    who: str
    kind: str
    revision: int
    text: str
    seal: str

    def expected_seal(self, before: str) -> str:
        said = [before, self.number, self.at, self.who, self.kind, self.revision, self.text]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def sealed(self, before: str) -> Entry:
        return replace(self, seal=self.expected_seal(before))

    def snapshot_seal(self, text: str) -> str:
        """Of the snapshot `text` that was made after this entry."""
        return Entry(self.number, 0.0, "", "snapshot", self.revision, text, "").expected_seal(self.seal)


NO_ENTRY: Final = Entry(0, 0.0, "", "", 0, "", seal="")  # before the first one


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a state file holds. `objects` is the digest of the configuration file's own VPCs and so on."""

    contents: Contents
    objects: str


def commit_text(commit: Commit) -> str:
    """A commit as the journal has it."""
    body: dict[str, Any] = {"changes": [encode_change(change) for change in commit.changes]}
    if commit.attributes:
        body["records"] = dict(commit.attributes)
    return json_text(body)


def replayed(entry: Entry, contents: Contents) -> Contents:
    """What holds after an entry; raises StateError when it cannot have been so."""
    try:
        body = json.loads(entry.text)
        commit = Commit(tuple(map(decode_change, body["changes"])), body.get("records", {}), entry.who)
    except (ValueError, KeyError, TypeError, MalformedChange) as error:
        raise StateError(f"entry {entry.number} of the journal cannot be read: {error}") from error
    after = contents.after(commit)
    if isinstance(after, Refusal):
        raise StateError(f"entry {entry.number} of the journal breaks a rule: {after}")
    if after.world.revision != entry.revision:
        raise StateError(f"entry {entry.number} of the journal does not follow the one before it")
    return after


def snapshot_text(snapshot: Snapshot, configuration: str | None = None) -> str:
    """As JSON; `configuration` is that of its World, if it was written down before."""
    contents = snapshot.contents
    body = {
        "revision": str(contents.world.revision),
        "configuration": configuration_text(contents.world) if configuration is None else configuration,
        "records": json_text(dict(contents.attributes)),
        "unfiled": str(contents.unfiled),
        "objects": json_text(snapshot.objects),
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in body.items()) + "}"


def configuration_text(world: World) -> str:
    """The configuration of `world` as JSON. Written part by part: so a thread that does it stops no other."""
    return "".join(written_json(world))


def parse_snapshot(text: str) -> Snapshot:
    """What a snapshot holds; raises StateError when it cannot be read."""
    try:
        body: Mapping[str, Any] = json.loads(text)
        configuration = json.dumps(body["configuration"])
        world = loads(configuration, "the snapshot", revision=body["revision"]).world
        return Snapshot(Contents(world, FrozenMap(body["records"]), body["unfiled"]), body["objects"])
    except (ValueError, KeyError, TypeError, ConfigurationError) as error:
        raise StateError(f"the snapshot cannot be read: {error}") from error


def objects_digest(world: World) -> str:
    """Tells whether two files have the same VPCs, instances, groups and private zones, in whatever order."""
    digest = hashlib.sha256()
    for section in written_objects(world).values():
        for one in sorted(json.dumps(part, sort_keys=True) for part in section):
            digest.update(one.encode())
        digest.update(b"\0")
    return digest.hexdigest()
