"""A client of one server: asks it, looks into it, changes it, makes it fail.

Knows the admin server's JSON and the DNS port. Uses the standard library, and no proxy of the environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from vpcdns.testing.dns import Answer, ask

FaultKind = Literal["delay", "drop", "servfail", "truncate"]


class Problem(Exception):
    """The server refuses, or is not there. `status` is HTTP's, 0 without an answer; `code` the server's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.status = status
        self.code = code


class Client:
    """One server. `url` is that of its admin server, `dns` its address and port for queries."""

    def __init__(
        self, url: str, dns: tuple[str, int] | None = None, *, token: str | None = None, timeout: float = 5.0
    ) -> None:
        self.url = url.rstrip("/")
        self.dns = dns
        self._token = token
        self._timeout = timeout

    # What names come to

    def resolve(self, name: str, from_vpc: str | None = None, rtype: str = "A") -> Answer:
        """Asks over DNS, as somebody in a VPC: its id, or an address, or None for this host itself.

        This host must be one of `server.trusted_peers`, as loopback is.
        """
        if self.dns is None:
            raise ValueError("this client does not know the server's DNS port: Client(url, dns=(host, port))")
        client = None if from_vpc is None else self._address(name, from_vpc)
        return ask(self.dns, name, rtype, client, self._timeout)

    def assert_resolves(self, name: str, from_vpc: str | None = None, to: str | None = None) -> Answer:
        """Fails with the server's explanation unless the name has an address there, and that one if given."""
        answer = self.resolve(name, from_vpc)
        if not answer.addresses or (to is not None and to not in answer.addresses):
            wanted = f" to {to}" if to else ""
            raise AssertionError(f"{name} does not resolve{wanted}{self._why(name, from_vpc, answer)}")
        return answer

    def assert_denied(self, name: str, from_vpc: str | None = None) -> Answer:
        """Fails unless the name has no address there; a server that fails or is silent denies nothing."""
        answer = self.resolve(name, from_vpc)
        if answer.addresses or answer.rcode in (None, "SERVFAIL"):
            raise AssertionError(f"{name} is not denied{self._why(name, from_vpc, answer)}")
        return answer

    def explain(self, name: str, from_vpc: str, rtype: str = "A") -> dict[str, Any]:
        """How a name resolves for somebody in a VPC, or at an address, step by step."""
        return self._json("GET", f"/explain?{urlencode({'name': name, 'from': from_vpc, 'type': rtype})}")

    def _address(self, name: str, from_vpc: str) -> str:
        address: str = self.explain(name, from_vpc)["client"]["address"]
        return address

    def _why(self, name: str, from_vpc: str | None, answer: Answer) -> str:
        got = f" from {from_vpc or 'this host'}: got {answer.rcode or 'no response'}"
        records = f" {', '.join(answer.records)}" if answer.records else ""
        steps = (
            ""
            if from_vpc is None
            else "".join(
                f"\n  {step['step']}: {step['detail']}" for step in self.explain(name, from_vpc)["steps"]
            )
        )
        return f"{got}{records}{f' ({answer.explanation})' if answer.explanation else ''}{steps}"

    # What is configured

    def world(self) -> dict[str, Any]:
        """The current World as a configuration."""
        configuration: dict[str, Any] = self._json("GET", "/test/world")["configuration"]
        return configuration

    def revision(self) -> int:
        revision: int = self._json("GET", "/test/world")["revision"]
        return revision

    def change(self, *changes: Mapping[str, Any], revision: int | None = None) -> int:
        """Applies changes, all or none; the new revision. With `revision` only if that is current.

        A change is `{"change": "Bind", "instance_key": [region_id, instance_id], …}`.
        """
        headers = {} if revision is None else {"if-match": f'"{revision}"'}
        body = self._json("POST", "/test/changes", {"changes": list(changes)}, headers)
        done: int = body["revision"]
        return done

    def reset(self) -> None:
        """What the file says again; no faults, no queries."""
        self._json("POST", "/test/reset", {})

    # What was asked

    def queries(self, name: str | None = None, vpc_id: str | None = None) -> list[dict[str, Any]]:
        """The latest queries and what was decided, the newest first."""
        asked = {"name": name, "vpc_id": vpc_id}
        found = urlencode({key: value for key, value in asked.items() if value is not None})
        queries: list[dict[str, Any]] = self._json("GET", f"/test/queries?{found}")["queries"]
        return queries

    def clear_queries(self) -> None:
        self._json("DELETE", "/test/queries")

    # What goes wrong

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
        """Makes answers late, lost, failed or cut; returns the fault's id.

        For a name (`*.example.com` is what lies below) and a VPC, so many times, for so many seconds.
        """
        given = {
            "kind": kind,
            "name": name,
            "vpc_id": vpc_id,
            "delay_ms": delay_ms,
            "times": times,
            "seconds": seconds,
        }
        body = {key: value for key, value in given.items() if value is not None}
        fault_id: int = self._json("POST", "/test/faults", body)["fault_id"]
        return fault_id

    def faults(self) -> Sequence[dict[str, Any]]:
        faults: list[dict[str, Any]] = self._json("GET", "/test/faults")["faults"]
        return faults

    def remove_fault(self, fault_id: int) -> None:
        self._json("DELETE", f"/test/faults/{quote(str(fault_id))}")

    def clear_faults(self) -> None:
        self._json("DELETE", "/test/faults")

    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        sent = {"accept": "application/json", **(headers or {})}
        if self._token is not None:
            sent["authorization"] = f"Bearer {self._token}"
        if body is not None:
            sent["content-type"] = "application/json"
        split = urlsplit(self.url)
        connection = HTTPConnection(split.hostname or "127.0.0.1", split.port, timeout=self._timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            status, octets = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise Problem(0, "", f"{self.url} does not answer: {error}") from error
        finally:
            connection.close()
        return _read(status, octets)


def _read(status: int, octets: bytes) -> dict[str, Any]:
    try:
        body = json.loads(octets)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Problem(status, "", f"HTTP {status} without JSON")
    if status >= 400:
        error = body.get("error", {})
        raise Problem(status, error.get("code", ""), error.get("message", f"HTTP {status}"))
    return body
