"""The provider's resources of API Gateway: the requests that they send, and the fields that they read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tests.support.cloud_api import CLOUDAPI
from tests.support.terraform_provider import Failed, Gone
from tests.support.terraform_resources import Resource, State, changed, token

_CHARGED: Final = {"PayAsYouGo": "PayAsYouGo", "Subscription": "PREPAY"}
_PAYMENT: Final = {"PrePaid": "Subscription"}


@dataclass
class Instance(Resource):
    version = CLOUDAPI
    region = False
    sent: ClassVar[dict[str, str]] = {
        "instance_name": "InstanceName",
        "instance_spec": "InstanceSpec",
        "https_policy": "HttpsPolicy",
        "instance_type": "InstanceType",
        "instance_cidr": "InstanceCidr",
        "user_vpc_id": "UserVpcId",
        "zone_id": "ZoneId",
        "pricing_cycle": "PricingCycle",
        "duration": "Duration",
    }
    zone: ClassVar[dict[str, tuple[str, str]]] = {
        "zone_id": ("ZoneId", "ZoneId"),
        "vswitch_id": ("VSwitchId", "VswitchId"),
        "cidr_block": ("CidrBlock", "CidrBlock"),
        "security_group": ("SecurityGroupId", "SecurityGroupId"),
    }

    def create(self, config: State) -> str:
        zones = [
            {self.zone[name][0]: value for name, value in one.items()}
            for one in config.get("zone_vswitch_security_group", [])
        ]
        request = {"Token": token(), "ChargeType": _CHARGED[config["payment_type"]], **self.given(config)}
        made: str = self.tea("CreateInstance", {**request, "ZoneVSwitchSecurityGroup": zones})["InstanceId"]
        assert self._described(made)["Status"] == "RUNNING"
        self._bind(made, {}, config)
        return made

    def _described(self, instance_id: str) -> State:
        found: list[State] = self.tea("DescribeInstances", {}, {"InstanceId": instance_id})["Instances"][
            "InstanceAttribute"
        ]
        if not found:
            raise Gone
        return found[0]

    def read(self, resource_id: str) -> State:
        said = self._described(resource_id)
        interfaces = said["NetworkInterfaceAttributes"]["NetworkInterfaceAttribute"]
        charged = said["InstanceChargeType"]
        return {
            "create_time": said["CreatedTime"],
            "https_policy": said["HttpsPolicies"],
            "instance_name": said["InstanceName"],
            "instance_spec": said["InstanceSpec"],
            "instance_type": said["DedicatedInstanceType"],
            "payment_type": _PAYMENT.get(charged, charged),
            "status": said["Status"],
            "egress_ipv6_enable": said["EgressIpv6Enable"],
            "vpc_slb_intranet_enable": said["VpcSlbIntranetEnable"],
            "support_ipv6": said["SupportIpv6"],
            "ipv6_enabled": "VPC_INTERNET_IPV6" in said["VipTypeList"],
            "zone_vswitch_security_group": [
                {name: one[read] for name, (_, read) in self.zone.items()} for one in interfaces
            ],
            # What the cloud leaves out of an instance that has none is empty to the provider.
            "zone_id": said.get("ZoneId", ""),
            "instance_cidr": said.get("InstanceCidrBlock", ""),
            "user_vpc_id": said.get("ConnectVpcId", ""),
            "connect_cidr_blocks": said.get("ConnectCidrBlocks", ""),
            "ingress_vpc_id": said.get("UserVpcId", ""),
            "ingress_vpc_owner_id": str(said.get("VpcOwnerId", "")),
            "ingress_vswitch_id": said.get("UserVswitchId", ""),
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        if changed(old, new, "instance_name", "https_policy"):
            request = {name: new[name] for name in ("instance_name", "https_policy")}
            switches = ("egress_ipv6_enable", "vpc_slb_intranet_enable", "ipv6_enabled")
            names = ("EgressIpv6Enable", "VpcSlbIntranetEnable", "IPV6Enabled")
            said = {"InstanceName": request["instance_name"], "HttpsPolicy": request["https_policy"]}
            said |= {to: new[name] for name, to in zip(switches, names, strict=True) if name in new}
            self.tea("ModifyInstanceAttribute", said, {"InstanceId": resource_id})
            assert self._described(resource_id)["Status"] == "RUNNING"
        if changed(old, new, "instance_spec"):
            spec = {"Token": token(), "InstanceId": resource_id, "InstanceSpec": new["instance_spec"]}
            self.tea("ModifyInstanceSpec", spec)
        self._bind(resource_id, old, new)

    def _bind(self, instance_id: str, old: State, new: State) -> None:
        """Only if there is a VPC to bind to: taking it out of the configuration sends nothing."""
        names = ("ingress_vpc_id", "ingress_vpc_owner_id", "ingress_vswitch_id")
        if changed(old, new, *names) and new.get("ingress_vpc_id"):
            vpc_id, owner, vswitch_id = (new.get(name, "") for name in names)
            request = {"Token": token(), "InstanceId": instance_id, "VpcId": vpc_id, "VpcOwnerId": owner}
            self.tea("ModifyInstanceVpcAttributeForConsole", {**request, "VswitchId": vswitch_id})

    def destroy(self, resource_id: str) -> None:
        self.tea("DeleteInstance", {}, {"InstanceId": resource_id})


@dataclass
class Group(Resource):
    version = CLOUDAPI
    sent: ClassVar[dict[str, str]] = {
        "name": "GroupName",
        "description": "Description",
        "base_path": "BasePath",
        "instance_id": "InstanceId",
    }

    def go(self, action: str, request: State) -> State:
        return self.provider.go(self.version, action, request)

    def create(self, config: State) -> str:
        made: str = self.go("CreateApiGroup", self.given(config))["GroupId"]
        self.update(made, {**config, "user_log_config": None, "vpc_intranet_enable": None}, config)
        return made

    def read(self, resource_id: str) -> State:
        try:
            said = self.go("DescribeApiGroup", {"GroupId": resource_id})
        except Failed as error:
            if error.is_one_of("NotFoundApiGroup"):
                raise Gone from None
            raise
        return {
            "name": said["GroupName"],
            "description": said["Description"],
            "sub_domain": said["SubDomain"],
            "vpc_domain": said["VpcDomain"],
            "vpc_intranet_enable": said["VpcDomain"] != "",
            "instance_id": said["InstanceId"],
            "base_path": said["BasePath"],
            "user_log_config": json.loads(said["UserLogConfig"]) if said["UserLogConfig"] else None,
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        request: State = {}
        if changed(old, new, "name", "description", "base_path"):
            request = {
                "GroupName": new["name"],
                "Description": new["description"],
                "BasePath": new["base_path"],
            }
        if changed(old, new, "user_log_config"):
            request["UserLogConfig"] = json.dumps(new["user_log_config"])
        if request:
            self.go("ModifyApiGroup", {"GroupId": resource_id, **request})
        if changed(old, new, "vpc_intranet_enable"):
            enable = {"VpcIntranetEnable": new.get("vpc_intranet_enable", False)}
            self.go("ModifyIntranetDomainPolicy", {"GroupId": resource_id, **enable})

    def destroy(self, resource_id: str) -> None:
        """It asks without a pause until the group is gone: a group that stayed would be an endless loop."""
        self.go("DeleteApiGroup", {"GroupId": resource_id})
        assert self.refreshed(resource_id) is None


@dataclass
class VpcAccess(Resource):
    version = CLOUDAPI
    sent: ClassVar[dict[str, str]] = {
        "name": "Name",
        "vpc_id": "VpcId",
        "instance_id": "InstanceId",
        "port": "Port",
        "vpc_target_host_name": "VpcTargetHostName",
    }

    def create(self, config: State) -> str:
        self.provider.go(CLOUDAPI, "SetVpcAccess", self.given(config))
        return ":".join(str(config[name]) for name in ("name", "vpc_id", "instance_id", "port"))

    def read(self, resource_id: str) -> State:
        names = ("Name", "VpcId", "InstanceId", "Port")
        wanted = dict(zip(names, resource_id.split(":"), strict=True))
        found = self.provider.pages(
            CLOUDAPI, "DescribeVpcAccesses", wanted, "VpcAccessAttributes", "VpcAccessAttribute"
        )
        for one in found:
            if all(str(one[name]) == value for name, value in wanted.items()):
                read = {name: one[parameter] for name, parameter in self.sent.items()}
                return {**read, "vpc_access_id": one["VpcAccessId"]}
        raise Gone

    def update(self, resource_id: str, old: State, new: State) -> None:
        raise AssertionError("every attribute forces a new one")

    def destroy(self, resource_id: str) -> None:
        _, vpc_id, instance_id, port = resource_id.split(":")
        request: Any = {"VpcId": vpc_id, "InstanceId": instance_id, "Port": port}
        self.provider.go(CLOUDAPI, "RemoveVpcAccess", request)
