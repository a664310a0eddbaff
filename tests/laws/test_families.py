"""Names of one family are forwarded alike."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.example_world import HZ, SH
from tests.support.world_strategies import ADDRESSES, CUSTOM, GROUPS, LABELS, TYPES, cased, worlds
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question
from vpcdns.model.families import is_apart, parent_of_family
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve
from vpcdns.model.special_use import NAMED
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.wire.buffer import write_name

WORDS = ("com", "net", "alicloudapi", "example", "a", "b", "corp", "vpcdns", "internal", "arpa", "explain")
FIRST = st.one_of(
    LABELS,
    st.sampled_from(
        [b"x-vpc", b"0-vpc", b"-vpc", b"localhost", b"whoami", b"invalid", b"*", b"a", b"c", b"10"]
    ),
    st.sampled_from([word.encode() for word in WORDS]),
    st.sampled_from([f"{group}-{region}-vpc".encode() for group in GROUPS for region in (HZ, SH)]),
)
LABELS_BEFORE = st.lists(FIRST, min_size=1, max_size=3).map(tuple)
# Of names that mean something, what stands behind one of their labels; and names of the same words.
NAMES_OF_OURS = (
    *CUSTOM,
    *NAMED,
    Name.from_text("alicloudapi.com"),
    Name.from_text("explain.vpcdns.internal"),
)
PARENTS = st.one_of(
    st.sampled_from(
        [Name(name.labels[cut:]) for name in NAMES_OF_OURS for cut in range(len(name.labels) + 1)]
    ),
    st.lists(st.sampled_from([*WORDS, "x-vpc"]), max_size=4).map(
        lambda words: Name(tuple(word.encode() for word in words))
    ),
)


@given(
    st.data(),
    worlds(),
    PARENTS,
    LABELS_BEFORE,
    LABELS_BEFORE,
    TYPES,
    st.sampled_from([1, 1, 1, 3]),
    ADDRESSES,
)
def test_a_family_is_forwarded_alike(
    data: st.DataObject,
    world: World,
    parent: Name,
    first: tuple[bytes, ...],
    second: tuple[bytes, ...],
    rtype: int,
    rclass: int,
    address: Address,
) -> None:
    """Invariant: a name is forwarded just where another of its family is."""
    parent = data.draw(cased(parent.labels))
    names = [Name((*labels, *parent.labels)) for labels in (first, second)]
    common = parent_of_family(names[0], world)
    assume(common is not None)
    assert common is not None
    member = names[1].is_at_or_below(common) and len(names[1]) > len(common)
    assume(member and not is_apart(write_name(Name(names[1].labels[: -len(common) or None]))))
    client = identify(address, world)
    one, other = (resolve(Question(name, rtype, rclass), client, world) for name in names)
    if one.outcome is Outcome.FORWARD:
        assert (other.outcome, other.reason, other.upstreams) == (one.outcome, one.reason, one.upstreams)
        assert not one.answers


@example(World(), Name.from_text("explain.vpcdns.internal"), ip_address("10.1.0.5"))
@given(worlds(), st.sampled_from(NAMES_OF_OURS), ADDRESSES)
def test_names_of_ours_belong_to_no_forwarded_family(world: World, name: Name, address: Address) -> None:
    """Or one beside them could be taken for them."""
    if name in CUSTOM and name not in world.custom_domains.values:
        return
    client = identify(address, world)
    for parent in (*name.ancestors(), Name(())):
        below = Name((b"x", *parent.labels))
        family = parent_of_family(below, world)
        if family is not None and name.is_at_or_below(family) and below != name:
            assert resolve(Question(below, 1), client, world).outcome is not Outcome.FORWARD
