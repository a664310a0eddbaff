"""How the Terraform provider for Alibaba Cloud talks to the API, and what it makes of errors.

Facts about aliyun/terraform-provider-alicloud 1.289, read in its source: what its two clients send, which
errors it takes for "the resource is gone" and which ones it repeats. The provider itself is not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from tests.support.cloud_api import Cloud, v2
from vpcdns.control.openapi.request import ApiRequest

PAGE_SIZE: Final = 50
_GONE: Final = ("Instance.Notfound", "Forbidden.InstanceNotFound", "NotFound")
_REPEATED: Final = ("ServiceUnavailable", "Rejected.Throttling")


class Failed(Exception):
    """An error of the API, as one of the provider's clients sees it."""

    def __init__(self, status: int, body: dict[str, Any], *, tea: bool) -> None:
        super().__init__(status, body)
        self.status, self.body, self.tea = status, body, tea
        self.code: str = body["Code"]
        self.message: str = body["Message"]

    @property
    def is_gone(self) -> bool:
        """Whether the resource is taken out of Terraform's state."""
        if self.tea:
            return self.status == 404 or "NotFound" in self.message
        return self.status == 404 or self.code in _GONE or "instance is not found" in self.message.lower()

    @property
    def is_repeated(self) -> bool:
        """Whether the provider asks again, for minutes."""
        return self.code in _REPEATED or "Throttling" in self.code or self.status >= 500

    def is_one_of(self, *codes: str) -> bool:
        """Whether the provider finds one of the codes in it; one client is content with its beginning."""
        if self.tea:
            data = json.dumps({"statusCode": self.status, **self.body})
            return any(code.startswith(self.code) or code in data for code in codes)
        return any(code == self.code or code in self.message for code in codes)


class Gone(Exception):
    """The provider's own error for a resource that is not there."""


@dataclass
class Provider:
    """The provider, configured for one region."""

    cloud: Cloud
    region_id: str = "cn-hangzhou"

    def tea(
        self, version: str, action: str, request: Mapping[str, Any], query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The newer client: a form body, what is in `query` in the query, and nothing that nobody put there.

        Empty texts are sent; that is how an attribute is taken away.
        """
        in_query, in_body = dict(flat(query or {})), dict(flat(request))
        signed = v2({**in_query, **in_body, "Action": action, "Version": version})
        apart = {name: value for name, value in signed.query_pairs if name not in in_body}
        headers = {**signed.headers, "content-type": "application/x-www-form-urlencoded"}
        return self._done(
            ApiRequest("POST", "/", urlencode(apart), headers, urlencode(in_body).encode()), tea=True
        )

    def go(self, version: str, action: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The older client: all in the query, the region too, and no empty texts."""
        said = {name: value for name, value in flat(request) if value}
        signed = v2({"RegionId": self.region_id, **said, "Action": action, "Version": version})
        return self._done(signed, tea=False)

    def pages(
        self, version: str, action: str, request: Mapping[str, Any], outer: str, inner: str
    ) -> list[Any]:
        """All items of a list, a page at a time."""
        found: list[Any] = []
        for number in range(1, 1_000):
            asked = {**request, "PageSize": PAGE_SIZE, "PageNumber": number}
            items = self.tea(version, action, asked)[outer][inner]
            found += items
            if len(items) < PAGE_SIZE:
                break
        return found

    def _done(self, request: ApiRequest, *, tea: bool) -> dict[str, Any]:
        answer = self.cloud.api.answer(request)
        body: dict[str, Any] = json.loads(json.dumps(answer.body))
        if answer.status != 200:
            failed = Failed(answer.status, body, tea=tea)
            assert not failed.is_repeated, "it would ask again for 25 minutes"
            raise failed
        return body


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """`Tag.1.Key`: lists count from 1, booleans are small letters, nothing is sent of None."""
    match value:
        case None:
            return
        case Mapping():
            for key, one in value.items():
                yield from flat(one, f"{name}.{key}" if name else key)
        case list():
            for number, one in enumerate(value, 1):
                yield from flat(one, f"{name}.{number}")
        case bool():
            yield name, str(value).lower()
        case _:
            yield name, str(value)


def tags_of(items: list[dict[str, Any]]) -> dict[str, str]:
    """Tags, of which products write the fields in two ways."""
    pairs = [("Key", "Value") if "Key" in one else ("TagKey", "TagValue") for one in items]
    return {one[key]: one[value] for one, (key, value) in zip(items, pairs, strict=True)}
