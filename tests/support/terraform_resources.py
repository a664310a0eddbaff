"""The provider's resources: which requests it sends when, and which fields of which responses it reads.

Facts about aliyun/terraform-provider-alicloud 1.289, read in its source. A field that is read and missing is
a KeyError here, as every field that is read has to be there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from tests.support.cloud_api import VPC
from tests.support.terraform_provider import Failed, Gone, Provider, tags_of

State = dict[str, Any]
_tokens = count(1)


def token() -> str:
    return f"TF-{next(_tokens)}"


@dataclass
class Resource(ABC):
    """One resource. `sent` are the attributes of its configuration, by the parameter that has each."""

    provider: Provider
    version: ClassVar[str]
    sent: ClassVar[dict[str, str]]
    region: ClassVar[bool] = True

    def given(self, config: State) -> State:
        """What a request has of a configuration."""
        said = {parameter: config[name] for name, parameter in self.sent.items() if name in config}
        return {**said, **({"RegionId": self.provider.region_id} if self.region else {})}

    def tea(self, action: str, request: State, query: State | None = None) -> State:
        return self.provider.tea(self.version, action, request, query)

    @abstractmethod
    def create(self, config: State) -> str:
        """The id that it gets."""

    @abstractmethod
    def read(self, resource_id: str) -> State:
        """All attributes; raises Gone."""

    @abstractmethod
    def update(self, resource_id: str, old: State, new: State) -> None:
        """Changes in place what the provider changes in place."""

    @abstractmethod
    def destroy(self, resource_id: str) -> None:
        """Deletes it."""

    def refreshed(self, resource_id: str) -> State | None:
        """What a plan reads; None: the resource is taken out of the state, and would be made again."""
        try:
            return self.read(resource_id)
        except Gone:
            return None
        except Failed as error:
            if error.is_gone:
                return None
            raise

    def set_tags(self, resource_id: str, kind: str, old: State, new: State) -> None:
        """First those that are no longer there or have another value are removed."""
        had, has = old.get("tags", {}), new.get("tags", {})
        what = {"ResourceId.1": resource_id, "ResourceType": kind, "RegionId": self.provider.region_id}
        if removed := [key for key, value in had.items() if has.get(key) != value]:
            self.tea("UnTagResources", {**what, "TagKey": removed})
        if added := [{"Key": key, "Value": value} for key, value in has.items() if had.get(key) != value]:
            self.tea("TagResources", {**what, "Tag": added})


def changed(old: State, new: State, *names: str) -> bool:
    return any(old.get(name) != new.get(name) for name in names)


@dataclass
class Vpc(Resource):
    version = VPC
    sent: ClassVar[dict[str, str]] = {
        "cidr_block": "CidrBlock",
        "vpc_name": "VpcName",
        "description": "Description",
        "resource_group_id": "ResourceGroupId",
        "enable_ipv6": "EnableIpv6",
    }
    table: ClassVar[dict[str, str]] = {
        "system_route_table_name": "RouteTableName",
        "system_route_table_description": "Description",
        "system_route_table_route_propagation_enable": "RoutePropagationEnable",
    }

    def create(self, config: State) -> str:
        request = {**self.given(config), "ClientToken": token()}
        if "user_cidrs" in config:
            request["UserCidr"] = ",".join(config["user_cidrs"])
        if "dns_hostname_status" in config:
            request["EnableDnsHostname"] = str(config["dns_hostname_status"] == "ENABLED").lower()
        tags = [{"Key": key, "Value": value} for key, value in config.get("tags", {}).items()]
        made: str = self.tea("CreateVpc", {**request, "Tag": tags})["VpcId"]
        assert self._described(made)["Status"] == "Available"
        self.update(made, {"tags": config.get("tags", {})}, config, is_new=True)
        return made

    def _described(self, vpc_id: str) -> State:
        said = self.tea("DescribeVpcAttribute", {"VpcId": vpc_id, "RegionId": self.provider.region_id})
        if said["VpcId"] == "":
            raise Gone
        return said

    def _table(self, vpc_id: str) -> State:
        asked = {"VpcId": vpc_id, "RegionId": self.provider.region_id}
        tables = self.tea("DescribeRouteTableList", asked)["RouterTableList"]["RouterTableListType"]
        (system,) = (one for one in tables if (one["RouteTableType"], one["VpcId"]) == ("System", vpc_id))
        assert isinstance(system, dict)
        return system

    def read(self, resource_id: str) -> State:
        said, table = self._described(resource_id), self._table(resource_id)
        return {
            "cidr_block": said["CidrBlock"],
            "classic_link_enabled": said["ClassicLinkEnabled"],
            "create_time": said["CreationTime"],
            "description": said["Description"],
            "dns_hostname_status": said["DnsHostnameStatus"],
            "enable_ipv6": said["EnabledIpv6"],
            "ipv6_cidr_block": said["Ipv6CidrBlock"],
            "region_id": said["RegionId"],
            "is_default": said["IsDefault"],
            "status": said["Status"],
            "vpc_name": said["VpcName"],
            "secondary_cidr_blocks": said["SecondaryCidrBlocks"]["SecondaryCidrBlock"],
            "tags": tags_of(said["Tags"]["Tag"]),
            "user_cidrs": said["UserCidrs"]["UserCidr"],
            "resource_group_id": table["ResourceGroupId"],
            "route_table_id": table["RouteTableId"],
            "router_id": table["RouterId"],
            **{name: table[parameter] for name, parameter in self.table.items()},
        }

    def update(self, resource_id: str, old: State, new: State, *, is_new: bool = False) -> None:
        region: State = {"RegionId": self.provider.region_id}
        request: State = {"VpcId": resource_id, **region}
        for name, parameter in (
            ("description", "Description"),
            ("vpc_name", "VpcName"),
            ("enable_ipv6", "EnableIPv6"),
        ):
            if not is_new and changed(old, new, name):
                request[parameter] = new.get(name, "")
        if not is_new and changed(old, new, "cidr_block"):
            request["CidrBlock"] = new["cidr_block"]
        if not is_new and changed(old, new, "dns_hostname_status"):
            request["EnableDnsHostname"] = str(new["dns_hostname_status"] == "ENABLED").lower()
        if len(request) > 2:
            self.tea("ModifyVpcAttribute", request)
            assert self._described(resource_id)["Status"] == "Available"
        if not is_new and changed(old, new, "resource_group_id"):
            moved = {
                "ResourceId": resource_id,
                "NewResourceGroupId": new["resource_group_id"],
                "ResourceType": "VPC",
            }
            self.tea("MoveResourceGroup", {**moved, **region})
        table: State = {"RouteTableId": self._table(resource_id)["RouteTableId"], **region}
        for name, parameter in self.table.items():
            if changed(old, new, name):
                table[parameter] = new.get(name, "")
        if len(table) > 2:
            self.tea("ModifyRouteTableAttributes", table)
        had, has = (one.get("secondary_cidr_blocks", []) for one in (old, new))
        vpc = {"VpcId": resource_id, **region}
        for block in (one for one in had if one not in has):
            self.tea("UnassociateVpcCidrBlock", {**vpc, "SecondaryCidrBlock": block})
            assert self._described(resource_id)["Status"] == "Available"
        for block in (one for one in has if one not in had):
            self.tea("AssociateVpcCidrBlock", {**vpc, "SecondaryCidrBlock": block, "IpVersion": "IPV4"})
            assert self._described(resource_id)["Status"] == "Available"
        self.set_tags(resource_id, "VPC", old, new)

    def destroy(self, resource_id: str) -> None:
        self.tea(
            "DeleteVpc", {"VpcId": resource_id, "RegionId": self.provider.region_id, "ClientToken": token()}
        )


@dataclass
class VSwitch(Resource):
    version = VPC
    sent: ClassVar[dict[str, str]] = {
        "cidr_block": "CidrBlock",
        "vpc_id": "VpcId",
        "vswitch_name": "VSwitchName",
        "description": "Description",
        "zone_id": "ZoneId",
    }

    def create(self, config: State) -> str:
        made: str = self.tea("CreateVSwitch", {**self.given(config), "ClientToken": token()})["VSwitchId"]
        assert self._described(made)["Status"] == "Available"
        self.set_tags(made, "VSWITCH", {}, config)
        return made

    def _described(self, vswitch_id: str) -> State:
        said = self.tea(
            "DescribeVSwitchAttributes", {"RegionId": self.provider.region_id}, {"VSwitchId": vswitch_id}
        )
        if said["VSwitchId"] == "":
            raise Gone
        return said

    def read(self, resource_id: str) -> State:
        said = self._described(resource_id)
        return {
            "cidr_block": said["CidrBlock"],
            "create_time": said["CreationTime"],
            "description": said["Description"],
            "ipv6_cidr_block": said["Ipv6CidrBlock"],
            "enable_ipv6": said["Ipv6CidrBlock"] != "",
            "is_default": said["IsDefault"],
            "status": said["Status"],
            "vswitch_name": said["VSwitchName"],
            "vpc_id": said["VpcId"],
            "zone_id": said["ZoneId"],
            "tags": tags_of(said["Tags"]["Tag"]),
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        request: State = {"VSwitchId": resource_id, "RegionId": self.provider.region_id}
        for name, parameter in (("vswitch_name", "VSwitchName"), ("description", "Description")):
            if changed(old, new, name):
                request[parameter] = new.get(name, "")
        if len(request) > 2:
            self.tea("ModifyVSwitchAttribute", request)
            assert self._described(resource_id)["Status"] == "Available"
        self.set_tags(resource_id, "VSWITCH", old, new)

    def destroy(self, resource_id: str) -> None:
        self.tea("DeleteVSwitch", {"VSwitchId": resource_id, "RegionId": self.provider.region_id})
