"""`vpcdns import cloud` and `vpcdns diff`, with the API of a vpcdns as the cloud, and with one that fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cloud_api import KEY_ID, KEYS, REGION, SECRET
from tests.support.cloud_server import cloud_server, error
from tests.support.command_line import Ran, vpcdns
from tests.support.server_process import COMMAND
from vpcdns.testing import Server

pytest.importorskip("alibabacloud_cbn20170912", reason="needs the cloud's SDK, of the dev group")
from alibabacloud_credentials.utils import auth_util

# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

OTHER = "cn-shanghai"
# What the API does not tell stands in the overlay: addresses, source networks.
OVERLAY = """
forward: {upstreams: []}
admin: {region_id: cn-hangzhou}
vpcs: [{vpc_id: vpc-b, source_networks: [172.30.1.0/24]}]
instances:
  - {instance_id: apigateway-hz-1, binding: {address: 10.1.8.20}}
  - {instance_id: api-shared-vpc-001, region_id: cn-hangzhou, addresses: [100.100.80.11]}
  - {instance_id: api-shared-vpc-001, region_id: cn-shanghai, addresses: [100.100.81.11]}
"""


def group(number: int, instance_id: str = "apigateway-hz-1", **more: Any) -> dict[str, Any]:
    return {"group_id": f"{number:032x}", "name": f"group_{number}", "instance_id": instance_id, **more}


def environment(groups: int) -> dict[str, Any]:
    """Two regions and all that the API tells of."""
    return {
        **yaml.safe_load("{forward: {upstreams: []}, admin: {region_id: cn-hangzhou}}"),
        "vpcs": [
            {
                "vpc_id": "vpc-a",
                "region_id": REGION,
                "cidr_blocks": ["10.1.0.0/16", "10.9.0.0/16"],
                "vswitches": [
                    {"vswitch_id": "vsw-a", "cidr_block": "10.1.8.0/24"},
                    {"vswitch_id": "vsw-a2", "cidr_block": "10.9.8.0/24"},
                ],
            },
            {
                "vpc_id": "vpc-b",
                "region_id": OTHER,
                "cidr_blocks": ["10.1.0.0/16"],
                "source_networks": ["172.30.1.0/24"],
            },
        ],
        "instances": [
            {
                "instance_id": "api-shared-vpc-001",
                "type": "serverless",
                "region_id": REGION,
                "addresses": ["100.100.80.11"],
            },
            {
                "instance_id": "api-shared-vpc-001",
                "type": "serverless",
                "region_id": OTHER,
                "addresses": ["100.100.81.11"],
            },
            {
                "instance_id": "apigateway-hz-1",
                "type": "dedicated",
                "region_id": REGION,
                "binding": {"vpc_id": "vpc-a", "vswitch_id": "vsw-a", "address": "10.1.8.20"},
            },
            {"instance_id": "apigateway-hz-2", "type": "dedicated", "region_id": REGION},
        ],
        "groups": [
            group(1, custom_domains=["api.example.com", "*.apps.example.com"], vpc_domain=True),
            group(2, "apigateway-hz-2"),
            group(3, "api-shared-vpc-001", region_id=OTHER, vpc_domain=True),
            *(group(number, vpc_domain=number % 2 == 0) for number in range(4, groups + 1)),
        ],
        "private_zones": [
            {
                "zone": "corp.internal",
                "vpcs": ["vpc-a", "vpc-b"],
                "fall_through": True,
                "records": [
                    {"name": "db", "type": "A", "values": ["10.1.0.9", "10.1.0.10"], "ttl": 60},
                    {"name": "@", "type": "MX", "values": ["5 mx.corp.internal."], "ttl": 300},
                    {"name": "*.apps", "type": "CNAME", "values": ["gateway.corp.internal."], "ttl": 60},
                    {"name": "off", "type": "TXT", "values": ['"a \\"b\\""'], "ttl": 60, "enabled": False},
                ],
            },
            {"zone": "empty.internal"},
        ],
    }


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment has; the SDK has read it when it was imported."""
    monkeypatch.setattr(auth_util, "environment_access_key_id", KEY_ID)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", SECRET)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")


