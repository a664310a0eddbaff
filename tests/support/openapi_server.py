"""A server with an empty configuration and one key, and the cloud's own clients of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.openapi_calls import KEY_ID, SECRET
from vpcdns.testing import Server

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
