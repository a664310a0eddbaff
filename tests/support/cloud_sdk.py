"""The cloud's SDKs for Python, pointed at a server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cloud_api import KEY_ID, REGION, SECRET
from vpcdns.testing import Server


def config(server: Server, **over: Any) -> Any:
    """What a client of an SDK is made with."""
    from alibabacloud_tea_openapi.utils_models import Config

    given = {
        "access_key_id": KEY_ID,
        "access_key_secret": SECRET,
        "endpoint": server.endpoint,
        "protocol": "http",
        "region_id": REGION,
        "no_proxy": "127.0.0.1",
    }
    return Config(**{**given, **over})


def refusal(raised: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    """Status and code, as the SDKs tell them."""
    return raised.value.status_code, raised.value.code
