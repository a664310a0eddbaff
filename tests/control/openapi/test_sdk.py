"""The cloud's own SDK for Python tells the whole story; DNS is asked after every step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_api import KEYS, REGION, SECRET, cloud, token
from tests.support.cloud_sdk import config, refusal
from tests.support.repository import EXAMPLE, ROOT
from tests.support.server_process import running
from vpcdns.testing import Server

pytest.importorskip("alibabacloud_cloudapi20160714", reason="needs the cloud's SDK, of the dev group")
from alibabacloud_cloudapi20160714 import models as cloudapi
from alibabacloud_cloudapi20160714.client import Client as CloudApi
from alibabacloud_vpc20160428 import models as vpcs
from alibabacloud_vpc20160428.client import Client as Vpc

# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@dataclass
class Sdk:
    server: Server
    gateway: Any
    networks: Any

    def vpc(self, block: str) -> tuple[str, str]:
        """A VPC of that block, and a vSwitch in it."""
        made = self.networks.create_vpc(vpcs.CreateVpcRequest(region_id=REGION, cidr_block=block)).body
        within = block.replace(".0.0/16", ".8.0/24")
        switch = self.networks.create_vswitch(
            vpcs.CreateVSwitchRequest(region_id=REGION, vpc_id=made.vpc_id, cidr_block=within, zone_id="z")
        ).body
        return made.vpc_id, switch.v_switch_id

    def instance(self) -> str:
        request = cloudapi.CreateInstanceRequest(
            instance_name="mine",
            instance_spec="api.s1.small",
            charge_type="POSTPAY",
            https_policy="HTTPS2_TLS1_2",
            zone_id=f"{REGION}-MAZ6",
            token=token(),
        )
        instance_id: str = self.gateway.create_instance(request).body.instance_id
        return instance_id

    def bind(self, instance_id: str, vpc_id: str, vswitch_id: str) -> None:
        self.gateway.modify_instance_vpc_attribute_for_console(
            cloudapi.ModifyInstanceVpcAttributeForConsoleRequest(
                instance_id=instance_id, vpc_id=vpc_id, vswitch_id=vswitch_id, token=token()
            )
        )

    def unbind(self, instance_id: str, vpc_id: str) -> None:
        self.gateway.modify_instance_vpc_attribute_for_console(
            cloudapi.ModifyInstanceVpcAttributeForConsoleRequest(
                instance_id=instance_id, vpc_id=vpc_id, delete_vpc_access=True
            )
        )

    def group(self, name: str, instance_id: str | None = None) -> str:
        request = cloudapi.CreateApiGroupRequest(group_name=name, instance_id=instance_id)
        group_id: str = self.gateway.create_api_group(request).body.group_id
        return group_id

    def enable(self, group_id: str) -> str:
        request = cloudapi.ModifyIntranetDomainPolicyRequest(group_id=group_id, vpc_intranet_enable=True)
        self.gateway.modify_intranet_domain_policy(request)
        name: str = self.described(group_id).vpc_domain
        return name

    def described(self, group_id: str) -> Any:
        return self.gateway.describe_api_group(cloudapi.DescribeApiGroupRequest(group_id=group_id)).body

    def migrate(self, group_id: str, instance_id: str) -> None:
        request = cloudapi.ModifyApiGroupInstanceRequest(group_id=group_id, target_instance_id=instance_id)
        self.gateway.modify_api_group_instance(request)

    def custom_domain(self, group_id: str, name: str, kind: str = "INTRANET") -> None:
        request = cloudapi.SetDomainRequest(group_id=group_id, domain_name=name, custom_domain_type=kind)
        self.gateway.set_domain(request)


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with cloud() as server:
        yield server


@pytest.fixture
def sdk(served: Server) -> Sdk:
    return Sdk(served, CloudApi(config(served)), Vpc(config(served)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_whole_story(sdk: Sdk) -> None:
    ask = sdk.server.client
    (vpc_a, vsw_a), (vpc_b, vsw_b) = sdk.vpc("10.61.0.0/16"), sdk.vpc("10.62.0.0/16")

    # Serverless: two VPCs of the region resolve it.
    group_id = sdk.group("serverless_1")
    assert sdk.described(group_id).vpc_domain == ""
    name = sdk.enable(group_id)
    assert name == f"{group_id}-{REGION}-vpc.alicloudapi.com"
    for inside in ("10.61.0.5", "10.62.0.5"):
        shared = ask.assert_resolves(name, inside)
        assert shared.addresses == ("100.100.80.10",)

    # Dedicated: nothing before it is bound; then the bound VPC alone, by both of its names.
    instance_id = sdk.instance()
    dedicated = sdk.group("dedicated_1", instance_id)
    with pytest.raises(Exception, match="bind apigateway-") as raised:
        sdk.enable(dedicated)
    assert refusal(raised) == (403, "ForbiddenVpcIntranetEnable")
    with pytest.raises(Exception, match="not bound") as raised:
        sdk.migrate(group_id, instance_id)
    assert refusal(raised) == (400, "InvalidTargetInstanceId")
    with pytest.raises(Exception, match="no vSwitch") as raised:
        sdk.bind(instance_id, vpc_a, vsw_b)
    assert refusal(raised) == (400, "InvalidVswitchId")
    sdk.bind(instance_id, vpc_a, vsw_a)
    own = sdk.enable(dedicated)
    sdk.custom_domain(dedicated, "api.example.com")
    for asked in (own, "api.example.com"):
        ask.assert_resolves(asked, "10.61.0.5", to="10.61.8.1")
        ask.assert_denied(asked, "10.62.0.5")
    with pytest.raises(Exception, match="serverless") as raised:
        sdk.custom_domain(group_id, "other.example.com")
    assert refusal(raised) == (403, "ForbiddenDomainName")

    # Migrated: the same name, and only the bound VPC.
    sdk.migrate(group_id, instance_id)
    assert sdk.described(group_id).migration_status == "Success"
    assert sdk.described(group_id).vpc_domain == name
    ask.assert_resolves(name, "10.61.0.5", to="10.61.8.1")
    ask.assert_denied(name, "10.62.0.5")

    # Rebound: all groups follow, and the very next query of the old VPC is denied.
    sdk.bind(instance_id, vpc_b, vsw_b)
    for asked in (name, own, "api.example.com"):
        ask.assert_denied(asked, "10.61.0.5")
        ask.assert_resolves(asked, "10.62.0.5", to="10.62.8.1")
    with pytest.raises(Exception, match="is on") as raised:
        sdk.unbind(instance_id, vpc_b)
    assert refusal(raised) == (400, "DependencyViolationVpc")
    told = sdk.gateway.describe_instances(cloudapi.DescribeInstancesRequest(instance_id=instance_id)).body
    attribute = told.instances.instance_attribute[0]
    assert (attribute.status, attribute.user_vpc_id, attribute.user_vswitch_id) == ("RUNNING", vpc_b, vsw_b)
    with pytest.raises(Exception, match="bound") as raised:
        sdk.networks.delete_vswitch(vpcs.DeleteVSwitchRequest(region_id=REGION, v_switch_id=vsw_b))
    assert refusal(raised)[0] == 400


def test_a_wrong_secret_and_an_unknown_key(served: Server) -> None:
    wrong = CloudApi(config(served, access_key_secret="wrong"))
    with pytest.raises(Exception, match="signature") as raised:
        wrong.describe_regions(cloudapi.DescribeRegionsRequest())
    assert refusal(raised) == (400, "SignatureDoesNotMatch")
    unknown = CloudApi(config(served, access_key_id="nobody"))
    with pytest.raises(Exception, match="access key") as raised:
        unknown.describe_regions(cloudapi.DescribeRegionsRequest())
    assert refusal(raised) == (404, "InvalidAccessKeyId.NotFound")
    assert SECRET not in served.log


def test_what_is_not_there_is_a_client_error_and_never_repeated(sdk: Sdk) -> None:
    with pytest.raises(Exception, match="no group") as raised:
        sdk.described("9" * 32)
    assert refusal(raised) == (400, "NotFoundApiGroup")
    assert raised.value.request_id  # type: ignore[attr-defined]
    sdk.gateway.delete_api_group(cloudapi.DeleteApiGroupRequest(group_id="9" * 32))
    none = sdk.gateway.describe_instances(
        cloudapi.DescribeInstancesRequest(instance_id="apigateway-none")
    ).body
    assert none.instances.instance_attribute == []


def test_an_endpoint_with_a_scheme(served: Server) -> None:
    """The SDK then sends and signs `host: http://127.0.0.1:PORT`."""
    gateway = CloudApi(config(served, endpoint=served.url))
    assert gateway.describe_regions(cloudapi.DescribeRegionsRequest()).body.request_id


README_COMMANDS = re.compile(r"^(vpcdns serve .*)\n(pip install .*)\n(python story.py) (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("configuration", [EXAMPLE, None])
def test_the_example_runs_as_its_readme_says(tmp_path: Path, configuration: Path | None) -> None:
    """Any configuration is that of the repository, in two regions, or an empty one; there are no keys."""
    found = README_COMMANDS.search((ROOT / "examples/sdk/README.md").read_text())
    assert found is not None
    (tmp_path / "vpcdns.yaml").write_text("{}" if configuration is None else configuration.read_text())
    free_port = found[1].replace("vpcdns.yaml", str(tmp_path / "vpcdns.yaml")).replace(":5380", ":0").split()
    command = [sys.executable, "-m", *free_port, "--listen", "127.0.0.1:0"]
    with running(command, r"Listening on \S+:(\d+)") as server:
        endpoint = server.url.removeprefix("http://")
        story = [sys.executable, "-W", "ignore", str(ROOT / "examples/sdk/story.py"), endpoint]
        done = subprocess.run(story, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "migration Success" in done.stdout
    assert found[4] == "127.0.0.1:5380"


def test_without_a_region_the_refusal_names_the_remedy() -> None:
    with cloud({"forward": {"upstreams": []}}) as server:
        request = cloudapi.CreateApiGroupRequest(group_name="nowhere")
        with pytest.raises(Exception, match="MissingRegionId") as raised:
            CloudApi(config(server)).create_api_group(request)
    assert "--admin-region" in str(raised.value)
    assert "admin.region_id" in str(raised.value)


def test_a_client_names_its_region_in_every_request(served: Server) -> None:
    """The way for several regions that needs no name to resolve (docs/api.md)."""
    from alibabacloud_tea_openapi.utils_models import GlobalParameters

    elsewhere = GlobalParameters(queries={"RegionId": "cn-shanghai"})
    there = Sdk(served, CloudApi(config(served, global_parameters=elsewhere)), None)
    instance_id = there.instance()
    asked = cloudapi.DescribeInstancesRequest(instance_id=instance_id)
    (told,) = there.gateway.describe_instances(asked).body.instances.instance_attribute
    assert told.region_id == "cn-shanghai"


def test_the_example_runs(served: Server) -> None:
    environment = {**os.environ, **KEYS, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(ROOT / "examples/sdk/story.py"), served.endpoint],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "migration Success" in done.stdout
    name = done.stdout.partition("dedicated: ")[2].partition(" for")[0]
    served.client.assert_resolves(name, "10.77.0.5", to="10.77.8.1")
    served.client.assert_resolves("sdk-story.example.com", "10.77.0.5", to="10.77.8.1")
    served.client.assert_denied(name, "10.61.0.5")
