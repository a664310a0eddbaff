"""What the API refuses with: the one table from our refusals to the cloud's codes and statuses.

Codes are those of the cloud's documents where it has one, in its form (`Missing%s`, `Invalid%s`, …) where
it has not. 4xx whatever a user does: clients repeat 5xx and `Throttling` for up to 25 minutes.
"""

import uuid
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final

from vpcdns.model.rules import Refusal, Rule

_RECOMMEND: Final = "https://api.aliyun.com/troubleshoot"


class Product(Enum):
    """The APIs, told apart by their version."""

    CLOUDAPI = ("2016-07-14", "apigateway")
    VPC = ("2016-04-28", "vpc")
    PVTZ = ("2018-01-01", "pvtz")

    def __init__(self, version: str, host: str) -> None:
        self.version = version
        self.host = host

    def host_in(self, region_id: str) -> str:
        """The name of the cloud's own host; PrivateZone has one for all regions."""
        return f"{self.host}{'' if self is Product.PVTZ else f'.{region_id}'}.aliyuncs.com"


def error_body(code: str, message: str, host: str = "", request_id: str = "") -> dict[str, Any]:
    """The form of all the cloud's errors."""
    return {
        "RequestId": request_id or new_request_id(),
        "HostId": host or Product.CLOUDAPI.host_in("local"),
        "Code": code,
        "Message": message,
        "Recommend": f"{_RECOMMEND}?q={code}",
    }


def new_request_id() -> str:
    return str(uuid.uuid4()).upper()


class ApiError(Exception):
    """A request that is refused, in the cloud's terms; never leaves `openapi`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def _named(code: str, text: str, status: int = 400) -> Callable[..., ApiError]:
    """A kind of error, whose code ends in what it is about; `why` follows the cloud's own text."""

    def error(what: str, why: str = "") -> ApiError:
        return ApiError(f"{code}{what}", f"{text.format(what)} {why}".rstrip(), status)

    return error


missing = _named("Missing", "The {} is mandatory for this action.")
invalid = _named("Invalid", "The specified parameter {} value is not valid.")
forbidden = _named("Forbidden", "Not allowed to operate on the specified {}.", 403)
bad_format = _named("InvalidFormat", "The specified parameter {} is not well formatted.")
repeated = _named("Repeated", "The specified {} is repeated.")
exceeded = _named("ExceedLimit", "The specified {} count exceeds the limit.")
not_found = _named("NotFound", "Cannot find resource according to your specified {}. There is no")


def wrong(product: Product, name: str, why: str) -> ApiError:
    """The product's error of a parameter whose value is none."""
    error = invalid(name, why)
    return ApiError("InvalidParameter", error.message) if product is Product.PVTZ else error


def unsupported(action: str, name: str, takes: Iterable[str]) -> ApiError:
    """A parameter that would not do here what it is meant to do."""
    has = ", ".join(takes) or "none"
    text = f"The parameter {name[:128]} of {action} is not supported here. It has: {has}."
    return ApiError("UnsupportedParameter", text)


def no_such_action(name: str, version: str) -> ApiError:
    """An action that is missing here. No 404, which the Terraform provider reads as: the resource is gone."""
    text = f"vpcdns has no action {name[:64]!r} of version {version[:16]!r}: the cloud may have it."
    return ApiError("UnsupportedOperation", text)


def token_of_another(what: str, by: str = "ClientToken") -> ApiError:
    text = f"This {by} has made {what}; take another token for another object."
    return ApiError("IdempotentParameterMismatch", text)


def dry_run_operation() -> ApiError:
    """What the cloud answers when a request with DryRun is as it should be."""
    text = "Request validation has been passed with DryRun flag set; nothing was done."
    return ApiError("DryRunOperation", text)


def refused(refusal: Refusal, product: Product) -> ApiError:
    """The cloud's word for a broken rule, with our message: the rule, the object and the way out."""
    field = next((part for part in reversed(refusal.where) if isinstance(part, str)), "")
    table = _TABLES[product]
    code, status = table.get((refusal.rule, field)) or table[refusal.rule, ""]
    return ApiError(code, str(refusal), status)


_Table = dict[tuple[Rule, str], tuple[str, int]]

