"""Holds the current World and what belongs to it: one reference, replaced whole.

Everything runs in one event loop, so a query that reads `world` once sees one World throughout.
Synchronous: when a change returns, it is durable (if there is a journal) and queries are answered by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vpcdns.model.changes import Change
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.state.api_attributes import of_objects_in
from vpcdns.state.file_with_changes import joined, same_objects
from vpcdns.state.journal import Commit, Contents, Journal


@dataclass(frozen=True, slots=True)
class Reset:
    """Everything goes back to what the file said."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Upstreams' names have other addresses now. The host's business: no journal has it."""

    addresses: Mapping[str, tuple[Address, ...]]


Step = Commit | Reset | Resolved
Subscriber = Callable[[World, World], None]
Replica = Callable[[Step, World], None]


class State:
    """The current World; subscribers are called with the next one.

    `file` is what the configuration file says, `contents` what holds where that is something else already.
    """

    def __init__(
        self, file: World, *, journal: Journal | None = None, contents: Contents | None = None
    ) -> None:
        self.file = file
        self.contents = contents or Contents(file)
        self.journal = journal or Journal()
        self._subscribers: list[Subscriber] = []
        self._replicas: list[Replica] = []

    @property
    def world(self) -> World:
        return self.contents.world

    def subscribe(self, subscriber: Subscriber) -> None:
        """Calls `subscriber(old, new)` after every replacement, in the order of subscription."""
        self._subscribers.append(subscriber)

    def replicate(self, replica: Replica) -> None:
        """Calls `replica` with every commit and reset, and the World after it, before either returns."""
        self._replicas.append(replica)

    def apply(self, change: Change, who: str = "") -> World | Refusal:
        """Applies one change; the World that holds afterwards, or why nothing changed."""
        return self.commit(Commit((change,), who=who))

    def commit(self, commit: Commit) -> World | Refusal:
        """Applies all of it; the World that holds afterwards, or why nothing changed.

        Raises StateError when the journal cannot be written; then too nothing has changed.
        """
        contents = self.contents.after(commit)
        if isinstance(contents, Refusal):
            return contents
        self.keep(commit, contents)
        return contents.world

    def keep(self, commit: Commit, contents: Contents) -> None:
        """Puts in place what holds after a commit to the present contents. Raises StateError."""
        self.journal.append(commit, contents)
        self._replace(contents)
        self._replicated(commit)

    def reset(self) -> World:
        """Puts back what the file said when it was read; changes made since are gone. Raises StateError."""
        contents = self._only(self.file)
        self.journal.replace(contents, self.file)
        self._replace(contents)
        return self._replicated(Reset())

    def replay(self, step: Step) -> World | Refusal:
        """Repeats what another State has done and stored."""
        if isinstance(step, Resolved):
            return self._resolve(step)
        contents = self.contents.after(step) if isinstance(step, Commit) else self._only(self.file)
        if isinstance(contents, Refusal):
            return contents
        self._replace(contents)
        return contents.world

    def resolve(self, step: Resolved) -> World:
        """Puts other addresses of upstreams in place, in what the file said as well."""
        self._resolve(step)
        return self._replicated(step)

    def _resolve(self, step: Resolved) -> World:
        forwarding = self.world.forwarding.with_addresses(step.addresses)
        self.file = replace(self.file, forwarding=self.file.forwarding.with_addresses(step.addresses))
        self._replace(replace(self.contents, world=self._next(replace(self.world, forwarding=forwarding))))
        return self.world

    def prepare_reset(self) -> None:
        """Prepares what takes long in `reset`. For a thread."""
        self.journal.prepare(self._only(self.file), self.file)

    def with_file(self, file: World) -> Contents:
        """What holds once this is the file; the revision moves up, so that it never goes backwards.

        Its VPCs, instances, groups and zones replace those that changes made, unless they are the same as
        before: then the changes stay, and the rest of the file takes effect around them. Raises
        ConfigurationError when the two do not fit. Changes nothing.
        """
        if not (self.contents.unfiled and same_objects(file, self.file)):
            return self._only(file)
        world = joined(file, self.world)
        return replace(self.contents, world=self._next(world))

    def put(self, contents: Contents, file: World) -> World:
        """Puts in place what `with_file` gave. Cannot fail."""
        self.file = file
        self._replace(contents)
        return contents.world

    def reload(self, file: World) -> World:
        """Puts what the file says now in place. Raises ConfigurationError and StateError."""
        contents = self.with_file(file)
        self.journal.replace(contents, file)
        return self.put(contents, file)

    def _only(self, file: World) -> Contents:
        """What holds when only the file counts."""
        world = self._next(file)
        return Contents(world, of_objects_in(self.contents.attributes, world))

    def _next(self, world: World) -> World:
        return replace(world, revision=max(world.revision, self.world.revision + 1))

    def _replace(self, contents: Contents) -> None:
        old, self.contents = self.world, contents
        if contents.world is not old:
            for subscriber in self._subscribers:
                subscriber(old, contents.world)

    def _replicated(self, step: Step) -> World:
        for replica in self._replicas:
            replica(step, self.world)
        return self.world
