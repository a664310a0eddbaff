from ipaddress import ip_address

import pytest

from tests.support.example_world import (
    BOUND,
    DEDICATED_NAME,
    ENDPOINT,
    HZ,
    IN_A,
    IN_B,
    IN_C,
    ON_INTERNET,
    SH,
    SHARED,
    UNBOUND,
    VPC_A,
    example,
)
from vpcdns.model.clients import identify
from vpcdns.model.decision import Decision, Reason
from vpcdns.model.dns import Question, RRType
from vpcdns.model.names import Name
from vpcdns.model.vpc_domains import Form, access, decide, recognise

WORLD = example()
SUFFIX = WORLD.answers.suffix


@pytest.mark.parametrize(
    ("name", "form", "apex"),
    [
        ("x-vpc.alicloudapi.com", Form.VPC_DOMAIN, "alicloudapi.com"),
        ("X-VPC.AliCloudAPI.com", Form.VPC_DOMAIN, "AliCloudAPI.com"),
        ("-vpc.alicloudapi.com", Form.VPC_DOMAIN, "alicloudapi.com"),
        (DEDICATED_NAME, Form.VPC_DOMAIN, "alicloudapi.com"),
        ("a.x-vpc.alicloudapi.com", Form.BELOW, "alicloudapi.com"),
        ("x-vpc.y-vpc.alicloudapi.com", Form.BELOW, "alicloudapi.com"),
        ("x-vpc.alicloudapi.com.corp.example", Form.SEARCH_EXPANDED, "alicloudapi.com.corp.example"),
        ("a.x-vpc.alicloudapi.com.corp", Form.SEARCH_EXPANDED, "alicloudapi.com.corp"),
        ("x-vpc.alicloudapi.com.y-vpc.alicloudapi.com", Form.BELOW, "alicloudapi.com"),
        ("x-vpc.alicloudapi.com.alicloudapi.com", Form.SEARCH_EXPANDED, "alicloudapi.com.alicloudapi.com"),
    ],
)
def test_names_of_the_form(name: str, form: Form, apex: str) -> None:
    formed = recognise(Name.from_text(name), SUFFIX)
    assert formed is not None
    assert formed.form is form
    assert str(formed.apex) == apex


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "alicloudapi.com",
        "x.alicloudapi.com",
        "x-vpc.a.alicloudapi.com",
        "x-vpc.example.com",
        "x-vpc-.alicloudapi.com",
        r"x-vpc\.alicloudapi.com",
        "vpc.alicloudapi.com",
        "x-vpc.alicloudapi",
        "x-vpc.badalicloudapi.com",
        "x-vpc.alicloudapi.com2",
    ],
)
def test_names_of_another_form(name: str) -> None:
    assert recognise(Name.from_text(name), SUFFIX) is None


@pytest.mark.parametrize(
    ("key", "client", "reason"),
    [
        ((HZ, SHARED), IN_A, Reason.SERVERLESS_SAME_REGION),
        ((HZ, SHARED), IN_B, Reason.SERVERLESS_SAME_REGION),
        ((HZ, SHARED), IN_C, Reason.OTHER_REGION),
        ((SH, SHARED), IN_C, Reason.SERVERLESS_SAME_REGION),
        ((SH, SHARED), IN_A, Reason.OTHER_REGION),
        ((HZ, SHARED), ON_INTERNET, Reason.INTERNET),
        ((HZ, BOUND), IN_A, Reason.DEDICATED_BOUND_VPC),
        ((HZ, BOUND), IN_B, Reason.OTHER_VPC),
        ((HZ, BOUND), IN_C, Reason.OTHER_REGION),
        ((HZ, BOUND), ON_INTERNET, Reason.INTERNET),
        ((HZ, UNBOUND), IN_A, Reason.NOT_BOUND),
    ],
)
def test_to_whom_an_instance_is_open(key: tuple[str, str], client: str, reason: Reason) -> None:
    """DESIGN §1.3 to §1.5."""
    found, why = access(WORLD.instances[key], identify(ip_address(client), WORLD))
    assert found is reason
    assert why


def decided(name: str, client: str) -> Decision:
    owner = Name.from_text(name)
    formed = recognise(owner, SUFFIX)
    assert formed is not None
    return decide(Question(owner, RRType.A), formed, identify(ip_address(client), WORLD), WORLD)


def test_only_whom_it_is_open_to_reads_the_address_in_the_steps() -> None:
    """The steps go to the client as explain's TXT: rule 5 holds for them too."""
    told = " ".join(step.detail for step in decided(DEDICATED_NAME, IN_A).steps)
    hidden = " ".join(step.detail for step in decided(DEDICATED_NAME, IN_B).steps)
    assert str(ENDPOINT) in told
    assert str(ENDPOINT) not in hidden
    assert f"bound to {VPC_A}" in hidden


def test_a_search_domain_is_named() -> None:
    decision = decided(f"{DEDICATED_NAME}.corp.example", IN_A)
    assert decision.reason is Reason.SEARCH_EXPANDED
    assert decision.extended_error is not None
    assert "corp.example" in decision.extended_error.text
    assert str(decision.zone) == "alicloudapi.com.corp.example"
