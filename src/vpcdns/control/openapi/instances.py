"""The actions on gateway instances. What an instance's binding means is the model's."""

from collections.abc import Iterable
from typing import Any, Final

from vpcdns.control.openapi.access_control import ACL_FIELDS
from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError, forbidden, invalid, missing
from vpcdns.control.openapi.kept_objects import private_dns_of
from vpcdns.control.openapi.parameters import Action, integer
from vpcdns.model.changes import Bind, CreateInstance, DeleteInstance, Unbind
from vpcdns.model.gateway import Instance, InstanceType
from vpcdns.state.api_attributes import object_key

# Stored and returned; by CreateInstance, and by ModifyInstanceAttribute.
_MADE_WITH: Final = (
    *("InstanceName", "InstanceSpec", "HttpsPolicy", "InstanceType", "ZoneId", "InstanceCidr", "UserVpcId"),
    *("PricingCycle", "Duration"),
)
_FLAGS: Final = ("VpcSlbIntranetEnable", "EgressIpv6Enable", "IPV6Enabled")
_MODIFIED: Final = (
    *("InstanceName", "HttpsPolicy", "IntranetSegments", "MaintainStartTime", "MaintainEndTime"),
    *_FLAGS,
)
# As the Terraform provider wants to read what the console and itself write.
_CHARGE_TYPES: Final = {
    **dict.fromkeys(("payasyougo", "postpaid", "postpay"), "PayAsYouGo"),
    **dict.fromkeys(("prepay", "prepaid"), "PrePaid"),
}
# When they are described.
_RENAMED: Final = {"UserVpcId": "ConnectVpcId", "InstanceCidr": "InstanceCidrBlock"}
_DESCRIBED: Final = (
    *("ZoneId", "UserVpcId", "InstanceCidr", "CreatedTime", "IntranetSegments"),
    *("MaintainStartTime", "MaintainEndTime"),
)
_TYPES: Final = ("normal", "vpc_connect")
_KINDS: Final = ("VPC_SHARED", "VPC_DEDICATED", *(one.upper() for one in _TYPES))
_PERIODS: Final = {"YEAR": 3, "MONTH": 9}  # what an instance is paid for in advance, and how many at most
# Of a vpc_connect instance: what it has in each zone.
_INTERFACE: Final = ("ZoneId", "VSwitchId", "CidrBlock", "SecurityGroupId")
_ID_DIGITS: Final = len("ead4f4b0bac8")
# Region -> the two letters in an instance's id, where the last part of its name does not give them.
_LETTERS: Final = {"cn-hangzhou": "hz", "cn-shanghai": "sh", "cn-beijing": "bj", "cn-shenzhen": "sz"}


def create_instance(call: Call) -> dict[str, Any]:
    """A dedicated instance, unbound; the same Token gives the same instance again."""
    record = call.kept(*_MADE_WITH)
    for name in ("InstanceName", "InstanceSpec", "Token"):
        call.required(name)
    if record.get("InstanceType", "normal") not in _TYPES:
        raise invalid("InstanceType", f"Write one of {', '.join(_TYPES)}.")
    charge_type = _charge_type(call)
    region_id, interfaces = call.region_id, _interfaces(call)
    letters = _LETTERS.get(region_id) or region_id.rpartition("-")[2][:2].ljust(2, "x")
    instance_id = f"apigateway-{letters}-{call.new_id('Token', region_id)[:_ID_DIGITS]}"
    instance = Instance(instance_id, region_id, InstanceType.DEDICATED)
    if not call.is_repeated(call.world.instances.get(instance.key), "Token"):
        record |= {"ChargeType": charge_type, "CreatedTime": call.at, "Interfaces": interfaces}
        record |= call.request_mark("Token")
        call.commit(CreateInstance(instance), records={object_key(instance): record})
    return {"InstanceId": instance_id, "TagStatus": True}