def url(server: Server) -> str:
    return f"http://{server.endpoint}"


def imported(server: Server, *more: str) -> Ran:
    regions = ("--region", REGION, "--region", OTHER)
    return vpcdns("import", "cloud", *regions, "--endpoint", url(server), *more)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Server]:
    with Server(environment(1000), environment=KEYS) as server:
        yield server


def settled(configuration: str) -> dict[str, dict[str, Any]]:
    """Objects by section and id, with each record by itself and without what only the API gives: ids."""
    found: dict[str, dict[str, Any]] = {}
    keys = {"vpcs": "vpc_id", "instances": "instance_id", "groups": "group_id", "private_zones": "zone"}
    for section, key in keys.items():
        for one in yaml.safe_load(configuration)[section]:
            one.pop("zone_id", None)
            one["records"] = sorted(
                (record["name"], record["type"], value, record["ttl"], record.get("enabled", True))
                for record in one.get("records", ())
                for value in record["values"]
            )
            said = {name: value for name, value in one.items() if value not in ([], False)}
            home = one["region_id"] if section == "instances" else ""
            found.setdefault(section, {})[one[key] + home] = said
    return found


def test_what_goes_in_comes_out_the_same(cloud: Server, tmp_path: Path) -> None:
    overlay, saved = tmp_path / "own.yaml", tmp_path / "account.json"
    overlay.write_text(OVERLAY)
    made = imported(cloud, "--overlay", str(overlay), "--save", str(saved))
    assert made.returncode == 0, made.stderr
    assert settled(made.stdout) == settled(json.dumps(environment(1000)))
    assert made.stderr.startswith("2 VPCs, 0 networks, 0 connections, 4 instances, 1000 groups, 2 custom")
    with Server(made.stdout, environment=KEYS) as again:
        same = vpcdns("diff", str(saved), "--endpoint", url(again))
        assert (same.returncode, same.stdout) == (0, "nothing has changed\n")
        name = f"{1:032x}-{REGION}-vpc.alicloudapi.com"
        again.client.assert_resolves(name, "10.1.0.5", to="10.1.8.20")
        again.client.assert_denied(name, "172.30.1.5")


def test_without_an_overlay_what_is_not_told_is_said(tmp_path: Path) -> None:
    with Server(environment(4), environment=KEYS) as server:
        made = imported(server)
    assert made.returncode == 0, made.stderr
    assert "# guessed: its address; look one of its groups up in a VPC of cn-shanghai" in made.stdout
    assert "# missing: its endpoint's address" in made.stdout
    assert "# guessed: source_networks, as 10.1.0.0/16 is vpc-a's as well" in made.stdout
    assert "not known there, so there is none: VPN gateway, " in made.stderr
    file = tmp_path / "vpcdns.yaml"
    file.write_text(made.stdout)
    assert vpcdns("check", str(file)).returncode == 0


def test_one_region_alone(tmp_path: Path) -> None:
    with Server(environment(4), environment=KEYS) as server:
        made = vpcdns("import", "cloud", "--region", OTHER, "--endpoint", url(server))
    found = settled(made.stdout)
    assert set(found["groups"]) == {f"{3:032x}"}
    assert set(found["vpcs"]) == {"vpc-b", "vpc-a"}  # which a private zone is bound to
    assert "# guessed: its cidr_blocks, as nothing tells them" in made.stdout


