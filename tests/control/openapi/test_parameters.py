"""Every parameter of every action that is served, held against the cloud's own SDK models."""

from __future__ import annotations

import pytest

from tests.support.cloud_api import CLOUDAPI, PVTZ, VPC, Cloud
from tests.support.sdk_models import parameters
from vpcdns.control.openapi.actions import ACTIONS
from vpcdns.control.openapi.parameters import MAX_TEXT, Action, flag, integer, is_reading

# What the SDK models of today do not have, and clients of the cloud send: nothing.
SERVED = sorted(ACTIONS)


@pytest.mark.parametrize(("version", "name"), SERVED)
def test_an_action_knows_all_parameters_of_its_sdk_model(version: str, name: str) -> None:
    action, models = ACTIONS[version, name][1], parameters(version, name)
    assert models or name in ("DescribeRegions", "OpenApiGatewayService"), "the SDK has such an action"
    assert {parameter: action.types.get(parameter) for parameter in models} == models


@pytest.mark.parametrize(("version", "name"), SERVED)
def test_an_action_takes_nothing_that_its_sdk_model_lacks(version: str, name: str) -> None:
    action, models = ACTIONS[version, name][1], parameters(version, name)
    said = f"{action.takes} {action.no_effect} {action.refused}".split()
    assert {one.partition(":")[0] for one in said} <= set(models) | {"ClientToken"}
    assert len(said) == len(set(said))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("007", 7),
        (str((1 << 63) - 1), (1 << 63) - 1),
        (str(-(1 << 63)), -(1 << 63)),
        (str(1 << 63), None),
        (str(1 << 80), None),
        ("9" * 5_000, None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("1_0", None),
        ("+1", None),
        (" 1", None),
        ("1\n", None),
        ("1.0", None),
        ("1e3", None),
        ("", None),
        ("-", None),
    ],
)
def test_an_int64_is_read_as_it_is_written_and_nothing_else_is(text: str, number: int | None) -> None:
    assert integer(text) == number


@pytest.mark.parametrize("text", ["1", "yes", "tr\N{LATIN SMALL LETTER DOTLESS I}e", "true ", ""])
def test_what_is_no_boolean(text: str) -> None:
    assert flag(text) is None
    assert flag("TRUE") is True
    assert flag("False") is False


INTS = [(at, one) for at in SERVED for one, kind in ACTIONS[at][1].types.items() if kind == "int"]
TEXTS = [(at, one) for at in SERVED for one, kind in ACTIONS[at][1].types.items() if kind == "text"]
BOOLS = [(at, one) for at in SERVED for one, kind in ACTIONS[at][1].types.items() if kind == "bool"]


@pytest.mark.parametrize("text", ["9" * 5_000, "\N{ARABIC-INDIC DIGIT ONE}", str(1 << 80), "x"])
def test_every_int64_of_every_action_is_checked(text: str) -> None:
    """Whatever else is wrong with the request: what is no number is said, or what is not supported."""
    cloud = Cloud()
    for (version, name), parameter in INTS:
        status, code = cloud.refused(name, version, **{parameter: text})
        expected = {"InvalidParameter"} if version == PVTZ else {f"Invalid{parameter}"}
        assert status == 400
        assert code in expected | {"UnsupportedParameter"}, (name, parameter)


def test_every_boolean_of_every_action_is_checked() -> None:
    cloud = Cloud()
    for (version, name), parameter in BOOLS:
        status, code = cloud.refused(name, version, **{parameter: "maybe"})
        assert (status, code) == (400, "InvalidParameter" if version == PVTZ else f"Invalid{parameter}")


@pytest.mark.parametrize(("version", "name"), [one for one in SERVED if is_reading(one[1])])
def test_a_filter_that_is_not_known_is_refused_by_name(version: str, name: str) -> None:
    answer = Cloud().ask(name, version, Colour="red")
    assert (answer.status, answer.body["Code"]) == (400, "UnsupportedParameter")
    assert "Colour" in answer.body["Message"]
    assert name in answer.body["Message"]


def test_no_text_is_kept_that_is_longer_than_any_that_is_meant() -> None:
    cloud = Cloud()
    for (version, name), parameter in TEXTS:
        if parameter in ("Description", "Remark", "BasePath", "DefaultDomain", "PassthroughHeaders"):
            answer = cloud.ask(name, version, **{parameter: "x" * (MAX_TEXT + 1)})
            assert answer.status == 400, (name, parameter)
            assert f"{MAX_TEXT} characters" in answer.body["Message"], (name, parameter)


