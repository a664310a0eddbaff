"""Answers to plain queries for VPC domains, each learned from one that was decided.

Knows nothing of who may ask what: that is decided once for each instance, VPC and shape of query. An answer's
octets after the question do not depend on the name, so they are kept once for all groups of an instance
(DESIGN §5). A table holds for one World.
"""

from dataclasses import dataclass, field
from typing import Final

from vpcdns.model.world import World
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.wire.buffer import write_name
from vpcdns.wire.query_parts import around_question, split_off_label

# Shapes of plain queries are few: types times flags times OPT sizes. The bound is against who makes them up.
MAX_SHAPES: Final = 512
_GROUP_ID_SIZE: Final = 32


@dataclass(slots=True)
class Audience:
    """One instance's answers, by viewer, then by the query's shape. Shared by all of its groups.

    An answer is its flags and counts, what follows the question, and its kind.
    """

    name_end: bytes
    tails: dict[object, dict[bytes, tuple[bytes, bytes, AnswerKind]]] = field(default_factory=dict)


class VpcAnswers:
    """The tables of one World; `audience` is made when it is first asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._group = world.groups.finder()
        self._suffix = write_name(world.answers.suffix).lower()
        self._suffix_size = len(self._suffix)
        self._audiences: dict[str, dict[str, Audience]] = {}

    def answer(self, query: bytes, viewer: object) -> tuple[bytes, AnswerKind] | None:
        """The response to `query`, both without their ids, and its kind; None: it must be decided.

        `viewer` stands for whatever of the client and the transport decides the answer.
        """
        found = self._find(query)
        if found is None:
            return None
        audience, question, shape = found
        tail = audience.tails.get(viewer, {}).get(shape)
        return None if tail is None else (tail[0] + question + tail[1], tail[2])

    def learn(self, query: bytes, viewer: object, response: bytes, kind: AnswerKind) -> None:
        """Remembers what was decided; query and response are without their ids.

        The caller vouches that the response depends on nothing but the query, the viewer and the World.
        """
        found = self._find(query)
        if found is None:
            return
        audience, question, shape = found
        around = around_question(response, question)
        if around is None:
            return
        tails = audience.tails.setdefault(viewer, {})
        if len(tails) >= MAX_SHAPES:
            tails.clear()  # learned again in a moment
        tails[shape] = *around, kind

    def _find(self, query: bytes) -> tuple[Audience, bytes, bytes] | None:
        """The audience of the group whose VPC domain is asked for, if it is on; the question; the shape."""
        parts = split_off_label(query, self._suffix_size, _GROUP_ID_SIZE)
        if parts is None:
            return None
        name, question, shape = parts
        group = self._group(name[:_GROUP_ID_SIZE].decode("latin-1"))
        if group is None or not group.vpc_domain:
            return None
        instances = self._audiences.setdefault(group.region_id, {})
        audience = instances.get(group.instance_id)
        if audience is None:
            audience = Audience(f"-{group.region_id}-vpc".encode() + self._suffix)
            instances[group.instance_id] = audience
        if name[_GROUP_ID_SIZE:] != audience.name_end:
            return None
        return audience, question, shape