def test_diff_tells_what_is_new_gone_and_changed(tmp_path: Path) -> None:
    saved = tmp_path / "account.json"
    before, after = environment(5), environment(6)
    del after["private_zones"][1]
    after["groups"][0] |= {"custom_domains": ["*.apps.example.com"], "name": "renamed"}
    after["instances"][2]["binding"] |= {"vswitch_id": "vsw-a2", "address": "10.9.8.20"}
    with Server(before, environment=KEYS) as server:
        assert imported(server, "--save", str(saved)).returncode == 0
    with Server(after, environment=KEYS) as server:
        text = vpcdns("diff", str(saved), "--endpoint", url(server))
        data = vpcdns("diff", str(saved), "--endpoint", url(server), "--json")
    assert (text.returncode, data.returncode) == (3, 3)
    lines = text.stdout.splitlines()
    assert f"+ group group_6 in cn-hangzhou ({6:032x}): new" in lines
    assert any(line.startswith("- private zone empty.internal (") for line in lines)
    changed = lines.index(f"~ group renamed in cn-hangzhou ({1:032x}): changed")
    assert lines[changed + 1].startswith("    CustomDomains: [{")
    assert lines[changed + 2] == '    GroupName: "group_1" -> "renamed"'
    assert '    UserVswitchId: "vsw-a" -> "vsw-a2"' in lines
    assert lines[-1] == "1 new, 1 gone, 2 changed"
    found = {(one["change"], one["kind"], one["id"]): one["fields"] for one in json.loads(data.stdout)}
    assert found["changed", "instance", "apigateway-hz-1"] == {
        "UserVswitchId": {"before": "vsw-a", "after": "vsw-a2"}
    }
    assert found["new", "group", f"{6:032x}"]["GroupName"] == {"before": None, "after": "group_6"}


