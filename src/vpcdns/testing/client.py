"""A client of one server: asks it, looks into it, changes it, makes it fail.

Knows the admin server's JSON and the DNS port.
"""

import socket
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlencode

from vpcdns.admin_client import call
from vpcdns.model.dns import Question, type_number
from vpcdns.model.names import Name
from vpcdns.model.policy import Upstream
from vpcdns.stub import StubAnswer, ask

FaultKind = Literal["delay", "drop", "servfail", "truncate"]


class Client:
    """One server. `url` is that of its admin server, `dns` its address and port for queries."""

    def __init__(
        self, url: str, dns: tuple[str, int] | None = None, *, token: str | None = None, timeout: float = 5.0
    ) -> None:
        self.url = url.rstrip("/")
        self.dns = dns
        self._token = token
        self._timeout = timeout

    def resolve(self, name: str, from_vpc: str | None = None, rtype: str = "A") -> StubAnswer:
        """Asks over DNS, as somebody in a VPC: its id, or an address, or None for this host itself.

        This host must be one of `server.trusted_peers`, as loopback is.
        """
        if self.dns is None:
            raise ValueError("this client does not know the server's DNS port: Client(url, dns=(host, port))")
        host, port = self.dns
        server = Upstream(ip_address(host if ":" in host else socket.gethostbyname(host)), port)
        question = Question(Name.from_text(name), type_number(rtype))
        client = None if from_vpc is None else ip_address(self.explain(name, from_vpc)["client"]["address"])
        return ask(server, question, client, self._timeout)

    def assert_resolves(self, name: str, from_vpc: str | None = None, to: str | None = None) -> StubAnswer:
        """Fails with the server's explanation unless the name has an address there, and that one if given."""
        answer = self.resolve(name, from_vpc)
        if not answer.addresses or (to is not None and to not in answer.addresses):
            wanted = f" to {to}" if to else ""
            raise AssertionError(f"{name} does not resolve{wanted}{self._why(name, from_vpc, answer)}")
        return answer

    def assert_denied(self, name: str, from_vpc: str | None = None) -> StubAnswer:
        """Fails unless the name has no address there; a server that fails or is silent denies nothing."""
        answer = self.resolve(name, from_vpc)
        if answer.addresses or answer.rcode in (None, "SERVFAIL"):
            raise AssertionError(f"{name} is not denied{self._why(name, from_vpc, answer)}")
        return answer

    def explain(self, name: str, from_vpc: str, rtype: str = "A") -> dict[str, Any]:
        """How a name resolves for somebody in a VPC, or at an address, step by step."""
        return self._json("GET", f"/explain?{urlencode({'name': name, 'from': from_vpc, 'type': rtype})}")

    def _why(self, name: str, from_vpc: str | None, answer: StubAnswer) -> str:
        steps = [] if from_vpc is None else self.explain(name, from_vpc)["steps"]
        return (
            f" from {from_vpc or 'this host'}: got {answer.rcode or answer.error}"
            + (f" {', '.join(answer.records)}" if answer.records else "")
            + (f" ({answer.explanation})" if answer.explanation else "")
            + "".join(f"\n  {step['step']}: {step['detail']}" for step in steps)
        )

    def world(self) -> Any:
        """The current World as a configuration."""
        return self._json("GET", "/test/world")["configuration"]

    def revision(self) -> int:
        return int(self._json("GET", "/test/world")["revision"])

    def change(self, *changes: Mapping[str, Any], revision: int | None = None) -> int:
        """Applies changes, all or none; returns the new revision. With `revision` only if that is current.

        A change is `{"change": "Bind", "instance_key": [region_id, instance_id], …}`.
        """
        headers = {} if revision is None else {"if-match": f'"{revision}"'}
        return int(self._json("POST", "/test/changes", {"changes": list(changes)}, **headers)["revision"])

    def reset(self) -> None:
        """Goes back to what the file says; forgets faults, queries and cached answers."""
        self._json("POST", "/test/reset", {})

    def flush_cache(self, name: str | None = None, *, below: bool = False, vpc_id: str | None = None) -> int:
        """Forgets what upstreams said: of a name, and `below` it, or for a VPC, or all; how many answers."""
        selected = {"name": name, "below": below or None, "vpc_id": vpc_id}
        body = {key: value for key, value in selected.items() if value is not None}
        return int(self._json("POST", "/cache/flush", body)["flushed"])

    def queries(self, name: str | None = None, vpc_id: str | None = None) -> list[dict[str, Any]]:
        """The latest queries and what was decided, the newest first."""
        wanted = {"name": name, "vpc_id": vpc_id}
        parameters = urlencode({key: value for key, value in wanted.items() if value is not None})
        return list(self._json("GET", f"/test/queries?{parameters}")["queries"])

    def clear_queries(self) -> None:
        self._json("DELETE", "/test/queries")

    def add_fault(
        self,
        kind: FaultKind,
        *,
        name: str | None = None,
        vpc_id: str | None = None,
        delay_ms: float | None = None,
        times: int | None = None,
        seconds: float | None = None,
    ) -> int:
        """Makes responses late, lost, failed or truncated; returns the fault's id.

        Applies to a name (`*.example.com` is what lies below) and a VPC, so many times, for so many seconds.
        """
        limits = {"name": name, "vpc_id": vpc_id, "delay_ms": delay_ms, "times": times, "seconds": seconds}
        body = {"kind": kind} | {key: value for key, value in limits.items() if value is not None}
        return int(self._json("POST", "/test/faults", body)["fault_id"])

    def faults(self) -> list[dict[str, Any]]:
        return list(self._json("GET", "/test/faults")["faults"])

    def remove_fault(self, fault_id: int) -> None:
        self._json("DELETE", f"/test/faults/{fault_id}")

    def clear_faults(self) -> None:
        self._json("DELETE", "/test/faults")

    def _json(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        return call(self.url, method, path, body, token=self._token, timeout=self._timeout, headers=headers)
