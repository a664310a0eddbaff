"""Pages to their end, what hangs on what, and what a refusal takes with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cloud_account import CEN, HANGZHOU, HYBRID, ROUTER, FakeCloud, asked, kinds
from vpcdns.errors import AccountError
from vpcdns.importing.cloud.asking import Refused, Unreachable
from vpcdns.importing.cloud.listings import GLOBAL, LISTINGS, Product

pytest.importorskip("alibabacloud_cbn20170912", reason="needs the cloud's SDK, of the dev group")

ZONE = {"private zone": [{"ZoneId": "z1", "ZoneName": "corp.internal"}]}
GROUPS = [{"GroupId": f"{number:032x}", "GroupName": f"group_{number}"} for number in range(1000)]


def test_every_kind_is_asked_for() -> None:
    account = asked(FakeCloud(HYBRID))
    assert {*kinds(account, HANGZHOU), *kinds(account, GLOBAL)} == {one.kind for one in LISTINGS}
    assert not account.unasked
    assert not account.failed


def test_pages_by_number() -> None:
    cloud = FakeCloud({"group": GROUPS})
    assert len(asked(cloud).scopes[HANGZHOU]["group"]) == 1000
    pages = [given["PageNumber"] for _, action, given in cloud.calls if action == "DescribeApiGroups"]
    assert pages == [str(number) for number in range(1, 21)]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_by_token(size: int) -> None:
    many = [
        {**HYBRID["VPC attachment"][0], "TransitRouterAttachmentId": f"tr-attach-{number}"}
        for number in range(7)
    ]
    cloud = FakeCloud(HYBRID | {"VPC attachment": many}, page_size=size)
    assert len(asked(cloud).scopes[GLOBAL]["VPC attachment"]) == 7


class Telling(FakeCloud):
    """Tells the same whatever it is asked."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = told

    def call(self, *_: Any) -> dict[str, Any]:
        return self.told


def test_a_cloud_that_repeats_its_last_page_for_ever_ends() -> None:
    class Repeating(FakeCloud):
        def call(
            self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
        ) -> dict[str, Any]:
            told = super().call(product, region_id, action, parameters | {"PageNumber": "1"})
            return told | ({"TotalCount": 10**9} if action == "DescribeVpcs" else {})

    account = asked(Repeating({"VPC": HYBRID["VPC"]}))
    assert "DescribeVpcs: of 1,000,000,000 it tells 2: " in next(
        one.why for one in account.unasked if "VPC" in one.kinds
    )


def test_pages_that_are_smaller_than_what_was_asked_for() -> None:
    class Small(FakeCloud):
        def call(
            self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
        ) -> dict[str, Any]:
            size = {"PageSize": "20"} if "PageSize" in parameters else {}
            return super().call(product, region_id, action, parameters | size)

    assert len(asked(Small({"group": GROUPS[:70]})).scopes[HANGZHOU]["group"]) == 70


def test_regions_are_asked_one_by_one_and_named() -> None:
    cloud = FakeCloud(HYBRID)
    account = asked(cloud, "cn-hangzhou", "cn-shanghai", "cn-hangzhou")
    assert account.regions == ("cn-hangzhou", "cn-shanghai")
    assert list(account.scopes) == ["cn-hangzhou", "cn-shanghai", GLOBAL]
    assert [
        (region, given["RegionId"]) for region, action, given in cloud.calls if action == "DescribeVpcs"
    ] == [("cn-hangzhou", "cn-hangzhou"), ("cn-shanghai", "cn-shanghai")]
    assert {region for region, action, _ in cloud.calls if action == "DescribeCens"} == {None}


def test_a_basic_transit_router_has_neither_attachments_nor_tables() -> None:
    cloud = FakeCloud(HYBRID)
    asked(cloud)
    assert {
        (given["TransitRouterId"], given["CenId"], given["RegionId"])
        for _, action, given in cloud.calls
        if action == "ListTransitRouterVpcAttachments"
    } == {(ROUTER, CEN, HANGZHOU)}


def test_what_is_refused_takes_with_it_what_hangs_on_it_and_nothing_else() -> None:
    refused = Refused("Forbidden.RAM", "User not authorized")
    account = asked(FakeCloud(HYBRID, {"ListTransitRouters": refused}))
    [unasked] = account.unasked
    assert unasked.why.startswith("ListTransitRouters: Forbidden.RAM: User not authorized; docs/")
    assert set(unasked.kinds) == {
        *("transit router", "VPC attachment", "VBR attachment", "VPN attachment"),
        *("route table", "transit router route"),
    }
    assert {"CEN", "CEN attachment", "CEN route service"} <= set(kinds(account, GLOBAL))
    assert account.failed


