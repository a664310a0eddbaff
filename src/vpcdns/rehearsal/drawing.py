"""A World's topology as SVG, with the ways that packets take; broken ones are red.

Networks stand to the left, connections in the middle, VPCs by region to the right with the instances in them
or beside them. Knows coordinates and nothing else: who reaches whom is in the Paths that it draws.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import islice, pairwise
from typing import Final

from vpcdns.model.connections import CenConnection, ends_of
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Instance
from vpcdns.model.route_entries import Here
from vpcdns.model.routing import Path
from vpcdns.model.topology import Topology
from vpcdns.model.world import World

LEFT, MIDDLE, RIGHT, FAR = 20, 330, 560, 890
BOX, PILL, CHIP = 220, 130, 190  # widths
ROW: Final = 84
TOP: Final = 46
_HERE: Final = frozenset(here.value for here in Here)
MOST: Final = 40  # nodes and instances; more of them no page shows legibly


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


def svg(world: World, paths: Iterable[Path] = ()) -> str:
    """The drawing; `paths` are drawn over it. Of a large World it shows what they concern."""
    paths = list(paths)
    world = _concerned(world, paths)
    boxes, height = _layout(world)
    ways = [_way(path, number, world, boxes) for number, path in enumerate(paths)]
    lines, ends = (line for line, _ in ways), (end for _, end in ways)
    parts = "".join((*_regions(world, boxes), *_links(world, boxes), *lines, *_nodes(world, boxes), *ends))
    size = f"{FAR + CHIP + 30} {height}"
    return f'<svg viewBox="0 0 {size}" role="img" xmlns="http://www.w3.org/2000/svg">{parts}</svg>'


def _concerned(world: World, paths: Sequence[Path]) -> World:
    """The World without the nodes that no path touches, if there are more than fit on a page."""
    topology = world.topology
    if len(topology.vpcs) + len(topology.networks) + len(world.instances) <= MOST:
        return world
    touched = {stop for path in paths for stop in _stops(path, world)}
    used = {address for path in paths for address in path.addresses}
    instances = [one for one in world.instances.values() if used & set(one.all_addresses)]
    touched |= {one.binding.vpc_id for one in instances if one.binding is not None}
    connections = (one for one in topology.connections.values() if one.connection_id in touched)
    kept = Topology.of(
        (vpc for vpc in topology.vpcs.values() if vpc.vpc_id in touched),
        (network for network in topology.networks.values() if network.network_id in touched),
        connections,
    )
    return replace(world, topology=kept, instances=FrozenMap((one.key, one) for one in instances))


def _layout(world: World) -> tuple[dict[str, Box], int]:
    """Where everything stands, by id, `instance:REGION/ID` or `region:REGION`; and the height of it all."""
    boxes: dict[str, Box] = {}
    topology, instances, y = world.topology, world.instances.values(), TOP
    for region in sorted({vpc.region_id for vpc in topology.vpcs.values()}):
        start = y
        for vpc_id in sorted(name for name, vpc in topology.vpcs.items() if vpc.region_id == region):
            chips = [_chip(one) for one in instances if one.binding and one.binding.vpc_id == vpc_id]
            boxes[vpc_id] = Box(RIGHT, y, BOX, 52 + 34 * len(chips))
            boxes |= {chip: Box(RIGHT + 14, y + 46 + 34 * at, CHIP, 28) for at, chip in enumerate(chips)}
            y += 76 + 34 * len(chips)
        beside = [_chip(one) for one in instances if one.region_id == region and not one.binding]
        boxes |= {chip: Box(FAR, start + 6 + 44 * at, CHIP, 36) for at, chip in enumerate(beside)}
        y = max(y, start + 16 + 44 * len(beside))
        width = FAR + CHIP - RIGHT + 34
        boxes[_frame(region)] = Box(RIGHT - 18, start - 30, width, y - start + 18)
        y += 40
    tallest = max(y, TOP + ROW * max(len(topology.networks), len(topology.connections), 1))
    columns = ((LEFT, BOX, 56, topology.networks), (MIDDLE, PILL, 40, topology.connections))
    for column, width, height, names in columns:
        gap = (tallest - TOP) / max(len(names), 1)
        for at, name in enumerate(sorted(names)):
            boxes[name] = Box(column, int(TOP + gap * (at + 0.5) - height / 2 - 18), width, height)
    return boxes, tallest


def _frame(region: str) -> str:
    return f"region:{region}"


def _chip(instance: Instance) -> str:
    return f"instance:{instance.region_id}/{instance.instance_id}"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    short = text if len(text) <= 30 else f"{text[:29]}…"
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(short)}<title>{escape(text)}</title></text>'


def _rect(box: Box, kind: str, round_: int = 8) -> str:
    place = f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
    return f'<rect {place} rx="{round_}" class="{kind}"/>'


def _regions(world: World, boxes: dict[str, Box]) -> Iterator[str]:
    for region in sorted(world.region_ids()):
        if box := boxes.get(_frame(region)):
            yield _rect(box, "region", 12) + _text(box.x + 12, box.y + 20, region, "label")


def _links(world: World, boxes: dict[str, Box]) -> Iterator[str]:
    topology = world.topology
    links = [(end, name, "link") for name, one in topology.connections.items() for end in ends_of(one)]
    for instance in world.instances.values():
        near = (vpc for vpc in topology.vpcs.values() if instance.addresses_in(vpc) and not instance.binding)
        links += ((vpc.vpc_id, _chip(instance), "link soft") for vpc in near)
    for end, other, kind in links:
        if end in boxes:
            yield _curve([_side(boxes[end], boxes[other]), _side(boxes[other], boxes[end])], kind)


def _nodes(world: World, boxes: dict[str, Box]) -> Iterator[str]:
    for kind, nodes in (("network", world.topology.networks), ("vpc", world.topology.vpcs)):
        for name, node in nodes.items():
            box, blocks = boxes[name], ", ".join(map(str, node.cidr_blocks))
            yield _rect(box, kind) + _text(box.x + 14, box.y + 22, name, "name")
            yield _text(box.x + 14, box.y + 38, blocks, "small")
    for name, connection in world.topology.connections.items():
        box, kind = boxes[name], "CEN" if isinstance(connection, CenConnection) else "IPsec"
        yield _rect(box, "connection", 20) + _text(box.middle[0], box.y + 17, name, "name centre")
        yield _text(box.middle[0], box.y + 31, kind, "small centre")
    for instance in world.instances.values():
        if (at := boxes.get(_chip(instance))) is not None:
            addresses = ", ".join(map(str, instance.all_addresses))
            yield _rect(at, "instance" if addresses else "instance unbound", 6)
            yield _text(at.x + 9, at.y + 13, instance.instance_id, "chip")
            yield _text(at.x + 9, at.y + 24, addresses or "not bound", "small")


def _side(box: Box, other: Box) -> tuple[float, float]:
    """The point of `box` that faces `other`."""
    x = box.x + box.width if other.x > box.x else box.x
    return float(x), box.middle[1]


def _way(path: Path, number: int, world: World, boxes: dict[str, Box]) -> tuple[str, str]:
    """The way of one path, and the mark at its end: green where it arrives, red where it broke."""
    stops = [boxes[stop] for stop in _stops(path, world) if stop in boxes]
    if not stops:
        return "", ""
    offset = 5 * (number % 5) - 8
    x, y = float(stops[0].x + stops[0].width), stops[0].middle[1] + offset
    points: list[tuple[float, float]] = []
    for one, two in pairwise(stops):
        inside = one.x < two.x < one.x + one.width  # a chip in its VPC
        ends = [(float(two.x), two.middle[1])] if inside else [_side(one, two), _side(two, one)]
        points += [(x, y + offset) for x, y in ends]
    title = f"<title>{escape(f'{path.source} to {path.name}: {path.verdict.value}')}</title>"
    line = _curve(points, f"way {'good' if path.reachable else 'bad'}", title) if points else ""
    x, y = points[-1] if points else (x, y)
    if path.reachable:
        return line, f'<circle cx="{x:g}" cy="{y:g}" r="5" class="arrived">{title}</circle>'
    return line, (
        f'<g class="broken" transform="translate({x:g} {y:g})">{title}<circle r="8"/>'
        '<path d="M-3.5 -3.5 L3.5 3.5 M-3.5 3.5 L3.5 -3.5"/></g>'
    )


def _stops(path: Path, world: World) -> list[str]:
    """The ids along the way; the last is the instance that was reached, or what refused the packet."""
    client = None if path.resolution is None else path.resolution.client
    start = path.source if client is None else client.network_id or client.vpc_id or path.source
    stops = [stop for hop in path.there for stop in (hop.at, hop.via)] or [start]
    if path.there and path.there[-1].via in _HERE:
        stops.pop()
        vpc, used = world.topology.vpcs.get(path.there[-1].at), set(path.addresses)
        reached = (one for one in world.instances.values() if vpc and used & set(one.addresses_in(vpc)))
        stops += [_chip(one) for one in islice(reached, 1)]
    return list(dict.fromkeys(stops))


def _curve(points: list[tuple[float, float]], kind: str, inside: str = "") -> str:
    d = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (x2 - x1) / 2
        d += f" C{x1 + half:g} {y1:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{d}" class="{kind}">{inside}</path>'
