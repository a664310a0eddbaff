"""The cloud's SDK models for Python, read as facts: which parameters an action has, and of which types."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, Final

from tests.support.cloud_api import CLOUDAPI, PVTZ, VPC

CBN: Final = "2017-09-12"

PACKAGES: Final = {
    CLOUDAPI: "alibabacloud_cloudapi20160714",
    VPC: "alibabacloud_vpc20160428",
    PVTZ: "alibabacloud_pvtz20180101",
}
ASKED: Final = {**PACKAGES, CBN: "alibabacloud_cbn20170912"}  # of an account; vpcdns serves no CENs
_KINDS: Final = {"str": "text", "int": "int", "bool": "bool"}


def parameters(version: str, action: str) -> dict[str, str]:
    """`{"VpcId": "text", "PageSize": "int", "Tag.N.Key": "text", …}`; empty: the SDK has no such request."""
    models = importlib.import_module(f"{ASKED[version]}.models")
    # Of lists and objects that are sent as JSON the SDK has a second request, in which they are text.
    request = getattr(models, f"{action}ShrinkRequest", None) or getattr(models, f"{action}Request", None)
    return {} if request is None else dict(_fields(models, request, ""))


def response(version: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    """A response's body as the SDK's model of it has it: what the model does not know is gone."""
    model = getattr(importlib.import_module(f"{ASKED[version]}.models"), f"{action}ResponseBody")
    modelled: dict[str, Any] = model().from_map(body).to_map()
    return modelled


def _fields(models: Any, model: Any, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for attribute, parameter in inspect.signature(model.__init__).parameters.items():
        if attribute == "self":
            continue
        written, annotation = _written(model, attribute), str(parameter.annotation)
        inner = re.search(r"main_models\.(\w+)", annotation)
        name = f"{prefix}{written}{'.N' if annotation.startswith('List') else ''}"
        if inner is None:
            found.append((name, _KINDS[annotation.removeprefix("List[").removesuffix("]")]))
        elif annotation.startswith("List"):
            found += _fields(models, getattr(models, inner[1]), f"{name}.")
        else:
            found.append((name, "text"))  # an object, which is sent as JSON
    return found


def _written(model: Any, attribute: str) -> str:
    """An attribute's name in requests: `_v_switch_id` has no telling which of its letters are large."""
    said = re.search(rf"result\['(\w+)'\] = self\.{attribute}\b", source := inspect.getsource(model.to_map))
    if said is not None:
        return said[1]
    said = re.search(rf"result\['(\w+)'\] = \[\]\s+if self\.{attribute} is not None", source)
    assert said is not None, (model, attribute)
    return said[1]
