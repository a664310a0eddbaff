"""The rules on networks: on VPCs, on-premises networks and connections, each by itself and together.

As in `gateway_rules`, each function yields a Refusal for every way in which an object breaks one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Final

from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.rules import Refusal, Rule, duplicate
from vpcdns.model.topology import Prefix, Vpc, VSwitch

_Block = tuple[int, int]  # prefix length, network address
_BLOCKS_NAMED: Final = 3  # in a message


def vpc_refusals(vpc: Vpc) -> Iterator[Refusal]:
    """What is wrong with a VPC in itself."""
    subject = f"VPC {vpc.vpc_id}"
    for index, clash in enumerate(first_overlaps(vpc.cidr_blocks)):
        block, where = vpc.cidr_blocks[index], ("cidr_blocks", index)
        if block.overlaps(SHARED_SPACE):
            problem = f"{block} overlaps {SHARED_SPACE}, the cloud's own services"
            yield Refusal(Rule.ADDRESS_PLAN, subject, problem, "take private space, e.g. 10.0.0.0/8", where)
        if clash is not None:
            problem = f"{block} overlaps its own {vpc.cidr_blocks[clash]}"
            yield Refusal(Rule.ADDRESS_PLAN, subject, problem, "make the VPC's blocks disjoint", where)
    seen: set[str] = set()
    blocks = frozenset(map(block_key, vpc.cidr_blocks))
    for index, clash in enumerate(first_overlaps([vswitch.cidr_block for vswitch in vpc.vswitches])):
        vswitch = vpc.vswitches[index]
        yield from _place_refusals(vpc, vswitch, index, blocks)
        if vswitch.vswitch_id in seen:
            yield duplicate(f"vSwitch {vswitch.vswitch_id}", ("vswitches", index, "vswitch_id"))
        seen.add(vswitch.vswitch_id)
        if clash is not None:
            yield _overlap(subject, vswitch, vpc.vswitches[clash], index)


def new_vswitch_refusals(vpc: Vpc, vswitch: VSwitch) -> Iterator[Refusal]:
    """The rules that one more vSwitch would break in a VPC that keeps them."""
    index, block = len(vpc.vswitches), vswitch.cidr_block
    yield from _place_refusals(vpc, vswitch, index, frozenset(map(block_key, vpc.cidr_blocks)))
    start, mask = int(block.network_address), int(block.netmask)
    for other in vpc.vswitches:
        if other.vswitch_id == vswitch.vswitch_id:
            yield duplicate(f"vSwitch {vswitch.vswitch_id}", ("vswitches", index, "vswitch_id"))
        theirs = other.cidr_block
        # Seven times as fast as `overlaps`: one call may make a thousand of them.
        if not (int(theirs.network_address) ^ start) & mask & int(theirs.netmask):
            yield _overlap(f"VPC {vpc.vpc_id}", vswitch, other, index)


def _place_refusals(vpc: Vpc, vswitch: VSwitch, index: int, blocks: frozenset[_Block]) -> Iterator[Refusal]:
    """Whether a vSwitch lies inside one of its VPC's blocks."""
    if not any(above in blocks for above in supernets(block_key(vswitch.cidr_block))):
        first = ", ".join(map(str, vpc.cidr_blocks[:_BLOCKS_NAMED]))
        more = ", …" if len(vpc.cidr_blocks) > _BLOCKS_NAMED else ""
        problem = f"vSwitch {vswitch.vswitch_id} has {vswitch.cidr_block}, outside the VPC's {first}{more}"
        subject, where = f"VPC {vpc.vpc_id}", ("vswitches", index, "cidr_block")
        yield Refusal(Rule.ADDRESS_PLAN, subject, problem, "give it a block inside the VPC's", where)


def _overlap(subject: str, vswitch: VSwitch, other: VSwitch, index: int) -> Refusal:
    clash = f"overlaps {other.vswitch_id} ({other.cidr_block})"
    problem = f"vSwitch {vswitch.vswitch_id} ({vswitch.cidr_block}) {clash}"
    way_out, where = "make the vSwitches' blocks disjoint", ("vswitches", index, "cidr_block")
    return Refusal(Rule.ADDRESS_PLAN, subject, problem, way_out, where)


def first_overlaps(blocks: Sequence[IPv4Network]) -> Iterator[int | None]:
    """For each block the first earlier one that overlaps it, by its place. Linear in the number of blocks.

    Of two blocks that overlap, one holds the other: an earlier block is either one of the at most 33 blocks
    around this one, or inside it.
    """
    at: dict[_Block, int] = {}  # the first block that is exactly this
    inside: dict[_Block, int] = {}  # the first block at or inside this
    for index, block in enumerate(map(block_key, blocks)):
        around = tuple(supernets(block))
        earlier = [at[above] for above in around if above in at]
        if block in inside:
            earlier.append(inside[block])
        yield min(earlier, default=None)
        at.setdefault(block, index)
        for above in around:
            inside.setdefault(above, index)


def block_key(network: IPv4Network) -> _Block:
    return network.prefixlen, int(network.network_address)


def supernets(block: _Block) -> Iterator[_Block]:
    """The block and all around it, as large as may be."""
    length, number = block
    for shorter in range(length, -1, -1):
        yield shorter, number >> (32 - shorter) << (32 - shorter)


def source_network_refusals(
    subject: str, prefixes: Iterable[Prefix], claimed: Mapping[Prefix, str], field: str
) -> Iterator[Refusal]:
    """Source networks that somebody else has: `claimed` says who. Nested prefixes are fine."""
    for index, prefix in enumerate(prefixes):
        owner = claimed.get(prefix)
        if owner is not None and owner != subject:
            problem = f"{prefix} is already a source network of {owner}"
            listener = "a listener of its own (`server.listen: [{address: …, vpc_id: …}]`)"
            way_out = f"give one of them other `source_networks` to stand in for it, or {listener}"
            yield Refusal(Rule.SOURCE_NETWORK, subject, problem, way_out, (field, index))
