"""A Resolution as plain data: what `explain --json`, the admin server and the log show of it.

Knows the model only. All of them show it with these fields.
"""

from dataclasses import asdict
from typing import Any

from vpcdns.model.decision import Outcome, Step
from vpcdns.model.dns import type_text
from vpcdns.model.resolution import Resolution
from vpcdns.model.routing import Path
from vpcdns.model.way import Hop


def resolution_data(resolution: Resolution) -> dict[str, Any]:
    """The whole of a decision. `rcode` is null where nothing is decided here: forwarded or dropped."""
    question, client, error = resolution.question, resolution.client, resolution.extended_error
    return {
        "name": str(question.name),
        "type": type_text(question.rtype),
        "client": {
            "address": str(client.address),
            "vpc_id": client.vpc_id,
            "network_id": client.network_id,
            "matched": client.matched,
        },
        "outcome": resolution.outcome.value,
        "rcode": resolution.rcode.name if resolution.outcome is Outcome.RESPOND else None,
        "reason": resolution.reason.value,
        "extended_error": None if error is None else {"info_code": int(error.info_code), "text": error.text},
        "answers": [
            {
                "name": str(record.name),
                "type": type_text(record.rtype),
                "ttl": record.ttl,
                "data": record.rdata_text(final_dots=False),
            }
            for record in resolution.answers
        ],
        "upstreams": [str(upstream) for upstream in resolution.upstreams],
        "steps": steps_data(resolution.steps),
    }


def steps_data(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    return [asdict(step) for step in steps]


def path_data(path: Path) -> dict[str, Any]:
    """A path as plain data. `rcode` is null where nothing was asked, or where there is no response.

    `dns` is how queries get to a VPC, null if the source is in one; its `resolver` is null where that is
    taken for granted.
    """
    resolution, dns = path.resolution, path.dns
    responds = resolution is not None and resolution.outcome is Outcome.RESPOND
    return {
        "source": path.source,
        "name": path.name,
        "resolution": {
            "rcode": resolution.rcode.name if resolution is not None and responds else None,
            "reason": resolution.reason.value if resolution else "address" if dns is None else "no-way",
            "addresses": [str(address) for address in path.addresses],
        },
        "verdict": path.verdict.value,
        "dns": None
        if dns is None
        else {
            "vpc_id": dns.vpc_id,
            "resolver": dns.resolver and str(dns.resolver),
            "hops": _hops(*dns.there, *dns.back),
        },
        "hops": _hops(*path.there, *path.back),
        "problems": [asdict(problem) | {"code": problem.code.value} for problem in path.problems],
    }


def _hops(*hops: Hop) -> list[dict[str, str]]:
    return [{"at": hop.at, "destination": str(hop.destination), "via": hop.via} for hop in hops]
