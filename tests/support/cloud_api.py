"""The cloud's API: requests signed in both ways, the API over a World without sockets, and a server of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.example_world import example
from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.openapi.request import ApiRequest, ApiResponse
from vpcdns.control.openapi.signature import claim
from vpcdns.model.world import World
from vpcdns.state import State
from vpcdns.testing import Server

KEY_ID, SECRET = "testAK", "testSK"
NOW = 1_795_345_263.0  # 2026-11-22T11:01:03Z
CLOUDAPI, VPC, PVTZ = "2016-07-14", "2016-04-28", "2018-01-01"
SENT_AT = "2026-11-22T11:01:03Z"

_numbers = count(1)


def v2(
    parameters: dict[str, str], *, secret: str = SECRET, form: bool = False, method: str = "POST", **over: str
) -> ApiRequest:
    """A request of the classic kind: everything in the query, or in a form body."""
    signed = {
        "AccessKeyId": KEY_ID,
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureType": "",
        "SignatureVersion": "1.0",
        "SignatureNonce": f"nonce-{next(_numbers)}",
        "Timestamp": SENT_AT,
        "Version": CLOUDAPI,
        **parameters,
        **over,
    }

    def made(pairs: dict[str, str]) -> ApiRequest:
        text = urlencode(pairs)
        headers = {"host": "127.0.0.1:5380"}
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
            return ApiRequest("POST", "/", "", headers, text.encode())
        return ApiRequest(method, "/", text, headers)

    unsigned = claim(made({**signed, "Signature": "-"}))
    return made({**signed, "Signature": unsigned.signed_by(secret)})


def v3(action: str, query: dict[str, str], *, secret: str = SECRET, **over: str) -> ApiRequest:
    """A request of the new SDKs: action and version in headers."""
    headers = {
        "host": "127.0.0.1:5380",
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": SENT_AT,
        "x-acs-signature-nonce": f"nonce-{next(_numbers)}",
        "x-acs-version": CLOUDAPI,
        **{name.replace("_", "-"): value for name, value in over.items()},
    }
    names = ";".join(sorted(headers))

    def made(signature: str) -> ApiRequest:
        authorization = f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={names},Signature={signature}"
        return ApiRequest("POST", "/", urlencode(query), {**headers, "authorization": authorization})

    unsigned = claim(made("-"))
    return made(unsigned.signed_by(secret))


@dataclass
class Cloud:
    """The API over a world, asked without a socket."""

    world: World = field(default_factory=example)
    keys: AccessKeys = field(default_factory=lambda: AccessKeys({KEY_ID: SECRET}))
    region_id: str | None = "cn-hangzhou"
    open_without_keys: bool = False
    now: float = NOW

    def __post_init__(self) -> None:
        self.state = State(self.world)
        self.api = OpenApi(
            self.state,
            self.keys,
            region_id=self.region_id,
            open_without_keys=self.open_without_keys,
            now=lambda: self.now,
            monotonic=lambda: self.now,
        )

    def ask(self, action: str, version: str = CLOUDAPI, **parameters: str) -> ApiResponse:
        named = {name.replace("__", "."): value for name, value in parameters.items()}
        return self.api.answer(v2({"Action": action, "Version": version, **named}))

    def done(self, action: str, version: str = CLOUDAPI, **parameters: str) -> dict[str, Any]:
        """The body of what went well."""
        answer = self.ask(action, version, **parameters)
        assert answer.status == 200, answer.body
        return answer.body

    def refused(self, action: str, version: str = CLOUDAPI, **parameters: str) -> tuple[int, str]:
        """Status and code of a refusal, which has changed nothing and has the cloud's form."""
        before, records = self.state.world, self.state.contents.attributes
        answer = self.ask(action, version, **parameters)
        assert answer.status >= 400, answer.body
        assert set(answer.body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
        assert self.state.world is before
        assert self.state.contents.attributes is records
        return answer.status, answer.body["Code"]


REGION = "cn-hangzhou"
CONFIG = {"forward": {"upstreams": []}, "admin": {"region_id": REGION}}
KEYS = {"VPCDNS_ACCESS_KEY_ID": KEY_ID, "VPCDNS_ACCESS_KEY_SECRET": SECRET}


@contextmanager
def cloud(
    config: dict[str, Any] | None = None, state: Path | None = None, keys: dict[str, str] | None = None
) -> Iterator[Server]:
    with Server(config or CONFIG, state=state, environment=KEYS if keys is None else keys) as server:
        yield server


def token() -> str:
    return str(uuid.uuid4())