def test_what_an_action_does_not_have_changes_nothing() -> None:
    """ModifyInstanceAttribute has no InstanceType, InstanceSpec or UserVpcId; the cloud passes over them."""
    cloud = Cloud()
    made = cloud.done(
        "CreateInstance", InstanceName="n", InstanceSpec="api.s1.small", ChargeType="PostPaid", Token="t"
    )["InstanceId"]
    before = cloud.done("DescribeInstances", InstanceId=made)["Instances"]
    more = {"InstanceType": "banana", "InstanceSpec": "api.s2.large", "UserVpcId": "vpc-a"}
    cloud.done("ModifyInstanceAttribute", InstanceId=made, **more)
    assert cloud.done("DescribeInstances", InstanceId=made)["Instances"] == before


@pytest.mark.parametrize(
    ("version", "name", "parameter"),
    [
        (CLOUDAPI, "ModifyInstanceAttribute", "ToConnectVpcIpBlock"),
        (VPC, "CreateVpc", "Ipv4IpamPoolId"),
        (VPC, "DescribeVpcs", "VpcOwnerId"),
        (PVTZ, "DescribeZones", "ZoneTag.1"),
    ],
)
def test_what_the_cloud_has_and_vpcdns_has_not_is_refused_by_name(
    version: str, name: str, parameter: str
) -> None:
    answer = Cloud().ask(name, version, **{parameter: "1"})
    assert (answer.status, answer.body["Code"]) == (400, "UnsupportedParameter")
    assert parameter in answer.body["Message"]


def test_lists_count_from_one_without_a_gap() -> None:
    cloud = Cloud()
    for given in (
        {"Tag.2.Key": "a"},
        {"Tag.1.Key": "a", "Tag.3.Key": "b"},
        {"Tag.1.Key": "a", "Tag.3.Value": "b"},
    ):
        assert cloud.refused("CreateVpc", VPC, **given) == (400, "InvalidTag")
    assert cloud.refused("CreateVpc", VPC, **{"Tag.1.Value": "v"}) == (400, "MissingTag.1.Key")
    assert cloud.refused("CreateVpc", VPC, **{"Tag.1.Key": "k", "Tag.2.Key": "k"}) == (400, "InvalidTag")
    for number in ("0", "01", "-1", "\N{ARABIC-INDIC DIGIT ONE}", "99999"):
        # No element of the list, so no parameter of the action.
        assert cloud.refused("DescribeVpcs", VPC, **{f"Tag.{number}.Key": "k"}) == (
            400,
            "UnsupportedParameter",
        )


@pytest.mark.parametrize(("version", "name"), SERVED)
def test_a_dry_run_is_one_or_is_refused(version: str, name: str) -> None:
    """Never passed over: whoever writes DryRun wants that nothing is done."""
    cloud = Cloud()
    status, code = cloud.refused(name, version, DryRun="true")
    has = "DryRun" in parameters(version, name)
    assert status in (400, 404)
    assert (code == "UnsupportedParameter") is not has


def test_a_dry_run_says_what_would_be_refused_and_else_that_it_passed() -> None:
    cloud = Cloud()
    made = cloud.done("CreateVpc", VPC, CidrBlock="10.50.0.0/16")["VpcId"]
    assert cloud.refused("DeleteVpc", VPC, VpcId=made, DryRun="true") == (400, "DryRunOperation")
    assert cloud.refused("DeleteVpc", VPC, VpcId="vpc-a", DryRun="true") == (400, "DependencyViolation")
    assert cloud.refused("CreateVpc", VPC, CidrBlock="10.50.1.0/33", DryRun="true")[0] == 400
    assert cloud.refused("CreateVpc", VPC, DryRun="true") == (400, "DryRunOperation")
    assert cloud.refused("DescribeVpcs", VPC, DryRun="True") == (400, "DryRunOperation")
    cloud.done("DeleteVpc", VPC, VpcId=made, DryRun="false")


def test_a_declaration_is_read_as_it_is_written() -> None:
    action = Action(lambda call: {}, "A B:int L.N.Key", "C:bool", refused="D")
    assert {
        "A": "text",
        "B": "int",
        "C": "bool",
        "D": "text",
        "L.N.Key": "text",
    }.items() <= action.types.items()