# Rule and the field that is at fault -> code and status. "" stands for all other fields.
_CLOUDAPI: Final[_Table] = {
    (Rule.ONE_INSTANCE, "instance_id"): ("NotFoundInstance", 400),
    (Rule.ONE_INSTANCE, ""): ("DependencyViolationInstance", 400),
    (Rule.DOMAIN_NAME, ""): ("InvalidRegionId", 400),
    (Rule.SHARED_ADDRESS, ""): ("InvalidInstanceId", 400),
    (Rule.BINDING, "vpc_id"): ("InvalidVpcId", 400),
    (Rule.BINDING, "vswitch_id"): ("InvalidVswitchId", 400),
    (Rule.BINDING, "address"): ("InvalidVswitchId", 400),
    (Rule.BINDING, "binding"): ("InvalidInstanceId", 400),
    (Rule.BINDING, ""): ("NotFoundVpc", 400),  # to unbind what is not bound
    (Rule.BOUND_BEFORE_ENABLED, "vpc_domain"): ("ForbiddenVpcIntranetEnable", 403),
    (Rule.BOUND_BEFORE_ENABLED, ""): ("DependencyViolationVpc", 400),  # to unbind while a name is on
    (Rule.BOUND_BEFORE_MIGRATED, ""): ("InvalidTargetInstanceId", 400),
    (Rule.CUSTOM_DOMAIN, "custom_domains"): ("ForbiddenDomainName", 403),  # on a serverless instance
    (Rule.CUSTOM_DOMAIN, ""): ("InvalidDomainName", 400),
    (Rule.HYBRID, ""): ("InvalidVpcId", 400),
    (Rule.PRIVATE_ZONE, ""): ("InvalidDomainName", 400),
    (Rule.REFERENCE, "group_id"): ("NotFoundApiGroup", 400),
    (Rule.REFERENCE, "custom_domains"): ("NotFoundDomain", 400),
    (Rule.REFERENCE, ""): ("NotFoundInstance", 400),
    (Rule.UNIQUE, "instance_id"): ("RepeatedInstanceId", 400),
    (Rule.UNIQUE, "group_id"): ("RepeatedGroupId", 400),
    (Rule.UNIQUE, "address"): ("InvalidVswitchId", 400),
    (Rule.UNIQUE, ""): ("RepeatedDomainName", 400),
    (Rule.ADDRESS_PLAN, ""): ("InvalidVpcId", 400),
    (Rule.VSWITCH_ROUTE, ""): ("InvalidVpcId", 400),
    (Rule.SERVICE_SPACE, ""): ("InvalidVpcId", 400),
    (Rule.EDITION, ""): ("InvalidVpcId", 400),
    (Rule.SOURCE_NETWORK, ""): ("InvalidVpcId", 400),
}
_VPC: Final[_Table] = {
    **{(rule, ""): ("InvalidParameter", 400) for rule in Rule},
    (Rule.ADDRESS_PLAN, ""): ("InvalidCidrBlock", 400),
    (Rule.VSWITCH_ROUTE, ""): ("InvalidCidrBlock.Overlapped", 400),  # a vSwitch that holds a route
    (Rule.REFERENCE, "vpc_id"): ("InvalidVpcID.NotFound", 404),
    (Rule.REFERENCE, "vswitch_id"): ("InvalidVswitchID.NotFound", 404),
    (Rule.REFERENCE, ""): ("DependencyViolation", 400),  # a VPC that something names
    (Rule.BINDING, ""): ("DependencyViolation", 400),  # a vSwitch that an instance is bound to
    (Rule.HYBRID, ""): ("DependencyViolation", 400),  # or that an inbound endpoint is in
    (Rule.UNIQUE, ""): ("InvalidParameter.Duplicate", 400),
}
_PVTZ: Final[_Table] = {
    **{(rule, ""): ("InvalidParameter", 400) for rule in Rule},
    (Rule.REFERENCE, "private_zone_id"): ("Zone.NotExists", 400),
    (Rule.REFERENCE, "vpcs"): ("ZoneVpc.NotExists.VpcId", 400),
    (Rule.REFERENCE, "record_id"): ("Record.NotExists", 400),
    (Rule.UNIQUE, "vpcs"): ("ZoneVpc.Invalid.Conflict", 400),  # two zones of one name in one VPC
    (Rule.UNIQUE, ""): ("Record.Invalid.Conflict", 400),
    (Rule.PRIVATE_ZONE, "zone"): ("Zone.Invalid.Name", 400),
    (Rule.PRIVATE_ZONE, "vpcs"): ("Zone.VpcExists", 400),  # to delete a zone that is bound
    (Rule.PRIVATE_ZONE, "name"): ("Record.Invalid.Rr", 400),
    (Rule.PRIVATE_ZONE, "type"): ("Record.Invalid.Type", 400),
    (Rule.PRIVATE_ZONE, "values"): ("QuotaExceeded.Record", 400),
    (Rule.PRIVATE_ZONE, ""): ("Record.Invalid.Conflict", 400),  # beside a CNAME, or CNAMEs that go round
}
_TABLES: Final = {Product.CLOUDAPI: _CLOUDAPI, Product.VPC: _VPC, Product.PVTZ: _PVTZ}
