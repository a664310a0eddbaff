"""Which cached responses an operator wants to be rid of.

Knows names and VPCs; a cached response belongs to no VPC, so those of a VPC are the ones that its clients
would get.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.names import Name
from vpcdns.model.world import World
from vpcdns.query import ForwardKey, parts_of_key, whom_text
from vpcdns.wire.buffer import write_name
from vpcdns.wire.upstream import Relayed


@dataclass(frozen=True, slots=True)
class CacheSelection:
    """Responses about a name, and with `below` about all names below it; those for a VPC; else all."""

    name: Name | None = None
    below: bool = False
    vpc_id: str | None = None

    def __str__(self) -> str:
        """Behind "answers": ` about a name, and all below it, for a VPC`."""
        name = "" if self.name is None else f" about {self.name}{' and all below it' if self.below else ''}"
        return name + ("" if self.vpc_id is None else f" for {self.vpc_id}")

    def in_world(self, world: World) -> Callable[[ForwardKey, Relayed], bool]:
        """Whether a response is one of them."""
        name, below, vpc_id, forwarding = self.name, self.below, self.vpc_id, world.forwarding
        wire = b"" if name is None else write_name(name).lower()

        def is_meant(one: Name) -> bool:
            return one == name or (below and name is not None and one.is_at_or_below(name))

        def selected(key: ForwardKey, relayed: Relayed) -> bool:
            about = name is None or (wire in key and is_meant(parts_of_key(key)[0]))
            if not (about or any(map(is_meant, _aliased(relayed)))):
                return False
            if vpc_id is None:
                return True
            asked, whom = parts_of_key(key)
            return whom_text(*forwarding.by(forwarding.rule_for(asked, vpc_id))) == whom

        return selected


def _aliased(relayed: Relayed) -> Iterator[Name]:
    """The names behind an alias, whose records the response has as well."""
    answers = [] if relayed.plain else [record for record in relayed.records if record.section == 0]
    with suppress(MalformedMessage, MalformedName):  # such a response is given to nobody
        for record in answers:
            yield relayed.name(record.name_at)
