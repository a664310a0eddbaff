"""Both signatures, on requests captured from the cloud's own clients."""

from __future__ import annotations

import pytest

from tests.support.cloud_api import v2, v3
from vpcdns.control.openapi.errors import ApiError
from vpcdns.control.openapi.request import ACS3, ApiRequest
from vpcdns.control.openapi.signature import V2, claim, percent

GROUP = "523e8dc7bbe04613b5b1d726c2a7889d"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NAMES = (
    "accept;host;user-agent;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;"
    "x-acs-signature-nonce;x-acs-version"
)
SIGNATURE = "d35d3047fa789deb7752766cd42f6d83916fd4fec3a63b701d7ac614788e0958"
CAPTURED = ApiRequest(
    "POST",
    "/",
    f"GroupId={GROUP}&VpcIntranetEnable=True",
    {
        "host": "127.0.0.1:18099",
        "accept": "application/json",
        "user-agent": "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2",
        "x-acs-action": "ModifyIntranetDomainPolicy",
        "x-acs-content-sha256": EMPTY,
        "x-acs-credentials-provider": "static_ak",
        "x-acs-date": "2026-11-22T11:01:03Z",
        "x-acs-signature-nonce": "f63503822bd68788f2acf49da85b2bdc",
        "x-acs-version": "2016-07-14",
        "authorization": f"ACS3-HMAC-SHA256 Credential=testAK,SignedHeaders={NAMES},Signature={SIGNATURE}",
    },
)
CLASSIC = (
    "AccessKeyId=testAK&Action=DescribeApiGroup&Format=json"
    f"&GroupId={GROUP}&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
    "&SignatureNonce=f706e4e3371de48c0f5a7774c28ce928&Timestamp=2026-11-22T11%3A01%3A04Z&Version=2016-07-14"
    "&Signature=%2FbMkj%2BxZkAiDYFroOPFTeqx6aTQ%3D"
)


def changed(request: ApiRequest, **headers: str) -> ApiRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiRequest(request.method, request.path, request.query, {**request.headers, **named}, request.body)


def test_a_captured_request_of_the_new_sdk() -> None:
    said = claim(CAPTURED)
    assert said.scheme == ACS3
    assert said.access_key_id == "testAK"
    digest = "638a09fd689c7af44cc4c05731518f71edfde28a6bddea91c06962b52a235d7c"
    assert said.string_to_sign == f"ACS3-HMAC-SHA256\n{digest}"
    assert said.is_true("testSK")
    assert not said.is_true("testSk")


def test_a_captured_request_of_the_classic_kind() -> None:
    said = claim(ApiRequest("POST", "/", CLASSIC, {}))
    assert said.scheme == V2
    assert said.is_true("testSK")
    assert not said.is_true("")


def test_the_classic_kind_in_a_form_body() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    said = claim(ApiRequest("POST", "/", "", headers, CLASSIC.encode()))
    assert said.is_true("testSK")


@pytest.mark.parametrize("form", [True, False])
def test_every_parameter_is_signed(form: bool) -> None:
    """Empty ones too; what is added, taken away or changed breaks the signature."""
    request = v2({"Action": "DescribeApiGroup", "GroupId": GROUP, "Empty": ""}, form=form)
    text = request.body.decode() if form else request.query
    for tampered in (f"{text}&More=1", text.replace("&Empty=", ""), text.replace(GROUP, GROUP[::-1])):
        query, body = ("", tampered.encode()) if form else (tampered, b"")
        said = claim(ApiRequest("POST", "/", query, request.headers, body))
        assert not said.is_true("testSK")


def test_a_host_with_a_scheme_is_signed_as_it_came() -> None:
    said = claim(v3("DescribeApiGroup", {"GroupId": GROUP}, host="http://127.0.0.1:18099"))
    assert said.is_true("testSK")


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (ApiRequest("POST", "/", "", {}), "mandatory"),
        (ApiRequest("POST", "/", "", {"authorization": "Bearer x"}), "cannot be read"),
        (ApiRequest("POST", "/", "", {"authorization": "ACS3-HMAC-SHA256 Credential=a"}), "cannot be read"),
        (
            ApiRequest(
                "POST", "/", "", {"authorization": "ACS3-HMAC-SHA256 Credential=a,Credential=b,Signature=c"}
            ),
            "cannot be read",
        ),
        (changed(CAPTURED, x_acs_content_sha256="0" * 64), "not the body's"),
        (
            changed(CAPTURED, authorization=CAPTURED.headers["authorization"].replace("x-acs-action;", "")),
            "are not signed",
        ),
        (ApiRequest("POST", "/", CLASSIC.replace("HMAC-SHA1", "HMAC-SHA256"), {}), "not HMAC-SHA1"),
    ],
)
def test_requests_without_a_claim(request_: ApiRequest, why: str) -> None:
    with pytest.raises(ApiError, match=why):
        claim(request_)


@pytest.mark.parametrize(
    ("text", "encoded"), [("a b", "a%20b"), ("*'~-_.", "%2A%27~-_."), ("ä/", "%C3%A4%2F"), ("+", "%2B")]
)
def test_percent_encoding(text: str, encoded: str) -> None:
    assert percent(text) == encoded