def describe_instances(call: Call) -> dict[str, Any]:
    """All of the region, serverless ones too; an unknown id gives an empty list."""
    kind, tags = call.parameters.get("InstanceType"), call.tags()
    found: Iterable[Instance] = (
        one for one in call.world.instances.values() if call.in_region(one.region_id)
    )
    if call.parameters.get("InstanceId") is not None:
        try:
            found = [call.instance()]
        except ApiError:
            found = []
    if kind is not None:
        kind = call.one_of("InstanceType", _KINDS)
        found = (one for one in found if kind in (_kind(one), dedicated_type(call, one).upper()))
    if tags:
        found = (one for one in found if call.has_tags(one, tags))
    return call.page(list(found), "Instances", "InstanceAttribute", lambda one: _attribute(call, one))


def delete_instance(call: Call) -> dict[str, Any]:
    instance = _dedicated(call)
    return call.commit(DeleteInstance(instance.key), records={object_key(instance): None})


def modify_instance_attribute(call: Call) -> dict[str, Any]:
    instance = call.instance()
    for name in _FLAGS:
        call.flag(name)
    return call.commit(records=call.edited(instance, call.kept(*_MODIFIED)))


def modify_instance_spec(call: Call) -> dict[str, Any]:
    instance = _dedicated(call)
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
    else:
        call.vswitch(vswitch_id)
    owner = call.parameters.get("VpcOwnerId")
    had, address = instance.binding, None
    if had is not None and (had.vpc_id, had.vswitch_id) == (vpc.vpc_id, vswitch_id):
        address = had.address
    bind = Bind(instance.key, vpc.vpc_id, vswitch_id, address)
    return call.commit(bind, records=call.edited(instance, {"VpcOwnerId": owner}))


def dedicated_type(call: Call, instance: Instance) -> str:
    """`normal` or `vpc_connect`; empty for a serverless one."""
    is_dedicated = instance.type is InstanceType.DEDICATED
    return str(call.record(instance).get("InstanceType", "normal")) if is_dedicated else ""


def backends_vpc(call: Call, instance: Instance) -> str | None:
    """The VPC that a vpc_connect instance is inside of, on its backends' side; None: not of that type."""
    if dedicated_type(call, instance) != "vpc_connect":
        return None
    return str(call.record(instance).get("UserVpcId", ""))


def _kind(instance: Instance) -> str:
    return "VPC_DEDICATED" if instance.type is InstanceType.DEDICATED else "VPC_SHARED"


def _dedicated(call: Call) -> Instance:
    """The instance that `InstanceId` names, which is one's own and not the region's shared one."""
    instance = call.instance()
    if instance.type is not InstanceType.DEDICATED:
        why = f"{instance.instance_id} is serverless: it is the region's own, and has no specification."
        raise forbidden("InstanceId", why)
    return instance


def _charge_type(call: Call) -> str:
    """As it is described; an instance that is paid for in advance is so for some months or years."""
    charge_type = _CHARGE_TYPES.get(call.required("ChargeType").lower())
    if charge_type is None:
        raise invalid("ChargeType", "Write PayAsYouGo or PrePaid.")
    if charge_type == "PrePaid":
        call.required("Duration")
        call.number("Duration", 1, _PERIODS[call.one_of("PricingCycle", _PERIODS)])
    return charge_type


def _interfaces(call: Call) -> list[dict[str, str]]:
    """What a vpc_connect instance has in each zone of its backends' VPC, as it is described; others: none."""
    if call.parameters.get("InstanceType") != "vpc_connect":
        return []
    user_vpc = call.vpc("UserVpcId") if "UserVpcId" in call.parameters else None
    interfaces = []
    for one in call.structures("ZoneVSwitchSecurityGroup", *_INTERFACE):
        vswitch_id = one.pop("VSwitchId", None)
        if vswitch_id is None:
            raise missing("ZoneVSwitchSecurityGroup.VSwitchId")
        if user_vpc is None:
            call.vswitch(vswitch_id)
        elif user_vpc.vswitch(vswitch_id) is None:
            raise invalid("ZoneVSwitchSecurityGroup", f"vSwitch {vswitch_id} is not in {user_vpc.vpc_id}.")
        interfaces.append({**one, "VswitchId": vswitch_id})
    return interfaces


