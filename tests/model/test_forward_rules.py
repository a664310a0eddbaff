"""Which forward rule holds for a name: found by a table, and for reverse names of private space too."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import IN_A, example
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Forwarding, ForwardRule, Upstream
from vpcdns.model.resolution import resolve

LABELS = st.lists(st.sampled_from([b"a", b"b", b"arpa"]), max_size=4).map(lambda labels: Name(tuple(labels)))
RULES = st.builds(
    ForwardRule,
    LABELS,
    st.just((Upstream(ip_address("192.0.2.1")),)),
    st.frozensets(st.sampled_from(["vpc-a", "vpc-b"])),
)


@given(st.lists(RULES, max_size=8, unique_by=lambda rule: (rule.domain, rule.vpcs)), LABELS)
def test_rules_are_found_by_a_table_as_by_looking_at_each(rules: list[ForwardRule], name: Name) -> None:
    forwarding = Forwarding(rules=tuple(rules))
    for vpc_id in ("vpc-a", "vpc-b", None):
        fitting = (
            rule
            for rule in rules
            if name.is_at_or_below(rule.domain) and (not rule.vpcs or vpc_id in rule.vpcs)
        )
        expected = max(fitting, key=lambda rule: (len(rule.domain), bool(rule.vpcs)), default=None)
        assert forwarding.rule_for(name, vpc_id) == expected
    below = [
        rule.domain for rule in rules if len(rule.domain) > len(name) and rule.domain.is_at_or_below(name)
    ]
    assert (name in forwarding.above) == bool(below)


@pytest.mark.parametrize(
    ("domain", "name", "meant"),
    [
        ("in-addr.arpa", "1.0.0.10.in-addr.arpa", True),
        ("172.in-addr.arpa", "1.0.16.172.in-addr.arpa", True),
        ("ip6.arpa", "1.0.d.f.ip6.arpa", True),
        ("10.in-addr.arpa", "1.0.0.10.in-addr.arpa", True),
        ("0.10.in-addr.arpa", "1.0.0.10.in-addr.arpa", True),
        ("in-addr.arpa", "1.0.64.100.in-addr.arpa", True),
        ("in-addr.arpa", "1.0.0.127.in-addr.arpa", False),  # RFC 6303 §4.2: never anybody else's
        ("arpa", "1.0.0.10.in-addr.arpa", False),
        ("arpa", "home.arpa", False),
    ],
)
def test_a_rule_for_reverse_names_holds_for_private_addresses(domain: str, name: str, meant: bool) -> None:
    """Else it would do nothing for them, without a word."""
    rule = ForwardRule(Name.from_text(domain), (Upstream(ip_address("192.0.2.9")),))
    world = replace(example(), forwarding=Forwarding(rules=(rule,)))
    client = identify(ip_address(IN_A), world)
    found = resolve(Question(Name.from_text(name), RRType.PTR), client, world)
    assert (found.outcome is Outcome.FORWARD) is meant
