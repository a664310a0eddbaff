"""RFC 8906 §8, its tests asked with dig of a served configuration, over UDP and TCP.

The numbers are the RFC's; the arguments are its own, but for the source address of §8.2.7, whose name not
everybody may resolve.
"""

from __future__ import annotations

import pytest

from tests.conformance.dig import Dug, dig, needs_dig
from tests.conformance.names import SUFFIX
from tests.support.rfc8906 import ROWS, Row

pytestmark = needs_dig


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])  # §8.1.5 is §8.1.1 over TCP
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.section)
def test_rfc_8906(port: int, row: Row, transport: str) -> None:
    if transport == "+tcp" and "tc" in row.flags:
        found = dig(port, transport, *row.arguments.split(), source=row.source)
        assert (found.counts[1], "tc" in found.flags) == (60, False)
        return
    found = dig(port, transport, *row.arguments.split(), source=row.source)
    assert (found.opcode, found.status, found.flags) == (row.opcode, row.status, frozenset(row.flags.split()))
    assert found.edns == (0 if row.edns else None)
    assert found.edns_flags == frozenset(["do"] if row.do else [])
    assert not found.mbz, "a bit that must be zero was copied"
    assert "OPT=100" not in found.text, "an unknown option was echoed"
    _judge_answer(found, row)


def _judge_answer(found: Dug, row: Row) -> None:
    answers = found.records("ANSWER")
    match row.answer:
        case "soa":
            (soa,) = answers
            assert (soa[0], soa[3]) == (f"{SUFFIX}.", "SOA")
        case "none":
            assert answers == []
        case "some":
            assert 20 < len(answers) < 60, "as many records as fit"
    if row.opcode != "QUERY":
        assert found.counts == (0, 0, 0, 0)
    else:
        assert found.counts[0] == 1