def _attribute(call: Call, instance: Instance) -> dict[str, Any]:
    """InstanceAttribute. No field has the private address: only DNS shows it, as in the cloud."""
    record = call.record(instance)
    kind = dedicated_type(call, instance)
    attribute: dict[str, Any] = {
        "InstanceId": instance.instance_id,
        "InstanceName": record.get("InstanceName", instance.instance_id),
        "InstanceType": _kind(instance),
        "Status": "RUNNING",
        "RegionId": instance.region_id,
        "InstanceSpec": record.get("InstanceSpec", "api.s1.small" if kind else ""),
        "InstanceChargeType": record.get("ChargeType", "PayAsYouGo"),
        "HttpsPolicies": record.get("HttpsPolicy", "HTTPS2_TLS1_2"),
        "VpcIntranetEnable": call.look_ups.enabled_groups(instance.key) > 0,
        **{name: record[name] for fields in ACL_FIELDS.values() for name in fields if name in record},
        # Terraform reads `ipv6_enabled` here.
        "VipTypeList": "VPC_INTERNET_IPV6" if record.get("IPV6Enabled", "").lower() == "true" else "",
        "PrivateDnsList": {"PrivateDns": private_dns_of(call, instance)},
        **{
            "SupportIpv6" if name == "IPV6Enabled" else name: record.get(name, "false").lower() == "true"
            for name in _FLAGS
        },
        "NetworkInterfaceAttributes": {"NetworkInterfaceAttribute": list(record.get("Interfaces", []))},
        "Tags": {"TagInfo": list(record.get("Tags", []))},
    }
    if kind:
        attribute["DedicatedInstanceType"] = kind
    if instance.binding is not None:
        attribute |= {"UserVpcId": instance.binding.vpc_id, "UserVswitchId": instance.binding.vswitch_id}
        # A state file may have what was stored before numbers were checked.
        if (owner := integer(record.get("VpcOwnerId", ""))) is not None:
            attribute["VpcOwnerId"] = owner
    return attribute | {_RENAMED.get(name, name): record[name] for name in _DESCRIBED if name in record}


_TAGS: Final = "Tag.N.Key Tag.N.Value"
ACTIONS: Final = {
    "CreateInstance": Action(
        create_instance,
        "InstanceName InstanceSpec ChargeType Token HttpsPolicy InstanceType ZoneId InstanceCidr UserVpcId"
        f" Duration:int PricingCycle {_TAGS} "
        + " ".join(f"ZoneVSwitchSecurityGroup.N.{name}" for name in _INTERFACE),
        "AutoPay:bool",
    ),
    "DescribeInstances": Action(
        describe_instances,
        f"InstanceId InstanceType {_TAGS} PageNumber:int PageSize:int",
        "EnableTagAuthorization:bool",
    ),
    "DeleteInstance": Action(delete_instance, "InstanceId", _TAGS),
    "ModifyInstanceAttribute": Action(
        modify_instance_attribute,
        f"InstanceId {' '.join(_MODIFIED)}",
        "Token",
        refused="DeleteVpcIpBlock ToConnectVpcIpBlock",
    ),
    "ModifyInstanceSpec": Action(
        modify_instance_spec, "InstanceId InstanceSpec Token", "AutoPay:bool ModifyAction SkipWaitSwitch:bool"
    ),
    "ModifyInstanceVpcAttributeForConsole": Action(
        modify_instance_vpc_attribute,
        "InstanceId VpcId VswitchId VpcOwnerId:int DeleteVpcAccess:bool",
        "Token",
    ),
}
