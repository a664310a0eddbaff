"""Calls through real sockets: throttling, refusals, answers that are none; where credentials come from."""

from __future__ import annotations

import json
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_server import cloud_server, error
from vpcdns.errors import AccountError
from vpcdns.importing.cloud.asking import Refused, Unreachable
from vpcdns.importing.cloud.listings import Product
from vpcdns.importing.cloud.sdk import MAX_PAUSE, PAUSES, Sdk, find_credentials

pytest.importorskip("alibabacloud_cbn20170912", reason="needs the cloud's SDK, of the dev group")
from alibabacloud_credentials import client as credentials
from alibabacloud_credentials.models import Config
from alibabacloud_credentials.utils import auth_constant, auth_util

# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

KEYS = credentials.Client(Config(type="access_key", access_key_id="testAK", access_key_secret="testSK"))


def called(*answers: tuple[int, Any, dict[str, str]], times: int = 1) -> tuple[dict[str, Any], list[float]]:
    """What the last call comes to when these are the answers, the last of them for ever; and the pauses."""
    told: dict[str, Any] = {}
    pauses: list[float] = []
    left = list(answers)

    def answer(action: str, given: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        assert (action, given) == ("DescribeVpcs", {"RegionId": "cn-hangzhou"})
        return left.pop(0) if len(left) > 1 else left[0]

    with cloud_server(answer) as endpoint:
        sdk = Sdk(KEYS, endpoint, pauses.append)
        try:
            for _ in range(times):
                told = sdk.call(Product.VPC, "cn-hangzhou", "DescribeVpcs", {"RegionId": "cn-hangzhou"})
        except Refused as refused:
            return {"refused": str(refused), "code": refused.code}, pauses
    return told, pauses


@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api", "ServiceUnavailable"])
def test_what_is_throttled_is_asked_again_after_growing_pauses(code: str) -> None:
    status = 503 if code == "ServiceUnavailable" else 400
    throttled: tuple[int, Any, dict[str, str]] = (status, error(code), {})
    told, pauses = called(throttled, throttled, throttled, (200, {"TotalCount": 0}, {}))
    assert told["TotalCount"] == 0
    assert pauses == [0.5, 1.0, 2.0]


def test_throttling_without_end_is_a_refusal() -> None:
    told, pauses = called((400, error("Throttling.User", "Request was denied."), {}))
    assert told["refused"] == "Throttling.User: Request was denied."
    assert pauses == list(PAUSES)


def test_the_cloud_may_say_how_long_to_wait() -> None:
    known = {"x-acs-retry-after": "1500"}
    _, pauses = called((429, error("Busy"), known), (200, {}, {}))
    assert pauses == [1.5]
    _, pauses = called((429, error("Busy"), {"x-acs-retry-after": "99000000"}), (200, {}, {}))
    assert pauses == [MAX_PAUSE]


def test_a_refusal_is_no_reason_to_ask_again() -> None:
    told, pauses = called((403, error("Forbidden.RAM", "User not authorized\nto operate."), {}))
    assert told == {"refused": "Forbidden.RAM: User not authorized to operate.", "code": "Forbidden.RAM"}
    assert pauses == []


@pytest.mark.parametrize(
    "code",
    [
        "InvalidAccessKeyId.NotFound",
        "SignatureDoesNotMatch",
        "InvalidSecurityToken.Expired",
        "InvalidTimeStamp.Expired",
    ],
)
def test_credentials_that_are_not_accepted_end_it(code: str) -> None:
    with pytest.raises(AccountError, match=rf"{code}: No\.; set ALIBABA_CLOUD_ACCESS_KEY_ID"):
        called((400, error(code), {}))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"text"', b"{", b"\xff"])
@pytest.mark.parametrize("status", [200, 400, 502])
def test_an_answer_that_is_none(status: int, body: bytes) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+ cannot be asked: "):
        called((status, body, {}))


def test_what_is_lost_on_a_way_that_was_open_before_is_asked_again() -> None:
    told, pauses = called((200, {}, {}), (502, b"<html>", {}), (200, {"TotalCount": 3}, {}), times=2)
    assert (told, pauses) == ({"TotalCount": 3}, [0.5])
    with pytest.raises(Unreachable):
        called((200, {}, {}), (502, b"<html>", {}), times=2)


def test_what_is_lost_on_a_way_that_was_never_open_is_asked_again_once() -> None:
    assert called((502, b"<html>", {}), (200, {"TotalCount": 3}, {})) == ({"TotalCount": 3}, [0.5])
    with pytest.raises(Unreachable):
        called((502, b"<html>", {}), (502, b"<html>", {}), (200, {"TotalCount": 3}, {}))


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        said = (
            r"^127\.0\.0\.1:\d+ cannot be asked: Failed to establish a new connection: .* refused; check the "
        )
        with pytest.raises(Unreachable, match=said):
            Sdk(KEYS, endpoint).call(Product.CEN, None, "DescribeCens", {})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without credentials, on a machine that is no ECS instance."""
    monkeypatch.setattr(auth_constant, "HOME", str(tmp_path))
    for name in ("access_key_id", "access_key_secret", "credentials_file", "profile_name", "credentials_uri"):
        monkeypatch.setattr(auth_util, f"environment_{name}", None)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    return tmp_path


def cli_profile(home: Path, *names: str) -> None:
    """The aliyun CLI's file."""
    profiles = [
        {"name": name, "mode": "AK", "access_key_id": f"id-of-{name}", "access_key_secret": "testSK"}
        for name in names
    ]
    file = home / ".aliyun" / "config.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"current": names[0], "profiles": profiles}))


def test_the_environment_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_profile(home, "work")
    assert find_credentials(None).get_credential().access_key_id == "id-of-work"
    monkeypatch.setattr(auth_util, "environment_access_key_id", "testAK")
    monkeypatch.setattr(auth_util, "environment_access_key_secret", "testSK")
    assert find_credentials(None).get_credential().access_key_id == "testAK"


def test_a_profile_of_either_file_comes_before_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_util, "environment_access_key_id", "testAK")
    monkeypatch.setattr(auth_util, "environment_access_key_secret", "testSK")
    cli_profile(home, "work", "play")
    assert find_credentials("play").get_credential().access_key_id == "id-of-play"
    file = home / ".alibabacloud" / "credentials.ini"
    file.parent.mkdir()
    file.write_text("[old]\ntype = access_key\naccess_key_id = id-of-old\naccess_key_secret = testSK\n")
    assert find_credentials("old").get_credential().access_key_id == "id-of-old"


def test_no_credentials_at_all(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AccountError, match="there are no credentials; set ALIBABA_CLOUD_ACCESS_KEY_ID"):
        find_credentials(None)
    logging.getLogger("credentials").error("as the SDK does when an ECS instance has no role")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "null", '{"profiles": [7]}', '{"profiles": [{"name": "gone"}]}']
)
def test_a_profile_that_is_not_there(home: Path, content: str) -> None:
    cli_profile(home, "work")
    (home / ".aliyun" / "config.json").write_text(content)
    with pytest.raises(AccountError, match="none for profile 'gone'; `aliyun configure list` shows"):
        find_credentials("gone")


def test_sdks_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alibabacloud_credentials.client", None)
    with pytest.raises(AccountError, match=r"not installed.*pip install 'vpcdns\[cloud\]'"):
        find_credentials(None)
