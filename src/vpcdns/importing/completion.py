"""What an inventory lacks, filled in so that it makes a configuration; each guess is noted where it was made.

Knows what a configuration needs: what is named must be there, with blocks and regions, and a source network
has one owner. What stands in is the same for the same thing in every inventory that shares the `StandIns`.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.importing.inventory import Identity, Inventory, Item
from vpcdns.importing.regions import settle_regions
from vpcdns.model.topology_rules import block_key, supernets

# Where /24s are taken from, the last first: what people use least. All of it is private space (RFC 1918).
_POOLS: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_SHARED: Final = "api-shared-"  # how ids of serverless instances begin
_SHARED_ADDRESS: Final = "100.100.80.10"


class StandIns:
    """Blocks for what has none, apart from all that inventories have; the same one for the same thing."""

    def __init__(self, *inventories: Inventory) -> None:
        self._taken: set[tuple[int, int]] = set()  # lengths and numbers of blocks up to /24
        self._inside: set[int] = set()  # the /24s that longer ones lie in
        self._given: dict[tuple[str, ...], str] = {}
        self._free = self._blocks()
        for inventory in inventories:
            for block in _all_blocks(inventory.document()):
                self._take(block)

    def block(self, *whose: str) -> str:
        if whose not in self._given:
            self._given[whose] = next(self._free)
        return self._given[whose]

    def _take(self, block: IPv4Network) -> None:
        number = int(block.network_address) >> 8
        if block.prefixlen <= 24:
            self._taken.add((block.prefixlen, number >> (24 - block.prefixlen)))
        else:
            self._inside.add(number)

    def _blocks(self) -> Iterator[str]:
        for is_last_resort in (False, True):
            for pool in _POOLS:
                first = int(pool.network_address) >> 8
                number = first + (1 << 24 - pool.prefixlen) - 1
                while number >= first:
                    length = self._length_around(number, 24 if is_last_resort else 0)
                    if length is None:
                        yield f"{number >> 16}.{number >> 8 & 255}.{number & 255}.0/24"
                        length = 24
                    number = (number >> (24 - length) << (24 - length)) - 1

    def _length_around(self, number: int, shortest: int) -> int | None:
        """The length of the largest taken block around a /24; 24 if a part is taken, None if none is."""
        for length in range(shortest, 25):
            if (length, number >> (24 - length)) in self._taken:
                return length
        return 24 if number in self._inside else None


def complete(*inventories: Inventory) -> None:
    """Makes of inventories of the same things what configurations can be made of."""
    stand_ins = StandIns(*inventories)
    for inventory in inventories:
        _add_named(inventory)
    _share_named(inventories)
    for inventory in inventories:
        settle_regions(inventory)
        _add_instances(inventory)
        for vpc in inventory.items("vpcs"):
            _settle_blocks(vpc, stand_ins)
        for network in inventory.items("networks"):
            if not network.part.get("cidr_blocks"):
                network.part["cidr_blocks"] = [stand_ins.block(str(network.part["network_id"]))]
                network.notes.append("guessed: its cidr_blocks, as nothing tells them")
        _settle_sources(inventory, stand_ins)


def _share_named(inventories: Sequence[Inventory]) -> None:
    """What one of several inventories only names is as another one describes it.

    A VPC that all of them only name exists all the time, with the vSwitches that are named at any time.
    """
    described: dict[Identity, Item] = {}
    named: dict[Identity, list[Item]] = {}
    for inventory in inventories if len(inventories) > 1 else ():
        for identity, item in inventory.sections["vpcs"].items():
            if item.origin:
                described.setdefault(identity, item)
                _share_vswitches(item, described[identity])
                _share_vswitches(described[identity], item)
            else:
                named.setdefault(identity, []).append(item)
    for inventory in inventories:
        for vpc_id in _named_in_settings(inventory):
            if (vpc_id,) in described and inventory.get("vpcs", vpc_id) is None:
                inventory.sections["vpcs"][(vpc_id,)] = deepcopy(described[vpc_id,])
    for identity, items in named.items():
        if identity in described:
            for item in items:
                item.part = {**deepcopy(described[identity].part), **item.part}
                _share_vswitches(item, described[identity])
            continue
        region = {key: one for item in items for key, one in item.part.items() if key == "region_id"}
        vswitches = [one for item in items for one in item.part.get("vswitches", ())]
        alike = list({one["vswitch_id"]: one for one in vswitches}.values())
        for inventory in inventories:
            part = inventory.add("vpcs", {"vpc_id": identity[0], **region}, "").part
            part["vswitches"] = [dict(one) for one in alike]


def _named_in_settings(inventory: Inventory) -> Iterator[str]:
    """The VPCs that listeners and forward rules of an overlay are for, whether they are there yet or not."""
    for entry in inventory.settings.get("server", {}).get("listen", ()):
        if isinstance(entry, dict) and "vpc_id" in entry:
            yield entry["vpc_id"]
    for rule in inventory.settings.get("forward", {}).get("rules", ()):
        yield from rule.get("vpcs") or ()


def _share_vswitches(item: Item, other: Item) -> None:
    """Blocks of vSwitches that an item only names and another one has."""
    blocks = {
        one["vswitch_id"]: one["cidr_block"] for one in other.part.get("vswitches", ()) if "cidr_block" in one
    }
    for one in item.part.get("vswitches", ()):
        if "cidr_block" not in one and one["vswitch_id"] in blocks:
            one["cidr_block"] = blocks[one["vswitch_id"]]


def _add_named(inventory: Inventory) -> None:
    """VPCs and vSwitches that something names and nothing describes."""
    known_vswitches = {
        vpc.part["vpc_id"]: {one.get("vswitch_id") for one in vpc.part.get("vswitches", ())}
        for vpc in inventory.items("vpcs")
    }

    def name(vpc_id: object, by: Item, vswitch_id: object = None) -> None:
        if not isinstance(vpc_id, str) or inventory.get("networks", vpc_id) is not None:
            return
        known = inventory.get("vpcs", vpc_id)
        vpc = known or inventory.add("vpcs", {"vpc_id": vpc_id}, "")
        if known is None:
            vpc.notes.append(f"missing: the VPC itself; {by.origin or 'something'} names it")
        vswitches = known_vswitches.setdefault(vpc_id, set())
        if vswitch_id is not None and vswitch_id not in vswitches:
            vswitches.add(vswitch_id)
            vpc.part.setdefault("vswitches", []).append({"vswitch_id": vswitch_id})

    for item in inventory.items("instances"):
        if isinstance(binding := item.part.get("binding"), dict):
            name(binding.get("vpc_id"), item, binding.get("vswitch_id"))
            if "address" not in binding:
                note = (
                    "missing: its endpoint's address, which DNS in the VPC tells; the lowest free one counts"
                )
                item.notes.append(note)
    for item in inventory.items("private_zones"):
        for vpc_id in item.part.get("vpcs", ()):
            name(vpc_id, item)
    for item in inventory.items("connections"):
        attached = (one for one in item.part.get("attachments", ()) if isinstance(one, str))
        for vpc_id in (item.part.get("vpc_id"), *attached):
            name(vpc_id, item)
    for item in inventory.items("networks"):
        name(item.part.get("resolves_as"), item)
        name((item.part.get("resolves_through") or {}).get("vpc_id"), item)


def _add_instances(inventory: Inventory) -> None:
    """Instances that only their groups name; what their ids tell about them."""
    known = {(item.part["region_id"], item.part["instance_id"]) for item in inventory.items("instances")}
    counted: dict[str, set[str]] = {}
    for region_id, instance_id in known:
        counted.setdefault(instance_id, set()).add(region_id)
    for item in inventory.items("groups"):
        key = item.part["region_id"], item.part["instance_id"]
        if key in known:
            continue
        known.add(key)
        counted.setdefault(key[1], set()).add(key[0])
        part: dict[str, Any] = {"instance_id": key[1], "type": "dedicated", "region_id": key[0]}
        if key[1].startswith(_SHARED):
            inventory.add("instances", part | {"type": "serverless"}, "")
        else:
            note = "missing: the instance itself; groups name it, and where it is bound is not known"
            inventory.add("instances", part, "", note)
    for item in inventory.items("instances"):
        if item.part.get("type") == "serverless" and "addresses" not in item.part:
            item.part["addresses"] = [_SHARED_ADDRESS]
            region = item.part["region_id"]
            item.notes.append(f"guessed: its address; look one of its groups up in a VPC of {region}")
    for item in inventory.items("groups"):
        if len(counted[item.part["instance_id"]]) == 1:
            del item.part["region_id"]


def _settle_blocks(vpc: Item, stand_ins: StandIns) -> None:
    """Blocks for a VPC and its vSwitches: these lie in that."""
    part = vpc.part
    blocks: list[str] = part.get("cidr_blocks", [])
    for vswitch in part.get("vswitches", ()):
        if "cidr_block" not in vswitch:
            block = stand_ins.block(part["vpc_id"], str(vswitch["vswitch_id"]))
            vswitch["cidr_block"] = block
            blocks.append(block)
            vpc.notes.append(f"guessed: the block of {vswitch['vswitch_id']}, {block}, as nothing tells it")
    known = {block_key(one) for one in map(_network, blocks) if one is not None}
    for vswitch in part.get("vswitches", ()):
        inner = _network(vswitch["cidr_block"])
        if inner is not None and known.isdisjoint(supernets(block_key(inner))):
            known.add(block_key(inner))
            blocks.append(str(inner))
            vpc.notes.append(f"guessed: {inner} as a block of the VPC's, as {vswitch['vswitch_id']} has it")
    if not blocks:
        blocks = [stand_ins.block(part["vpc_id"])]
        vpc.notes.append("guessed: its cidr_blocks, as nothing tells them")
    part["cidr_blocks"] = blocks


def _settle_sources(inventory: Inventory, stand_ins: StandIns) -> None:
    """Of two that have the same block, the second gets other source networks: a client is in one of them."""
    claimed: dict[str, str] = {}
    given: list[Item] = []
    for item in (*inventory.items("vpcs"), *inventory.items("networks")):
        whose = str(item.part.get("vpc_id") or item.part.get("network_id"))
        if "source_networks" in item.part:
            claimed.update((str(block), whose) for block in item.part["source_networks"])
        else:
            given.append(item)
    for item in given:
        blocks = item.part["cidr_blocks"]
        whose = str(item.part.get("vpc_id") or item.part.get("network_id"))
        sources = [stand_ins.block(whose, block, "source") if block in claimed else block for block in blocks]
        if sources != blocks:
            clashes = {block: claimed[block] for block in blocks if block in claimed}
            said = ", ".join(f"{block} is {other}'s as well" for block, other in clashes.items())
            item.notes.append(f"guessed: source_networks, as {said}; or give each a listener of its own")
            item.part["source_networks"] = sources
        claimed.update((block, whose) for block in sources)


def _all_blocks(value: Any) -> Iterator[IPv4Network]:
    """Whatever reads as a block anywhere in plain data."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, str) and "/" in one and (block := _network(one)) is not None:
            yield block


def _network(text: object) -> IPv4Network | None:
    try:
        return IPv4Network(text) if isinstance(text, str) else None
    except ValueError:
        return None
