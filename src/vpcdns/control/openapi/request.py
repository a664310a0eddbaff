"""An HTTP request as a value, and the API call in it.

Knows where clients put things: parameters in the query or in a form body, action and version in headers or
among the parameters, the region in a parameter or in the host's name. Knows no action.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

MAX_PARAMETERS: Final = 1_000
ACS3: Final = "ACS3-HMAC-SHA256"
FORM: Final = "application/x-www-form-urlencoded"

# `apigateway.cn-hangzhou.aliyuncs.com`, `apigateway-vpc.…`, `vpc.cn-hangzhou.aliyuncs.com`
_REGIONAL_HOST: Final = re.compile(
    r"(?:https?://)?(?:apigateway|vpc)(?:-vpc)?\.([a-z0-9][a-z0-9-]{0,25})\.[a-z0-9.-]+(?::\d+)?/?"
)


@dataclass(frozen=True)
class ApiRequest:
    """What came over HTTP. `query` is without its question mark; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def query_pairs(self) -> list[tuple[str, str]]:
        return _pairs(self.query)

    @cached_property
    def form_pairs(self) -> list[tuple[str, str]]:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _pairs(self.body.decode("utf-8", "replace")) if kind == FORM else []

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Query and form merged; an empty value counts as absent."""
        return {name: value for name, value in (*self.query_pairs, *self.form_pairs) if value}

    @cached_property
    def emptied(self) -> frozenset[str]:
        """The parameters that are there without a value."""
        pairs = (*self.query_pairs, *self.form_pairs)
        return frozenset(name for name, value in pairs if not value) - self.parameters.keys()

    @property
    def is_v3(self) -> bool:
        """Whether it is signed in the way of the new SDKs, which put action and version into headers."""
        return self.headers.get("authorization", "").startswith(f"{ACS3} ")

    def named(self, name: str) -> str:
        """The Action or the Version: in RPC style a parameter, which alone the signature covers.

        A header `x-acs-…` counts where the headers are signed, or nothing is.
        """
        parameter, header = self.parameters.get(name, ""), self.headers.get(f"x-acs-{name.lower()}", "")
        if self.is_v3:
            return header or parameter
        return parameter if parameter or "Signature" in self.parameters else header

    @property
    def region_id(self) -> str | None:
        """`RegionId`, or the one in the host's name."""
        if given := self.parameters.get("RegionId"):
            return given
        match = _REGIONAL_HOST.fullmatch(self.headers.get("host", "").lower())
        return match[1] if match else None


@dataclass(frozen=True, slots=True)
class ApiResponse:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Decoded, empty values kept; a request with more parameters than any client sends has none."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return []