def partly(action: str, given: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
    """A cloud in which a region is forbidden, and which has one VPC elsewhere."""
    if given.get("RegionId") == OTHER:
        return 403, error("Forbidden.RAM", "User not authorized to operate on the specified resource."), {}
    vpc = {"VpcId": "vpc-a", "CidrBlock": "10.1.0.0/16"}
    told = {"Vpcs": {"Vpc": [vpc]}, "TotalCount": 1} if action == "DescribeVpcs" else {"TotalCount": 0}
    return 200, told, {}


def test_a_region_that_cannot_be_asked_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    saved = tmp_path / "account.json"
    with cloud_server(partly) as endpoint:
        regions = ("--region", OTHER, "--region", REGION)
        made = vpcdns("import", "cloud", *regions, "--endpoint", endpoint, "--save", str(saved))
        assert made.returncode == 1
        assert list(settled_ids(made.stdout)) == ["vpc-a"]
        assert (
            "not asked: cn-shanghai: VPC: DescribeVpcs: Forbidden.RAM: User not authorized to operate on the "
            "specified resource." in made.stderr
        )
        ran = vpcdns("diff", str(saved), "--endpoint", endpoint)
        assert (ran.returncode, ran.stdout) == (1, "nothing has changed\n")
        assert "not compared, as it was not known then: cn-shanghai: VPC" in ran.stderr


def settled_ids(configuration: str) -> list[str]:
    return [one["vpc_id"] for one in yaml.safe_load(configuration)["vpcs"]]


def test_what_cannot_be_asked_now_is_not_gone(tmp_path: Path) -> None:
    saved = tmp_path / "account.json"
    with Server(environment(4), environment=KEYS) as server:
        imported(server, "--save", str(saved))
    with cloud_server(partly) as endpoint:
        ran = vpcdns("diff", str(saved), "--endpoint", endpoint)
    assert ran.returncode == 1
    assert OTHER not in ran.stdout
    assert "- group group_1 in cn-hangzhou" in ran.stdout


def test_a_kind_that_was_not_there_then_is_said_and_not_new(tmp_path: Path) -> None:
    saved = tmp_path / "account.json"

    def without_cens(action: str, given: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        return (400, error("UnsupportedOperation"), {}) if action == "DescribeCens" else partly(action, given)

    with cloud_server(without_cens) as endpoint:
        region = ("--region", REGION, "--endpoint", endpoint)
        assert vpcdns("import", "cloud", *region, "--save", str(saved)).returncode == 0
    with cloud_server(partly) as endpoint:
        ran = vpcdns("diff", str(saved), "--endpoint", endpoint)
    assert (ran.returncode, ran.stdout) == (0, "nothing has changed\n")
    assert "not compared, as it was not known then: global: CEN, " in ran.stderr


def test_a_terminal_sees_a_bar() -> None:
    ours, theirs = os.openpty()
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    with cloud_server(partly) as endpoint:
        ran = subprocess.run(
            [*COMMAND, "import", "cloud", "--region", REGION, "--endpoint", endpoint],
            env={**os.environ, **keys, "TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=30,
            check=True,
        )
    assert b"vpc-a" in ran.stdout
    seen = os.read(ours, 100_000)
    os.close(ours)
    os.close(theirs)
    assert "cn-hangzhou: VPC" in seen.decode(errors="replace")
    assert "━" in seen.decode(errors="replace")


def test_an_interrupt_ends_it_though_the_cloud_does_not_answer() -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            subprocess.Popen(
                [*COMMAND, "import", "cloud", "--region", REGION, "--endpoint", endpoint],
                env={**os.environ, **keys},
                stderr=subprocess.PIPE,
            ) as asking,
            silent.accept()[0],
        ):
            asking.send_signal(signal.SIGINT)
            said = asking.communicate(timeout=10)[1]  # the SDK would wait for 20 s
    assert (asking.returncode, said) == (130, b"")


def test_throttling_slows_down_and_loses_nothing() -> None:
    asked: dict[str, int] = {}

    def answer(action: str, given: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        asked[action] = asked.get(action, 0) + 1
        if action == "DescribeVpcs" and asked[action] < 3:
            return 400, error("Throttling.User"), {"x-acs-retry-after": "1"}
        return partly(action, given)

    with cloud_server(answer) as endpoint:
        made = vpcdns("import", "cloud", "--region", REGION, "--endpoint", endpoint)
    assert (made.returncode, asked["DescribeVpcs"]) == (0, 3)
    assert settled_ids(made.stdout) == ["vpc-a"]


def test_keys_that_are_not_accepted(cloud: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_util, "environment_access_key_id", "nobody")
    ran = imported(cloud)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "InvalidAccessKeyId.NotFound" in ran.stderr
    assert "--profile NAME" in ran.stderr


def test_no_such_profile(cloud: Server) -> None:
    ran = imported(cloud, "--profile", "no-such")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("there are none for profile 'no-such'; `aliyun configure list` shows")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "cloud"], "Missing option '--region'"),
        (["import", "cloud", "--region", "Hangzhou!"], "is no region"),
        (["import", "cloud", "--region", REGION, "--endpoint", "127.0.0.1:1"], "is no endpoint; write one"),
    ],
)
def test_usage(arguments: list[str], said: str) -> None:
    ran = vpcdns(*arguments)
    assert ran.returncode == 2
    assert said in " ".join(ran.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        ("", "not JSON"),
        ("[]", "it is not what an account said: a list"),
        ('{"vpcdns_account": 2}', "it is not what an account said"),
        ('{"vpcdns_account": 1}', "it is damaged"),
        (
            '{"vpcdns_account": 1, "regions": [], "objects": {"a": {"VPC": {"x": 7}}}, "unasked": []}',
            "damaged",
        ),
        ('{"vpcdns_account": 1, "regions": ["a.example/#"], "objects": {}, "unasked": []}', "damaged"),
        ('{"vpcdns_account": 1, "regions": [], "objects": 7, "unasked": []}', "damaged"),
    ],
)
def test_a_file_that_is_no_account(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "account.json"
    if content is not None:
        file.write_text(content)
    ran = vpcdns("diff", str(file))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(str(file))
    assert said in ran.stderr


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with cloud_server(partly) as endpoint:
        made = vpcdns(
            "import",
            "cloud",
            "--region",
            REGION,
            "--endpoint",
            endpoint,
            "--save",
            str(tmp_path / "no" / "x"),
        )
    assert (made.returncode, made.stdout) == (1, "")
    assert "cannot write" in made.stderr
