from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.world_strategies import (
    ADDRESSES,
    CUSTOM,
    LABELS,
    TYPES,
    VPCS,
    cased,
    private_names,
    worlds,
)
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome, Reason
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World

LISTENERS = st.sampled_from([None, *VPCS, "vpc-gone"])
TRANSFERS = (RRType.AXFR, RRType.IXFR)


def is_the_parents(name: Name, rtype: int, world: World) -> bool:
    """DS of a zone that begins here (RFC 4035 §3.1.4.1), which alone is forwarded."""
    return rtype == RRType.DS and name in (world.answers.suffix, VPCDNS_INTERNAL)


@given(st.data(), worlds(), ADDRESSES, LISTENERS, TYPES)
def test_a_private_name_is_never_forwarded(
    data: st.DataObject, world: World, address: Address, listener: str | None, rtype: int
) -> None:
    """Whatever the world, its forwarding rules, the client, the type and the case."""
    client = identify(address, world, listener_vpc_id=listener)
    name = data.draw(private_names(world))
    found = resolve(Question(name, rtype), client, world)
    if is_the_parents(name, rtype, world):
        return
    assert found.outcome is not Outcome.FORWARD
    assert not found.upstreams


@given(st.data(), worlds(), ADDRESSES, TYPES)
def test_the_rcode_of_a_private_name_does_not_depend_on_the_type(
    data: st.DataObject, world: World, address: Address, rtype: int
) -> None:
    """A type that we lack is NODATA where another exists.

    Transfers, which are always refused, are left out, and so is what the parent is asked for.
    """
    name, client = data.draw(private_names(world)), identify(address, world)
    found, plain = (resolve(Question(name, asked), client, world) for asked in (rtype, RRType.A))
    if rtype not in TRANSFERS and not is_the_parents(name, rtype, world):
        assert (found.rcode, found.outcome, found.reason) == (plain.rcode, plain.outcome, plain.reason)


@given(st.data(), worlds(), ADDRESSES, TYPES)
def test_the_rcode_of_a_custom_domain_does_not_depend_on_the_type(
    data: st.DataObject, world: World, address: Address, rtype: int
) -> None:
    """As above; CNAME and ANY, which ask for the alias itself (RFC 1034 §3.6.2), are left out too."""
    name = data.draw(cased(data.draw(st.sampled_from(CUSTOM)).labels))
    client = identify(address, world)
    found, plain = (resolve(Question(name, asked), client, world) for asked in (rtype, RRType.A))
    if rtype not in (*TRANSFERS, RRType.CNAME, RRType.ANY):
        assert (found.rcode, found.outcome, found.reason) == (plain.rcode, plain.outcome, plain.reason)


NAMES = st.lists(
    st.one_of(
        LABELS,
        st.sampled_from([b"com", b"alicloudapi", b"x-vpc", b"vpcdns", b"internal", b"explain", b"whoami"]),
        st.sampled_from([b"localhost", b"arpa", b"in-addr", b"10", b"home", b"example", b"*", b"a"]),
    ),
    max_size=8,
).map(lambda labels: Name(tuple(labels)))


@given(worlds(), NAMES, TYPES, st.sampled_from([1, 1, 1, 3, 4, 255, 0]), ADDRESSES, LISTENERS)
def test_resolve_is_total_and_deterministic(
    world: World, name: Name, rtype: int, rclass: int, address: Address, listener: str | None
) -> None:
    """Any question from anybody gets one Resolution, the same each time, that does not contradict itself."""
    client = identify(address, world, listener_vpc_id=listener)
    question = Question(name, rtype, rclass)
    found = resolve(question, client, world)
    assert found == resolve(question, client, world)
    assert found.steps
    assert isinstance(found.reason, Reason)
    assert (found.outcome is Outcome.FORWARD) == (found.reason is Reason.FORWARDED)
    assert bool(found.upstreams) == (found.outcome is Outcome.FORWARD)
    if found.soa is not None:
        assert found.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN)
        assert found.target.is_at_or_below(found.soa.name)
    if found.rcode is Rcode.NXDOMAIN:
        assert found.soa is not None
    for before, after in zip(found.answers, found.answers[1:], strict=False):
        assert after.name in (before.name, before.rdata)
    if found.answers:
        assert found.answers[0].name == name
