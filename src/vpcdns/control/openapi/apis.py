"""The actions on APIs of groups, which are stored and returned: DNS does not know what a name serves."""

import secrets
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import exceeded, not_found, repeated
from vpcdns.control.openapi.json_parameters import MAX_TEXT, json_of
from vpcdns.control.openapi.kept_objects import Kept, added, all_kept, find, without
from vpcdns.control.openapi.parameters import Action
from vpcdns.state.api_attributes import KeptKey, Kind

MAX_APIS: Final = 1_000  # of a group; the cloud's
_STAGES: Final = ("RELEASE", "PRE", "TEST")
_TEXTS: Final = (
    *("ApiName", "Description", "Visibility", "AuthType", "AppCodeAuthType", "AllowSignatureMethod"),
    *("WebSocketApiType", "ResultType", "ResultSample", "FailResultSample", "ResultBodyModel"),
)
_FLAGS: Final = ("BackendEnable", "DisableInternet", "ForceNonceCheck")
_OBJECTS: Final = ("RequestConfig", "ServiceConfig", "OpenIdConnectConfig")
# In requests a list as JSON; in responses a list within an object, under the second name.
_LISTS: Final = {
    "RequestParameters": "RequestParameter",
    "ServiceParameters": "ServiceParameter",
    "ServiceParametersMap": "ServiceParameterMap",
    "ConstantParameters": "ConstantParameter",
    "SystemParameters": "SystemParameter",
    "ErrorCodeSamples": "ErrorCodeSample",
    "ResultDescriptions": "ResultDescription",
}
# What one of the two descriptions of an API has, and the other has not.
_ONLY_DEPLOYED: Final = ("ResultDescriptions",)
_NEVER_DEPLOYED: Final = ("AppCodeAuthType", "WebSocketApiType", "BackendEnable")


def create_api(call: Call) -> dict[str, Any]:
    group = call.group()
    for name in ("ApiName", "Visibility", "RequestConfig", "ServiceConfig", "ResultType", "ResultSample"):
        call.required(name)
    if len(there := all_kept(call, Kind.API, group.group_id)) >= MAX_APIS:
        raise exceeded("Api", f"A group has at most {MAX_APIS}.")
    definition = {"Visibility": "PRIVATE", **_definition(call)}
    _check_name(definition["ApiName"], there)
    key = KeptKey(Kind.API, group.group_id, secrets.token_hex(16))
    made = {"Definition": definition, "Deployed": {}, **({"Tags": tags} if (tags := call.tags()) else {})}
    call.commit(records=added(call, key, group.region_id, made))
    return {"ApiId": key.kept_id}


def modify_api(call: Call) -> dict[str, Any]:
    """Changes what is given; stages keep what was deployed to them."""
    one, definition = _api(call), _definition(call)
    if (name := definition.get("ApiName")) not in (None, one.record["Definition"]["ApiName"]):
        _check_name(str(name), all_kept(call, Kind.API, one.key.owner))
    return call.commit(
        records=call.edited(one.key, {"Definition": {**one.record["Definition"], **definition}})
    )


def describe_api(call: Call) -> dict[str, Any]:
    one = _api(call)
    definition = one.record["Definition"]
    backend = {"BackendConfig": {"BackendId": definition["BackendId"]}} if "BackendId" in definition else {}
    return {
        **_identity(call, one),
        **one.shown("CreatedTime", "ModifiedTime"),
        **_shown(definition, but=("BackendId", *_ONLY_DEPLOYED)),
        **backend,
        "DeployedInfos": {"DeployedInfo": _stages(one)},
        "TagList": {"Tag": _tags(one)},
    }


def describe_apis(call: Call) -> dict[str, Any]:
    """Those for which all that is asked for holds; of a name or a path a part is enough."""
    found = all_kept(call, Kind.API, call.parameters.get("GroupId"))
    if (api_id := call.parameters.get("ApiId")) is not None:
        found = [one for one in found if one.key.kept_id == api_id]
    for name, field, part in (
        ("ApiName", "ApiName", True),
        ("Visibility", "Visibility", False),
        ("ApiPath", "RequestPath", True),
        ("ApiMethod", "RequestHttpMethod", False),
    ):
        if (said := call.parameters.get(name)) is not None:
            found = [one for one in found if _matches(said, _of(one, field), part=part)]
    if (stage := call.parameters.get("StageName")) is not None:
        found = [one for one in found if stage.upper() in one.record["Deployed"]]
    if call.flag("UnDeployed"):
        found = [one for one in found if not one.record["Deployed"]]
    if tags := call.tags():
        found = [one for one in found if call.has_tags(one.key, tags)]
    return call.page(found, "ApiSummarys", "ApiSummary", lambda one: _summary(call, one))


def deploy_api(call: Call) -> dict[str, Any]:
    """A stage has the API as it is now."""
    one, stage = _api(call), call.one_of("StageName", _STAGES)
    call.required("Description")
    deployed = {"Definition": one.record["Definition"], "Time": call.at, "Version": call.at.replace(":", "")}
    return call.commit(
        records=call.edited(one.key, {"Deployed": {**one.record["Deployed"], stage: deployed}})
    )


def abolish_api(call: Call) -> dict[str, Any]:
    one, stage = _api(call), call.one_of("StageName", _STAGES)
    left = {name: each for name, each in one.record["Deployed"].items() if name != stage}
    if stage not in one.record["Deployed"]:
        raise _not_deployed(one, stage)
    return call.commit(records=call.edited(one.key, {"Deployed": left}))


