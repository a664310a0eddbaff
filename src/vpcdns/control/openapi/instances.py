"""The actions on gateway instances. What an instance's binding means is the model's."""

import secrets
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError, invalid, missing, not_found
from vpcdns.model.changes import Bind, CreateInstance, DeleteInstance, Unbind
from vpcdns.model.gateway import Instance, InstanceType
from vpcdns.state.api_attributes import object_key

# What is echoed of CreateInstance and ModifyInstanceAttribute.
_KEPT: Final = (
    *("InstanceName", "InstanceSpec", "HttpsPolicy", "InstanceType", "ZoneId", "InstanceCidr", "UserVpcId"),
    *("VpcSlbIntranetEnable", "EgressIpv6Enable", "IPV6Enabled", "IntranetSegments"),
)
# As the Terraform provider wants to read what the console and itself write.
_CHARGE_TYPES: Final = {
    **dict.fromkeys(("payasyougo", "postpaid", "postpay"), "PayAsYouGo"),
    **dict.fromkeys(("prepay", "prepaid"), "PrePaid"),
}
# When they are described.
_RENAMED: Final = {"UserVpcId": "ConnectVpcId", "InstanceCidr": "InstanceCidrBlock"}
_FLAGS: Final = ("VpcSlbIntranetEnable", "IPV6Enabled", "EgressIpv6Enable")
_TYPES: Final = ("normal", "vpc_connect")
# Region -> the two letters in an instance's id, where the last part of its name does not give them.
_LETTERS: Final = {"cn-hangzhou": "hz", "cn-shanghai": "sh", "cn-beijing": "bj", "cn-shenzhen": "sz"}


def create_instance(call: Call) -> dict[str, Any]:
    """A dedicated instance, unbound; the same Token gives the same instance again."""
    record = call.kept(*_KEPT)
    for name in ("InstanceName", "InstanceSpec"):
        call.required(name)
    if record.get("InstanceType", "normal") not in _TYPES:
        raise invalid("InstanceType", f"Write one of {', '.join(_TYPES)}.")
    charge_type = _CHARGE_TYPES.get(call.required("ChargeType").lower())
    if charge_type is None:
        raise invalid("ChargeType", "Write PayAsYouGo or PrePaid.")
    token, region_id = call.required("Token"), call.region_id
    for instance in call.world.instances.values():
        if call.record(instance).get("Token") == token and instance.region_id == region_id:
            return {"InstanceId": instance.instance_id, "TagStatus": True}
    letters = _LETTERS.get(region_id) or region_id.rpartition("-")[2][:2].ljust(2, "x")
    instance = Instance(f"apigateway-{letters}-{secrets.token_hex(6)}", region_id, InstanceType.DEDICATED)
    record |= {"ChargeType": charge_type, "Token": token, "CreatedTime": call.at}
    call.commit(CreateInstance(instance), records={object_key(instance): record})
    return {"InstanceId": instance.instance_id, "TagStatus": True}


def describe_instances(call: Call) -> dict[str, Any]:
    """All of the region, serverless ones too; an unknown id gives an empty list."""
    if call.parameters.get("InstanceId") is not None:
        try:
            found = [call.instance()]
        except ApiError:
            found = []
    else:
        found = [one for one in call.world.instances.values() if call.in_region(one.region_id)]
    groups = call.world.groups.scan()
    enabled = {(group.region_id, group.instance_id) for _, group in groups if group.vpc_domain}
    return call.page(
        found, "Instances", "InstanceAttribute", lambda one: _attribute(call, one, one.key in enabled)
    )


def delete_instance(call: Call) -> dict[str, Any]:
    instance = call.instance()
    return call.commit(DeleteInstance(instance.key), records={object_key(instance): None})


def modify_instance_attribute(call: Call) -> dict[str, Any]:
    instance = call.instance()
    return call.commit(records=call.edited(instance, call.kept(*_KEPT)))


def modify_instance_spec(call: Call) -> dict[str, Any]:
    instance = call.instance()
    call.required("Token")
    return call.commit(records=call.edited(instance, {"InstanceSpec": call.required("InstanceSpec")}))


def modify_instance_vpc_attribute(call: Call) -> dict[str, Any]:
    """Binds, rebinds or unbinds a dedicated instance; its groups follow at once."""
    instance, vpc = call.instance(), call.vpc()
    if call.flag("DeleteVpcAccess"):
        if instance.binding is not None and instance.binding.vpc_id != vpc.vpc_id:
            raise invalid("VpcId", f"{instance.instance_id} is bound to {instance.binding.vpc_id}.")
        return call.commit(Unbind(instance.key), records=call.edited(instance, {"VpcOwnerId": None}))
    vswitch_id = call.parameters.get("VswitchId")
    if vswitch_id is None:
        if len(vpc.vswitches) != 1:
            raise missing("VswitchId")
        vswitch_id = vpc.vswitches[0].vswitch_id
    elif not any(one.vswitch(vswitch_id) for one in call.world.topology.vpcs.values()):
        raise not_found("Vswitch", f"vSwitch {vswitch_id}.")
    owner = call.parameters.get("VpcOwnerId")
    if owner is not None and not owner.isdecimal():
        raise invalid("VpcOwnerId", "Write a number.")
    had, address = instance.binding, None
    if had is not None and (had.vpc_id, had.vswitch_id) == (vpc.vpc_id, vswitch_id):
        address = had.address
    bind = Bind(instance.key, vpc.vpc_id, vswitch_id, address)
    return call.commit(bind, records=call.edited(instance, {"VpcOwnerId": owner}))


def _attribute(call: Call, instance: Instance, enabled: bool) -> dict[str, Any]:
    """InstanceAttribute. No field has the private address: only DNS shows it, as in the cloud."""
    record = call.record(instance)
    dedicated = instance.type is InstanceType.DEDICATED
    attribute: dict[str, Any] = {
        "InstanceId": instance.instance_id,
        "InstanceName": record.get("InstanceName", instance.instance_id),
        "InstanceType": "VPC_DEDICATED" if dedicated else "VPC_SHARED",
        "Status": "RUNNING",
        "RegionId": instance.region_id,
        "InstanceSpec": record.get("InstanceSpec", "api.s1.small" if dedicated else ""),
        "InstanceChargeType": record.get("ChargeType", "PayAsYouGo"),
        "HttpsPolicies": record.get("HttpsPolicy", "HTTPS2_TLS1_2"),
        "VpcIntranetEnable": enabled,
        **{name: record.get(name, "false").lower() == "true" for name in _FLAGS},
        "NetworkInterfaceAttributes": {"NetworkInterfaceAttribute": []},
        "Tags": {"TagInfo": list(record.get("Tags", []))},
    }
    if dedicated:
        attribute["DedicatedInstanceType"] = record.get("InstanceType", "normal")
    if instance.binding is not None:
        attribute |= {"UserVpcId": instance.binding.vpc_id, "UserVswitchId": instance.binding.vswitch_id}
        if "VpcOwnerId" in record:
            attribute["VpcOwnerId"] = int(record["VpcOwnerId"])
    names = ("ZoneId", "UserVpcId", "InstanceCidr", "CreatedTime", "IntranetSegments")
    return attribute | {_RENAMED.get(name, name): record[name] for name in names if name in record}
