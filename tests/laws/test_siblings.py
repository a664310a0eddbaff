"""Names beside each other are forwarded alike, wherever `siblings` says so."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.laws.strategies import ADDRESSES, CUSTOM, GROUPS, LABELS, TYPES, cased, worlds
from tests.worlds import HZ, SH
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve
from vpcdns.model.siblings import are_alike
from vpcdns.model.special_use import NAMED
from vpcdns.model.topology import Address
from vpcdns.model.world import World

WORDS = ("com", "net", "alicloudapi", "example", "a", "b", "corp", "vpcdns", "internal", "arpa", "explain")
FIRST = st.one_of(
    LABELS,
    st.sampled_from(
        [b"x-vpc", b"0-vpc", b"-vpc", b"localhost", b"whoami", b"invalid", b"*", b"a", b"c", b"10"]
    ),
    st.sampled_from([word.encode() for word in WORDS]),
    st.sampled_from([f"{group}-{region}-vpc".encode() for group in GROUPS for region in (HZ, SH)]),
)
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


@given(st.data(), worlds(), PARENTS, FIRST, FIRST, TYPES, st.sampled_from([1, 1, 1, 3]), ADDRESSES)
def test_siblings_are_forwarded_alike(
    data: st.DataObject,
    world: World,
    parent: Name,
    first: bytes,
    second: bytes,
    rtype: int,
    rclass: int,
    address: Address,
) -> None:
    """Invariant: where siblings are alike, a name is forwarded just where the one beside it is."""
    parent = data.draw(cased(parent.labels))
    assume(are_alike(parent, world))
    names = [Name((label, *parent.labels)) for label in (first, second)]
    client = identify(address, world)
    one, other = (resolve(Question(name, rtype, rclass), client, world) for name in names)
    if one.outcome is Outcome.FORWARD:
        assert (other.outcome, other.reason, other.upstreams) == (one.outcome, one.reason, one.upstreams)
        assert not one.answers


@given(worlds(), st.sampled_from(NAMES_OF_OURS))
def test_a_name_of_ours_is_like_no_sibling(world: World, name: Name) -> None:
    """So no route that is learned beside it could be taken for it."""
    ours = name in world.custom_domains.owners or name not in CUSTOM
    assert not (name.labels and ours and are_alike(name.parent(), world))
