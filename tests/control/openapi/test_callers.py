"""Who may ask: keys, times, nonces, and nobody's browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cloud_api import NOW, PVTZ, SECRET, Cloud, v2, v3
from tests.support.example_world import SERVERLESS
from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.keys import AccessKeys, read_access_keys
from vpcdns.control.openapi.request import ApiRequest
from vpcdns.control.openapi.signature import TOLERANCE, Nonces
from vpcdns.errors import StartupError
from vpcdns.state import State

ASKED = {"Action": "DescribeApiGroup", "GroupId": SERVERLESS}


def told(cloud: Cloud, request: ApiRequest) -> tuple[int, str]:
    answer = cloud.api.answer(request)
    return answer.status, answer.body.get("Code", "")


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_both_kinds_of_signature_are_accepted(cloud: Cloud) -> None:
    assert told(cloud, v2(ASKED)) == (200, "")
    assert told(cloud, v2(ASKED, form=True)) == (200, "")
    assert told(cloud, v3("DescribeApiGroup", {"GroupId": SERVERLESS})) == (200, "")


def test_an_unknown_key(cloud: Cloud) -> None:
    assert told(cloud, v2(ASKED, AccessKeyId="nobody")) == (404, "InvalidAccessKeyId.NotFound")


def test_a_wrong_signature(cloud: Cloud) -> None:
    assert told(cloud, v2(ASKED, secret="wrong")) == (400, "SignatureDoesNotMatch")
    assert told(cloud, v3("DescribeApiGroup", {}, secret="wrong")) == (400, "SignatureDoesNotMatch")


def test_no_signature(cloud: Cloud) -> None:
    unsigned = ApiRequest("POST", "/", "Action=DescribeApiGroups&Version=2016-07-14", {})
    assert told(cloud, unsigned) == (400, "MissingAccessKeyId")


def test_a_replayed_nonce(cloud: Cloud) -> None:
    request = v2(ASKED)
    assert told(cloud, request) == (200, "")
    assert told(cloud, request) == (400, "SignatureNonceUsed")


def test_a_nonce_of_a_wrong_signature_is_not_remembered(cloud: Cloud) -> None:
    assert told(cloud, v2(ASKED, secret="wrong", SignatureNonce="n")) == (400, "SignatureDoesNotMatch")
    assert told(cloud, v2(ASKED, SignatureNonce="n")) == (200, "")


@pytest.mark.parametrize("away", [-TOLERANCE - 1, TOLERANCE + 1])
def test_an_old_timestamp_or_one_of_tomorrow(cloud: Cloud, away: float) -> None:
    cloud.now = NOW + away
    assert told(cloud, v2(ASKED)) == (400, "InvalidTimeStamp.Expired")
    assert told(cloud, v3("DescribeApiGroup", {})) == (400, "InvalidTimeStamp.Expired")


def test_a_timestamp_within_the_tolerance(cloud: Cloud) -> None:
    cloud.now = NOW + TOLERANCE - 1
    assert told(cloud, v2(ASKED)) == (200, "")


@pytest.mark.parametrize("timestamp", ["yesterday", ""])
def test_no_timestamp(cloud: Cloud, timestamp: str) -> None:
    assert told(cloud, v2(ASKED, Timestamp=timestamp)) == (400, "InvalidTimeStamp.Format")


def test_no_nonce(cloud: Cloud) -> None:
    assert told(cloud, v2(ASKED, SignatureNonce="")) == (400, "MissingSignatureNonce")


def test_nonces_are_forgotten_when_their_time_is_over_and_bounded() -> None:
    nonces = Nonces(capacity=2)
    assert nonces.is_new("a", "1", 0.0)
    assert nonces.is_new("b", "1", 0.0)
    assert not nonces.is_new("a", "1", 2 * TOLERANCE - 1)
    assert nonces.is_new("a", "2", 1.0)
    assert len(nonces) == 2
    assert nonces.is_new("b", "1", 2 * TOLERANCE + 2)
    assert len(nonces) == 1


def test_without_keys_nobody_may_ask_unless_only_this_host_can() -> None:
    closed = Cloud(keys=AccessKeys({}))
    assert told(closed, v2(ASKED)) == (403, "NoPermission")
    opened = Cloud(keys=AccessKeys({}), open_without_keys=True)
    assert told(opened, v2(ASKED, secret="whatever")) == (200, "")
    assert told(opened, ApiRequest("POST", "/", "Action=DescribeApiGroups&Version=2016-07-14", {})) == (
        200,
        "",
    )


def test_without_keys_get_only_reads() -> None:
    opened = Cloud(keys=AccessKeys({}), open_without_keys=True)

    def got(query: str) -> tuple[int, str]:
        return told(opened, ApiRequest("GET", "/", f"Version={PVTZ}&{query}", {}))

    assert got("Action=AddZone&ZoneName=a.example") == (403, "Forbidden")
    assert got("Action=CheckZoneName&ZoneName=a.example") == (200, "")
    assert got("Action=DescribeZones") == (200, "")
    assert got("Action=ListTagResources&ResourceType=ZONE") == (200, "")


def test_no_page_in_a_browser_may_ask_for_its_reader() -> None:
    """Simple requests need no CORS preflight: what gives them away is what browsers add."""
    cloud = Cloud(keys=AccessKeys({}), open_without_keys=True)
    query = f"Action=DeleteApiGroup&Version=2016-07-14&GroupId={SERVERLESS}"
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert told(cloud, ApiRequest("POST", "/", query, headers)) == (403, "Forbidden")
    assert told(cloud, ApiRequest("GET", "/", query, {})) == (403, "Forbidden")
    assert SERVERLESS in cloud.state.world.groups
    read = f"Action=DescribeApiGroup&Version=2016-07-14&GroupId={SERVERLESS}"
    assert told(cloud, ApiRequest("GET", "/", read, {})) == (200, "")


def test_secrets_are_in_no_answer_and_no_repr() -> None:
    keys = AccessKeys({"id": SECRET})
    api = OpenApi(State(Cloud().world), keys)
    assert SECRET not in repr(keys)
    answer = api.answer(v2({**ASKED, "Wrong": SECRET}, secret="wrong", AccessKeyId="id"))
    assert SECRET not in str(answer.body)


def test_keys_from_a_file_and_the_environment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text("LTAI123: 1e5\n0777: yes\n")
    file.chmod(0o600)
    keys = read_access_keys(file, {"VPCDNS_ACCESS_KEY_ID": "me", "VPCDNS_ACCESS_KEY_SECRET": "s3cret"})
    assert [keys.get(key_id) for key_id in ("LTAI123", "0777", "me", "you")] == ["1e5", "yes", "s3cret", None]
    assert not caplog.records
    file.chmod(0o644)
    file.write_text('{"json": "too"}')
    assert read_access_keys(file, {}).get("json") == "too"
    assert "chmod 600" in caplog.text
    assert "too" not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "a: [topsecret]",
        "a: topsecret\na: topsecret",
        "a: 'topsecret",
        "a: top secret",
        "'': topsecret",
        "a b: topsecret",
        "a:",
        "a: &x topsecret\nb: {c: topsecret}",
        "topsecret",
    ],
)
def test_a_file_of_keys_that_cannot_be_used_is_refused_without_telling_a_secret(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    with pytest.raises(StartupError) as raised:
        read_access_keys(file, {})
    assert "secret" not in str(raised.value).replace("access key id: secret", "").replace("a secret has", "")


@pytest.mark.parametrize(("mode", "says"), [(0o604, "read the secrets"), (0o602, "put secrets"), (0o600, "")])
def test_a_file_of_keys_that_is_open_to_others_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, says: str
) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text("me: s3cret")
    file.chmod(mode)
    read_access_keys(file, {})
    assert bool(caplog.records) == bool(says)
    assert says in caplog.text


def test_a_fifo_of_keys_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keys.yaml")
    with pytest.raises(StartupError, match="no regular file"):
        read_access_keys(tmp_path / "keys.yaml", {})


def test_half_a_key_in_the_environment_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="set both"):
        read_access_keys(None, {"VPCDNS_ACCESS_KEY_ID": "me"})
    with pytest.raises(StartupError, match="cannot be read"):
        read_access_keys(tmp_path / "none", {})
    assert not read_access_keys(None, {})