def describe_deployed_api(call: Call) -> dict[str, Any]:
    one, stage = _api(call), call.one_of("StageName", _STAGES)
    deployed = one.record["Deployed"].get(stage)
    if deployed is None:
        raise _not_deployed(one, stage)
    shown = _shown(deployed["Definition"], but=("BackendId", *_NEVER_DEPLOYED))
    return {**_identity(call, one), **shown, "StageName": stage, "DeployedTime": deployed["Time"]}


def delete_api(call: Call) -> dict[str, Any]:
    return call.commit(records=without(_api(call)))


def _definition(call: Call) -> dict[str, Any]:
    """What a request says of an API, as it is kept."""
    said: dict[str, Any] = {}
    for name in (*_TEXTS, "BackendId"):
        if (text := call.parameters.get(name)) is not None:
            if len(text) > MAX_TEXT:
                raise call.invalid(name, f"At most {MAX_TEXT} characters.")
            said[name] = text
    for name in _FLAGS:
        if (on := call.flag(name)) is not None:
            said[name] = on
    for kind, names in ((dict, _OBJECTS), (list, tuple(_LISTS))):
        for name in names:
            if (value := json_of(call, name, kind)) is not None:
                said[name] = _capitalised(value)
    return said


def _capitalised(value: Any) -> Any:
    """JSON as responses write it: clients may begin the names of its fields with small letters."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _capitalised(one) for name, one in value.items()}
    return [_capitalised(one) for one in value] if isinstance(value, list) else value


def _shown(definition: dict[str, Any], but: tuple[str, ...]) -> dict[str, Any]:
    texts = {name: definition.get(name, "") for name in _TEXTS if name not in but}
    flags = {name: definition.get(name, False) for name in _FLAGS if name not in but}
    objects: dict[str, Any] = {name: definition[name] for name in _OBJECTS if name in definition}
    lists = {name: {inner: definition.get(name, [])} for name, inner in _LISTS.items() if name not in but}
    return {**texts, **flags, **objects, **lists}


def _identity(call: Call, one: Kept) -> dict[str, Any]:
    group = call.world.groups[one.key.owner]
    said = {"GroupId": group.group_id, "GroupName": group.name, "RegionId": group.region_id}
    return {"ApiId": one.key.kept_id, **said}


def _summary(call: Call, one: Kept) -> dict[str, Any]:
    return {
        **_identity(call, one),
        **one.shown("CreatedTime", "ModifiedTime"),
        **{name: _of(one, name) for name in ("ApiName", "Description", "Visibility")},
        "ApiPath": _of(one, "RequestPath"),
        "ApiMethod": _of(one, "RequestHttpMethod"),
        "DeployedInfos": {"DeployedInfo": _stages(one)},
        "TagList": {"Tag": _tags(one)},
    }


def _stages(one: Kept) -> list[dict[str, str]]:
    deployed = one.record["Deployed"]
    return [
        {
            "StageName": stage,
            "DeployedStatus": "DEPLOYED" if stage in deployed else "NONDEPLOYED",
            "EffectiveVersion": deployed[stage]["Version"] if stage in deployed else "",
        }
        for stage in _STAGES
    ]


def _tags(one: Kept) -> list[dict[str, str]]:
    return [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in one.record.get("Tags", ())]


def _of(one: Kept, field: str) -> str:
    definition = one.record["Definition"]
    return str(definition.get(field, definition.get("RequestConfig", {}).get(field, "")))


def _matches(said: str, value: str, *, part: bool) -> bool:
    return said in value if part else said.upper() == value.upper()


def _api(call: Call) -> Kept:
    api_id = call.required("ApiId")
    one = find(call, Kind.API, api_id)
    if one is None or one.key.owner != call.parameters.get("GroupId", one.key.owner):
        raise not_found("Api", f"API {api_id[:128]}.")
    return one


def _check_name(name: str, there: list[Kept]) -> None:
    if any(one.record["Definition"]["ApiName"] == name for one in there):
        raise repeated("ApiName", f"The group has an API {name} already.")


def _not_deployed(one: Kept, stage: str) -> Exception:
    return not_found("Stage", f"API {one.key.kept_id} deployed to {stage}.")


_DEFINED: Final = " ".join((*_TEXTS, *_OBJECTS, *_LISTS, *(f"{name}:bool" for name in _FLAGS), "BackendId"))
_ONE: Final = "GroupId ApiId"
_TAGS: Final = "Tag.N.Key Tag.N.Value"
ACTIONS: Final = {
    "CreateApi": Action(create_api, f"GroupId {_DEFINED} {_TAGS}"),
    "ModifyApi": Action(modify_api, f"{_ONE} {_DEFINED}"),
    "DescribeApi": Action(describe_api, _ONE),
    "DescribeApis": Action(
        describe_apis,
        f"{_ONE} ApiName Visibility ApiPath ApiMethod StageName UnDeployed:bool {_TAGS}"
        " PageNumber:int PageSize:int",
        "EnableTagAuth:bool",
        refused="CatalogId",
    ),
    "DeployApi": Action(deploy_api, f"{_ONE} StageName Description"),
    "AbolishApi": Action(abolish_api, f"{_ONE} StageName"),
    "DescribeDeployedApi": Action(describe_deployed_api, f"{_ONE} StageName"),
    "DeleteApi": Action(delete_api, _ONE),
}
