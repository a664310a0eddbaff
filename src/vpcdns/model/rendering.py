"""A Resolution as plain data: what `explain --json`, the admin server and the log show of it.

Knows the words of the model only. One place, so that one field never means two things.
"""

from typing import Any

from vpcdns.model.clients import Client
from vpcdns.model.decision import Outcome, Step
from vpcdns.model.dns import ExtendedError, Record, type_text
from vpcdns.model.resolution import Resolution
from vpcdns.model.routing import Path


def resolution_data(resolution: Resolution) -> dict[str, Any]:
    """The whole of a decision. `rcode` is null where nothing is decided here: forwarded or dropped."""
    question = resolution.question
    return {
        "name": str(question.name),
        "type": type_text(question.rtype),
        "client": client_data(resolution.client),
        "outcome": resolution.outcome.value,
        "rcode": resolution.rcode.name if resolution.outcome is Outcome.RESPOND else None,
        "reason": resolution.reason.value,
        "extended_error": error_data(resolution.extended_error),
        "answers": [record_data(record) for record in resolution.answers],
        "upstreams": [str(upstream) for upstream in resolution.upstreams],
        "steps": steps_data(resolution.steps),
    }


def client_data(client: Client) -> dict[str, Any]:
    return {
        "address": str(client.address),
        "vpc_id": client.vpc_id,
        "network_id": client.network_id,
        "matched": client.matched,
    }


def record_data(record: Record) -> dict[str, Any]:
    return {
        "name": str(record.name),
        "type": type_text(record.rtype),
        "ttl": record.ttl,
        "data": record.rdata_text(final_dots=False),
    }


def error_data(error: ExtendedError | None) -> dict[str, Any] | None:
    """An extended error (RFC 8914) by its number."""
    return None if error is None else {"info_code": int(error.info_code), "text": error.text}


def steps_data(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    return [{"step": step.step, "detail": step.detail} for step in steps]


def path_data(path: Path) -> dict[str, Any]:
    """A path as plain data. `rcode` is null where nothing was asked, or where there is no response."""
    resolution = path.resolution
    responds = resolution is not None and resolution.outcome is Outcome.RESPOND
    return {
        "source": path.source,
        "name": path.name,
        "resolution": {
            "rcode": resolution.rcode.name if resolution is not None and responds else None,
            "reason": "address" if resolution is None else resolution.reason.value,
            "addresses": [str(address) for address in path.addresses],
        },
        "verdict": path.verdict.value,
        "hops": [{"at": hop.at, "destination": str(hop.destination), "via": hop.via} for hop in path.hops],
        "problems": [
            {"code": problem.code.value, "detail": problem.detail, "remedy": problem.remedy}
            for problem in path.problems
        ],
    }
