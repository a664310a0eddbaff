"""The provider's resources of PrivateZone: the requests that they send, and the fields that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tests.support.cloud_api import PVTZ
from tests.support.terraform_provider import Failed, Gone, Provider, tags_of
from tests.support.terraform_resources import Resource, State, changed

ZONE_GONE: Final = ("Zone.Invalid.Id", "Zone.Invalid.UserId", "Zone.NotExists", "ZoneVpc.NotExists.VpcId")


def zone_info(provider: Provider, zone_id: str) -> State:
    try:
        return provider.tea(PVTZ, "DescribeZoneInfo", {"RegionId": provider.region_id, "ZoneId": zone_id})
    except Failed as error:
        if error.is_one_of(*ZONE_GONE):
            raise Gone from None
        raise


def zone_detail(provider: Provider, zone_id: str) -> State:
    """With the task that copies names of servers into it, if it has one."""
    said = zone_info(provider, zone_id)
    try:
        provider.tea(PVTZ, "DescribeSyncEcsHostTask", {"ZoneId": zone_id})
    except Failed as error:
        gone = ("System.Busy", "Ecs.SyncTask.NotExists", "ServiceUnavailable", "Throttling.User")
        if not error.is_one_of(*gone):
            raise
    return said


@dataclass
class Zone(Resource):
    version = PVTZ
    region = False
    sent: ClassVar[dict[str, str]] = {
        "proxy_pattern": "ProxyPattern",
        "resource_group_id": "ResourceGroupId",
        "zone_name": "ZoneName",
        "dns_group": "DnsGroup",
    }

    def create(self, config: State) -> str:
        made: str = self.tea("AddZone", self.given(config))["ZoneId"]
        self.update(made, {**config, "remark": "", "tags": {}}, config)
        return made

    def read(self, resource_id: str) -> State:
        said = zone_detail(self.provider, resource_id)
        what = {"ResourceId.1": resource_id, "RegionId": self.provider.region_id, "ResourceType": "ZONE"}
        return {
            "is_ptr": said["IsPtr"],
            "proxy_pattern": said["ProxyPattern"],
            "record_count": said["RecordCount"],
            "remark": said["Remark"],
            "zone_name": said["ZoneName"],
            "resource_group_id": said["ResourceGroupId"],
            "dns_group": said["DnsGroup"],
            "tags": tags_of(self.tea("ListTagResources", what)["TagResources"]),
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        zone = {"ZoneId": resource_id}
        for name, action, parameter in (
            ("proxy_pattern", "SetProxyPattern", "ProxyPattern"),
            ("remark", "UpdateZoneRemark", "Remark"),
            ("dns_group", "ChangeZoneDnsGroup", "DnsGroup"),
        ):
            if changed(old, new, name):
                self.tea(action, {**zone, parameter: new.get(name, "")})
        self.set_tags(resource_id, "ZONE", old, new)

    def destroy(self, resource_id: str) -> None:
        self.tea("DeleteZone", {"ZoneId": resource_id})


@dataclass
class Attachment(Resource):
    """VPCs by their ids, or with a region for each."""

    version = PVTZ

    def create(self, config: State) -> str:
        self._bind(config["zone_id"], config)
        zone_id: str = config["zone_id"]
        return zone_id

    def _bind(self, zone_id: str, config: State) -> None:
        here = self.provider.region_id
        named = config.get("vpcs") or [{"vpc_id": one} for one in config.get("vpc_ids", [])]
        vpcs = [{"RegionId": one.get("region_id") or here, "VpcId": one["vpc_id"]} for one in named]
        self.tea("BindZoneVpc", {"ZoneId": zone_id, "Vpcs": vpcs})
        bound = zone_info(self.provider, zone_id)["BindVpcs"]["Vpc"]
        assert {one["VpcId"] for one in bound} == {one["VpcId"] for one in vpcs}, "or it waits for that"

    def read(self, resource_id: str) -> State:
        bound = zone_info(self.provider, resource_id)["BindVpcs"]["Vpc"]
        return {
            "zone_id": resource_id,
            "vpc_ids": sorted(one["VpcId"] for one in bound),
            "vpcs": sorted(
                ({"region_id": one["RegionId"], "vpc_id": one["VpcId"]} for one in bound), key=str
            ),
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        name = "vpcs" if changed(old, new, "vpcs") else "vpc_ids"
        self._bind(resource_id, {name: new[name]})

    def destroy(self, resource_id: str) -> None:
        self.tea("BindZoneVpc", {"ZoneId": resource_id, "Vpcs": []})


@dataclass
class Record(Resource):
    version = PVTZ
    region = False
    sent: ClassVar[dict[str, str]] = {
        "priority": "Priority",
        "rr": "Rr",
        "ttl": "Ttl",
        "type": "Type",
        "value": "Value",
        "zone_id": "ZoneId",
    }

    def create(self, config: State) -> str:
        made = f"{self.tea('AddZoneRecord', self.given(config))['RecordId']}:{config['zone_id']}"
        self.update(made, {**config, "remark": "", "status": "ENABLE"}, config)
        return made

    def _described(self, resource_id: str) -> State:
        record_id, zone_id = resource_id.split(":")
        for number in range(1, 1_000):
            asked: State = {
                "ZoneId": zone_id,
                "PageNumber": number,
                "PageSize": 20,
                "RegionId": self.provider.region_id,
            }
            try:
                found: list[Any] = self.tea("DescribeZoneRecords", asked)["Records"]["Record"]
            except Failed as error:
                if error.is_one_of(*ZONE_GONE):
                    raise Gone from None
                raise
            for one in found:
                if str(one["RecordId"]) == record_id:
                    assert isinstance(one, dict)
                    return one
            if len(found) < 20:
                break
        raise Gone

    def read(self, resource_id: str) -> State:
        said = self._described(resource_id)
        return {
            "record_id": str(said["RecordId"]),
            "zone_id": resource_id.partition(":")[2],
            "priority": said.get("Priority", 0),
            "remark": said["Remark"],
            "rr": said["Rr"],
            "status": said["Status"],
            "ttl": said["Ttl"],
            "type": said["Type"],
            "value": said["Value"],
        }

    def update(self, resource_id: str, old: State, new: State) -> None:
        self._described(resource_id)
        record: State = {"RecordId": resource_id.partition(":")[0]}
        if changed(old, new, "remark"):
            self.tea("UpdateRecordRemark", {**record, "Remark": new.get("remark", "")})
        if changed(old, new, "status"):
            self.tea("SetZoneRecordStatus", {**record, "Status": new.get("status", "ENABLE")})
        if changed(old, new, "rr", "type", "value", "priority", "ttl"):
            again = {"Rr": new["rr"], "Type": new["type"], "Value": new["value"]}
            for name, parameter in (("priority", "Priority"), ("ttl", "Ttl")):
                if changed(old, new, name):
                    again[parameter] = new.get(name, 0)
            self.tea("UpdateZoneRecord", {**record, **again})

    def destroy(self, resource_id: str) -> None:
        self._described(resource_id)
        self.tea("DeleteZoneRecord", {"RecordId": resource_id.partition(":")[0]})
