"""A World's configuration as JSON, in pieces: nobody who writes it holds up others for long."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from vpcdns.config.write import in_order, written, written_group
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.world import World

_AT_ONCE: Final = 100  # objects in a piece, which take about a millisecond


def written_json(world: World) -> Iterator[str]:
    """`written` as JSON, in pieces of some kilobytes; sorts at once what must be sorted."""
    counts, groups = Counter(instance_id for _, instance_id in world.instances), in_order(world.groups)
    return _pieces(written(replace(world, groups=FrozenMap())), groups, counts)


def _pieces(rest: dict[str, Any], groups: list[Group], counts: Counter[str]) -> Iterator[str]:
    separator = "{"
    for name, section in rest.items():
        parts = [json_text(section)] if isinstance(section, dict) else _list_pieces(map(json_text, section))
        yield f'{separator}"{name}":'
        yield from parts
        separator = ","
    if groups:
        yield f'{separator}"groups":'
        yield from _list_pieces(json_text(written_group(one, counts[one.instance_id] > 1)) for one in groups)
    yield "}" if rest or groups else "{}"


def _list_pieces(texts: Iterable[str]) -> Iterator[str]:
    texts, separator = iter(texts), "["
    while batch := list(islice(texts, _AT_ONCE)):
        yield separator + ",".join(batch)
        separator = ","
    yield "]"


def json_text(value: Any) -> str:
    """As short as it can be."""
    return json.dumps(value, separators=(",", ":"))
