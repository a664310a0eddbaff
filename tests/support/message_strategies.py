"""Random names, queries and responses: good ones, damaged ones, and octets that are neither."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from hypothesis import strategies as st

from tests.support.example_world import CUSTOM, DEDICATED_NAME
from tests.support.messages import query
from tests.support.world_strategies import LABELS, TYPES
from vpcdns.model.names import MAX_NAME

NAME_LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=30).filter(
    lambda labels: sum(len(label) + 1 for label in labels) < MAX_NAME
)


SEEDS = [
    query(name, rtype, subnet=subnet).to_wire()
    for name in (DEDICATED_NAME, CUSTOM, "whoami.vpcdns.internal", f"{CUSTOM}.explain.vpcdns.internal")
    for rtype, subnet in (("A", None), ("TXT", "10.1.0.0/16"))
]


@st.composite
def likely(draw: st.DrawFn) -> bytes:
    """A message made of parts that fit, mostly."""
    counts = draw(st.tuples(*[st.sampled_from([0, 1, 1, 2, 65535])] * 4))
    header = struct.pack("!6H", draw(st.integers(0, 65535)), draw(st.integers(0, 0x7FFF)), *counts)
    if draw(st.booleans()):
        header = header[:2] + b"\1\0\0\1\0\0\0\0" + header[10:]
    labels = draw(st.lists(LABELS | st.just(b"alicloudapi") | st.just(b"com"), max_size=8))
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    question = name + struct.pack("!HH", draw(TYPES), draw(st.sampled_from([1, 1, 3, 255])))
    options = b"".join(
        struct.pack("!HH", code, len(value)) + value
        for code, value in draw(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=24)), max_size=4))
    )
    opt = b"\0\0\x29" + draw(st.binary(min_size=6, max_size=6)) + struct.pack("!H", len(options)) + options
    return header + question + opt + draw(st.binary(max_size=8))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good query with some octets changed, cut out or put in."""
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        octets[start : start + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(octets)


MESSAGES = st.one_of(st.binary(max_size=600), likely(), damaged())


@st.composite
def responses(draw: st.DrawFn, asked: dns.message.Message) -> bytes:
    """A good response, with records, extended errors and chains of CNAMEs, then perhaps damaged."""
    response = dns.message.make_response(asked)
    response.flags |= draw(st.sampled_from([0, int(dns.flags.TC), int(dns.flags.AD)]))
    response.set_rcode(dns.rcode.Rcode(draw(st.sampled_from([0, 0, 2, 3, 5, 16, 23]))))
    owner, question = asked.question[0].name.to_text(), asked.question[0]
    targets = st.sampled_from([DEDICATED_NAME, CUSTOM, "www.example.net", owner, "whoami.vpcdns.internal"])
    for target in draw(st.lists(targets, max_size=3)):
        response.answer.append(dns.rrset.from_text(owner, 2**31 - 1, "IN", "CNAME", f"{target.strip('.')}."))
        owner = f"{target.strip('.')}."
    for number in range(draw(st.integers(0, 40))):
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", "A", f"192.0.2.{number}"))
    assert response.question == [question]
    if draw(st.booleans()):
        code, text = dns.edns.EDECode(draw(st.integers(0, 30))), "t" * draw(st.sampled_from([0, 60, 300]))
        response.use_edns(0, options=[dns.edns.EDEOption(code, text)])
    octets = bytearray(response.to_wire(max_size=65535))
    start = len(asked.question[0].name.to_digestable()) + 16
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(start, len(octets)))
        octets[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(octets)
