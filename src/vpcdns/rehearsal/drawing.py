"""A World's topology as SVG, with the ways that packets take; what broke is red.

Networks stand to the left, connections in the middle, VPCs by region to the right with the instances in them
or beside them. Knows coordinates and nothing else: who reaches whom is in the Paths that it draws.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise
from typing import Final

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Instance
from vpcdns.model.route_tables import Here
from vpcdns.model.routing import Path
from vpcdns.model.topology import CenConnection, Topology, ends_of
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


@dataclass(slots=True)
class Layout:
    """Where everything stands, by id; instances by `instance:REGION/ID`."""

    boxes: dict[str, Box] = field(default_factory=dict)
    regions: dict[str, Box] = field(default_factory=dict)
    height: int = 0


def svg(world: World, paths: Iterable[Path] = ()) -> str:
    """The drawing; `paths` are drawn over it. Of a large World it shows what they concern."""
    paths = list(paths)
    world = _concerned(world, paths)
    layout = _layout(world)
    ways = [_way(path, number, world, layout) for number, path in enumerate(paths)]
    parts = [
        *_regions(layout),
        *_links(world, layout),
        *(line for line, _ in ways),
        *_nodes(world, layout),
        *_instances(world, layout),
        *(end for _, end in ways),
    ]
    width = FAR + CHIP + 30
    return (
        f'<svg viewBox="0 0 {width} {layout.height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(parts)}</svg>"
    )


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


def _layout(world: World) -> Layout:
    layout, topology = Layout(), world.topology
    y = TOP
    for region in sorted({vpc.region_id for vpc in topology.vpcs.values()}):
        start = y
        here = (vpc for vpc in topology.vpcs.values() if vpc.region_id == region)
        vpcs = sorted(here, key=lambda vpc: vpc.vpc_id)
        for vpc in vpcs:
            chips = [
                one for one in world.instances.values() if one.binding and one.binding.vpc_id == vpc.vpc_id
            ]
            height = 52 + 34 * len(chips)
            layout.boxes[vpc.vpc_id] = Box(RIGHT, y, BOX, height)
            for number, one in enumerate(chips):
                layout.boxes[_chip(one)] = Box(RIGHT + 14, y + 46 + 34 * number, CHIP, 28)
            y += height + 24
        beside = [one for one in world.instances.values() if one.region_id == region and not one.binding]
        for number, one in enumerate(beside):
            layout.boxes[_chip(one)] = Box(FAR, start + 6 + 44 * number, CHIP, 36)
        y = max(y, start + 6 + 44 * len(beside) + 10)
        layout.regions[region] = Box(RIGHT - 18, start - 30, FAR + CHIP - RIGHT + 34, y - start + 18)
        y += 40
    tallest = max(y, TOP + ROW * max(len(topology.networks), len(topology.connections), 1))
    for column, width, names in (
        (LEFT, BOX, sorted(topology.networks)),
        (MIDDLE, PILL, sorted(topology.connections)),
    ):
        gap = (tallest - TOP) / max(len(names), 1)
        for number, name in enumerate(names):
            height = 56 if column == LEFT else 40
            layout.boxes[name] = Box(column, int(TOP + gap * (number + 0.5) - height / 2 - 18), width, height)
    layout.height = tallest
    return layout


def _chip(instance: Instance) -> str:
    return f"instance:{instance.region_id}/{instance.instance_id}"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    short = text if len(text) <= 30 else f"{text[:29]}…"
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(short)}<title>{escape(text)}</title></text>'


def _rect(box: Box, kind: str, round_: int = 8) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{round_}" '
        f'class="{kind}"/>'
    )


def _regions(layout: Layout) -> Iterator[str]:
    for region, box in layout.regions.items():
        yield _rect(box, "region", 12)
        yield _text(box.x + 12, box.y + 20, region, "label")


def _links(world: World, layout: Layout) -> Iterator[str]:
    for connection in world.topology.connections.values():
        here = layout.boxes[connection.connection_id]
        for end in ends_of(connection):
            there = layout.boxes.get(end)
            if there is not None:
                yield _curve([_side(there, here), _side(here, there)], "link")
    for instance in world.instances.values():
        for vpc in world.topology.vpcs.values() if instance.addresses else ():
            if vpc.region_id == instance.region_id:
                box, chip = layout.boxes[vpc.vpc_id], layout.boxes[_chip(instance)]
                yield _curve([_side(box, chip), _side(chip, box)], "link soft")


def _nodes(world: World, layout: Layout) -> Iterator[str]:
    for kind, nodes in (("network", world.topology.networks), ("vpc", world.topology.vpcs)):
        for name, node in nodes.items():
            box = layout.boxes[name]
            yield _rect(box, kind)
            yield _text(box.x + 14, box.y + 22, name, "name")
            yield _text(box.x + 14, box.y + 38, ", ".join(map(str, node.cidr_blocks)), "small")
    for name, connection in world.topology.connections.items():
        box = layout.boxes[name]
        yield _rect(box, "connection", 20)
        kind = "CEN" if isinstance(connection, CenConnection) else "IPsec"
        yield f'<g class="centre">{_text(box.middle[0], box.y + 17, name, "name")}'
        yield f"{_text(box.middle[0], box.y + 31, kind, 'small')}</g>"


def _instances(world: World, layout: Layout) -> Iterator[str]:
    for instance in world.instances.values():
        box = layout.boxes.get(_chip(instance))
        if box is None:
            continue
        addresses = instance.all_addresses
        yield _rect(box, "instance" if addresses else "instance unbound", 6)
        yield _text(box.x + 9, box.y + 13, instance.instance_id, "chip")
        yield _text(box.x + 9, box.y + 24, ", ".join(map(str, addresses)) or "not bound", "small")


def _side(box: Box, other: Box) -> tuple[float, float]:
    """The point of `box` that faces `other`."""
    x = box.x + box.width if other.x > box.x else box.x
    return float(x), box.middle[1]


def _way(path: Path, number: int, world: World, layout: Layout) -> tuple[str, str]:
    """The way of one path, and the mark at its end: green where it arrives, red where it broke."""
    boxes = [layout.boxes[stop] for stop in _stops(path, world) if stop in layout.boxes]
    if not boxes:
        return "", ""
    offset = 5 * (number % 5) - 8
    x, y = float(boxes[0].x + boxes[0].width), boxes[0].middle[1] + offset
    points: list[tuple[float, float]] = []
    for one, two in pairwise(boxes):
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
    arrived = bool(path.there) and path.there[-1].via in _HERE
    stops = [stop for hop in path.there for stop in (hop.at, hop.via)] or [_start(path, world)]
    if arrived:
        stops.pop()
        vpc = world.topology.vpcs.get(path.there[-1].at)
        for instance in world.instances.values() if vpc else ():
            if vpc and set(instance.addresses_in(vpc)) & set(path.addresses):
                stops.append(_chip(instance))
                break
    return list(dict.fromkeys(stops))


def _start(path: Path, world: World) -> str:
    client = None if path.resolution is None else path.resolution.client
    if path.source in world.topology.vpcs or path.source in world.topology.networks or client is None:
        return path.source
    return client.network_id or client.vpc_id or path.source


def _curve(points: list[tuple[float, float]], kind: str, inside: str = "") -> str:
    d = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (x2 - x1) / 2
        d += f" C{x1 + half:g} {y1:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{d}" class="{kind}">{inside}</path>'
