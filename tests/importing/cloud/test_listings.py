"""The table of listings names actions, parameters and fields that the cloud's SDKs have."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.cloud_account import nested
from tests.support.repository import ROOT
from tests.support.sdk_models import parameters, response
from vpcdns.importing.cloud.listings import LISTINGS, Listing, Product, at

pytest.importorskip("alibabacloud_cbn20170912", reason="needs the cloud's SDK, of the dev group")

# Where a list is expected, and of what.
LISTS: dict[str, list[Any]] = {
    "SecondaryCidrBlocks.SecondaryCidrBlock": ["10.0.0.0/8"],
    "CustomDomains.DomainItem": [{"DomainName": "x", "CustomDomainType": "x", "DomainBindingStatus": "x"}],
    "BindVpcs.Vpc": [{"VpcId": "x", "RegionId": "x"}],
    "TunnelOptionsSpecification.TunnelOptions": [{"CustomerGatewayId": "x"}],
}
IDS = [one.action for one in LISTINGS]


@pytest.mark.parametrize("listing", LISTINGS, ids=IDS)
def test_every_field_is_one_of_the_models(listing: Listing) -> None:
    """Each is in what the listing returns, in what its detail returns, or is asked for by it."""
    for path in (*listing.own, *listing.keeps):
        value = LISTS.get(path, "x")
        listed = response(
            listing.product.version, listing.action, nested(listing.items, [nested(path, value)])
        )
        found = [at(one, path) for one in at(listed, listing.items)]
        if listing.detail:
            found.append(at(response(listing.product.version, listing.detail, nested(path, value)), path))
        assert value in found or path in listing.given, path


@pytest.mark.parametrize("listing", LISTINGS, ids=IDS)
def test_every_parameter_is_one_of_the_models(listing: Listing) -> None:
    known = parameters(listing.product.version, listing.action)
    pages = ("MaxResults", "NextToken") if listing.has_tokens else ("PageNumber", "PageSize")
    assert {*listing.given, *dict(listing.filters), *pages} <= known.keys()
    if listing.detail:
        assert listing.own[0] in parameters(listing.product.version, listing.detail)


def test_what_is_asked_for_each_of_a_kind_stands_behind_it() -> None:
    seen: dict[str, Listing] = {}
    for one in LISTINGS:
        assert one.kind not in seen
        if one.of:
            parent = seen[one.of]
            assert set(one.given) <= {*parent.own, *parent.keeps, *parent.given}
            assert parent.product is one.product
        seen[one.kind] = one


CALLS = [(one.product, name) for one in LISTINGS for name in (one.action, one.detail) if name]


def test_all_of_them_only_read() -> None:
    assert all(name.startswith(("Describe", "List")) for _, name in CALLS)


def test_the_documents_list_each_and_the_policy_allows_each() -> None:
    text = (ROOT / "docs" / "cloud-account.md").read_text()
    policy = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert sorted(policy["Statement"][0]["Action"]) == sorted(f"{one.ram}:{name}" for one, name in CALLS)
    for product in Product:
        [calls] = re.findall(rf"^\| \w+ {product.version} \| (.*) \|$", text, re.MULTILINE)
        assert calls.split(", ") == [name for one, name in CALLS if one is product]