@pytest.mark.parametrize("code", ["UnsupportedOperation", "InvalidAction.NotFound"])
@pytest.mark.parametrize("action", ["DescribeCens", "ListTransitRouters", "DescribeZoneRecords"])
def test_an_action_that_is_not_there_is_no_failure(code: str, action: str) -> None:
    account = asked(FakeCloud(HYBRID | ZONE, {action: Refused(code, "no such action")}))
    assert [one.is_absent for one in account.unasked] == [True]
    assert not account.failed


def test_a_region_without_an_answer_is_given_up_and_the_others_go_on() -> None:
    class Deaf(FakeCloud):
        def call(self, *given: Any) -> dict[str, Any]:
            if given[1] == "cn-nowhere":
                self.calls.append(given[1:])
                raise Unreachable("vpc.cn-nowhere.aliyuncs.com cannot be asked")
            return super().call(*given)

    cloud = Deaf(HYBRID)
    account = asked(cloud, "cn-nowhere", HANGZHOU)
    assert list(account.scopes) == [HANGZHOU, GLOBAL]
    assert [one[1] for one in cloud.calls if one[0] == "cn-nowhere"] == ["DescribeVpcs", "DescribeInstances"]
    lost = {kind for one in account.unasked for kind in one.kinds}
    assert lost == {one.kind for one in LISTINGS if not one.product.is_global}


def test_one_endpoint_without_an_answer_is_not_the_region() -> None:
    account = asked(FakeCloud(HYBRID, {"DescribeZones": Unreachable("pvtz cannot be asked")}))
    assert [one.kinds for one in account.unasked] == [("private zone", "record")]
    assert "CEN" in kinds(account, GLOBAL)


def test_where_nothing_answers_there_is_no_account() -> None:
    class Deaf(FakeCloud):
        def call(self, *given: Any) -> dict[str, Any]:
            raise Unreachable("no route")

    with pytest.raises(AccountError, match="cn-hangzhou: no route\nglobal: no route"):
        asked(Deaf())


def test_what_is_deleted_while_it_is_asked_about_is_left_out() -> None:
    class Deleting(FakeCloud):
        def call(
            self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
        ) -> dict[str, Any]:
            if parameters.get("GroupId") == GROUPS[3]["GroupId"]:
                raise Refused("NotFoundApiGroup", "Cannot find resource")
            if parameters.get("CenId") == "cen-empty":
                raise Refused("ParameterCenInstanceId.NotFound", "no such CEN")
            return super().call(product, region_id, action, parameters)

    account = asked(Deleting(HYBRID | {"group": GROUPS[:10]}))
    assert len(account.scopes[HANGZHOU]["group"]) == 9
    assert not account.unasked


@pytest.mark.parametrize(
    "told",
    [
        {"TotalCount": 0},
        {"Vpcs": None, "TotalCount": 0},
        {"Vpcs": {"Vpc": []}, "TotalCount": 0},
        {"Vpcs": {"Vpc": []}},
    ],
)
def test_empty_pages_are_empty(told: dict[str, Any]) -> None:
    assert asked(Telling(told)).scopes[HANGZHOU]["VPC"] == {}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Vpcs": None, "TotalCount": 7},
        {"Vpcs": {"Vpc": None}},
        {"Vpcs": []},
        {"Vpcs": {"Vpc": "none"}},
        {"Vpcs": {"Vpc": []}, "TotalCount": 100},
        {"TotalCount": "many", "NextToken": 7},
    ],
)
def test_what_does_not_tell_is_not_empty(told: dict[str, Any]) -> None:
    try:
        said = str(asked(Telling(told)).unasked)
    except AccountError as error:
        said = str(error)
    assert "DescribeVpcs: " in said


class Moving(FakeCloud):
    """Something comes to the first page while the second one is asked for, `often` times."""

    often = 1

    def call(
        self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
    ) -> dict[str, Any]:
        if action == "DescribeVpcs" and parameters["PageNumber"] == "2" and self.often:
            self.often -= 1
            vpcs = self.items["VPC"]
            vpcs.insert(0, vpcs.pop())
        return super().call(product, region_id, action, parameters)


def test_pages_that_change_are_asked_for_again() -> None:
    vpcs = [{"VpcId": f"vpc-{number}"} for number in range(60)]
    assert len(asked(Moving({"VPC": list(vpcs)})).scopes[HANGZHOU]["VPC"]) == 60
    restless = Moving({"VPC": list(vpcs)})
    restless.often = 10
    said = next(one.why for one in asked(restless).unasked if "VPC" in one.kinds)
    assert said == "DescribeVpcs: of 60 it tells 59: they change while they are asked for"


@pytest.mark.parametrize("item", [None, 7, {}, {"VpcId": None}, {"VpcId": ""}])
def test_an_item_that_nothing_tells_apart_makes_its_kind_unknown(item: Any) -> None:
    class Odd(FakeCloud):
        def call(self, *given: Any) -> dict[str, Any]:
            return {"Vpcs": {"Vpc": [item]}, "TotalCount": 0}

    account = asked(Odd())
    assert [one.why for one in account.unasked] == ["DescribeVpcs: one of the items has no VpcId"]
