"""What Terraform or OpenTofu wrote: `show -json` of a state or a plan, or a state file of format 4.

Tells them apart by what is in them, and knows where resources stand in each; not what their attributes mean.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

from vpcdns.config import Mistake, described, error_of
from vpcdns.importing.terraform.resources import Path, Resource, ResourceChange

SHOW: Final = "write it by `terraform show -json FILE` (or `tofu show -json FILE`)"
_NO_STATE: Final = frozenset({"format_version", "terraform_version", "checks"})  # before the first apply
_KINDS: Final[dict[type[Any], str]] = {dict: "a mapping", list: "a list", str: "text"}
_AFTER_UTF_16: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(slots=True)
class Document:
    """One file. `before` is a state, or the prior state of a plan; `after`, what the plan makes of it."""

    file: str
    text: str
    value: dict[str, Any]
    before: list[Resource] = field(default_factory=list)
    after: list[Resource] | None = None
    changes: list[ResourceChange] = field(default_factory=list)
    deposed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    @property
    def recreated(self) -> list[ResourceChange]:
        """What is deleted before it is made anew, and whose names or routes are there again afterwards.

        VPCs and vSwitches are not: the cloud refuses to delete one in use.
        """
        return [
            one
            for one in self.changes
            if one.actions == ("delete", "create") and one.type not in ("alicloud_vpc", "alicloud_vswitch")
        ]

    def warnings(self) -> Iterator[str]:
        """Why a plan may not be all of what will happen."""
        if self.value.get("errored") is True:
            yield f"{self.file}: planning failed half-way, so this is not all of it"
        elif self.value.get("complete") is False:
            yield f"{self.file}: the plan has targets or deferred changes, so this is not all of it"

    def mistakes(self, *mistakes: Mistake) -> NoReturn:
        raise error_of(self.file, self.text, mistakes)

    def wrong(self, path: Path, what: str, way_out: str = SHOW) -> NoReturn:
        self.mistakes(Mistake(path, what, way_out))

    def expect(self, kind: type[Any], value: object, *path: str | int) -> Any:
        """`value`, if it is of that kind; nothing counts as an empty one."""
        if value is None:
            return kind()
        if not isinstance(value, kind):
            self.wrong(path, f"expected {_KINDS[kind]}, found {described(value)}")
        return value

    def part(self, kind: type[Any], of: dict[str, Any], *path: str | int) -> Any:
        """What the mapping `of` has under the last step of `path`."""
        value = of.get(str(path[-1]))
        return value if type(value) is kind else self.expect(kind, value, *path)


def read(file: str, octets: bytes) -> Document:
    """Reads one file; raises ConfigurationError with the file and the place of what is wrong."""
    text = _text(file, octets)
    document = Document(file, text, {})
    value = _json(document)
    if not isinstance(value, dict):
        document.wrong((), f"the top is {described(value)}, not a mapping")
    document.value = value
    if "planned_values" in value or "resource_changes" in value:
        _read_plan(document)
    elif "encrypted_data" in value:
        document.wrong((), "it is an encrypted state", "write it by `tofu show -json`")
    elif "format_version" in value and ("values" in value or value.keys() <= _NO_STATE):
        state = document.part(dict, value, "values")
        document.before = list(_modules(document, state, "values"))
    elif value.get("version") == 4:
        document.before = list(_state_file(document))
    elif "version" in value and "terraform_version" in value:
        document.wrong(
            ("version",), f"expected a state file of format 4, found {described(value['version'])}"
        )
    else:
        keys = ", ".join(list(value)[:5]) or "nothing at all"
        document.wrong((), f"this is neither a state nor a plan of Terraform's: it has {keys}")
    return document


def _text(file: str, octets: bytes) -> str:
    if octets.startswith(b"PK"):
        what = "it is a plan as `terraform plan -out` saves it"
        raise error_of(file, "", [Mistake((), what, SHOW)])
    encoding = _AFTER_UTF_16.get(octets[:2], "utf-8-sig")  # PowerShell's `>` writes UTF-16
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"octet {error.start} is not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'}"
        raise error_of(file, "", [Mistake((), what, SHOW)]) from None


def _json(document: Document) -> object:
    text = document.text
    if not text.strip():
        document.wrong((), "the file is empty")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        what, way_out = f"not JSON: {error.msg}", SHOW
        if '"@level"' in text[:500]:
            what, way_out = "it is the log that `terraform plan -json` prints", f"save the plan, and {SHOW}"
        elif not text.lstrip().startswith(("{", "[")):
            what = "it is no JSON"
        document.mistakes(Mistake((), what, way_out, line=error.lineno, column=error.colno))
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        document.wrong((), "it nests too deep" if deep else "a number in it is longer than any that is meant")


def _read_plan(document: Document) -> None:
    value = document.value
    prior = document.part(dict, value, "prior_state")
    values = document.part(dict, prior, "prior_state", "values")
    document.before = list(_modules(document, values, "prior_state", "values"))
    document.deposed.clear()  # they are among the changes
    unknown: dict[str, dict[str, Any]] = {}
    prior_addresses = {resource.address for resource in document.before}
    kept: list[Resource] = []
    for index, item in enumerate(document.part(list, value, "resource_changes")):
        change, resource = _change(document, item, "resource_changes", index)
        if change is None:  # it is there until the apply destroys it
            document.before.append(replace(resource, address=f"{resource.address} (deposed)"))
            continue
        document.changes.append(change)
        unknown[change.address] = change.unknown
        if change.before and change.address not in prior_addresses:
            moved = document.part(dict, item, "resource_changes", index).get("previous_address")
            if moved not in prior_addresses:  # an import: it exists, and Terraform learns of it now
                document.before.append(resource)
        if "forget" in change.actions:
            document.forgotten.append(change.address)
            kept.append(resource)
    planned = document.part(dict, value, "planned_values")
    after = [*_modules(document, planned, "planned_values"), *kept]
    for resource in after:
        resource.unknown = unknown.get(resource.address, {})
    addresses = {resource.address for resource in after}
    # What data sources read while it was planned stands in the prior state alone.
    read_before = (one for one in document.before if one.is_data and one.address not in addresses)
    document.after = [*after, *read_before]


def _change(document: Document, item: object, *path: str | int) -> tuple[ResourceChange | None, Resource]:
    """A change, and the resource as it was; no change for an object that is deposed."""
    given = document.expect(dict, item, *path)
    resource = _resource(document, given, {}, *path)
    change = document.part(dict, given, *path, "change")
    where = (*path, "change")
    before = document.part(dict, change, *where, "before")
    resource.values = before
    if given.get("deposed"):
        return None, resource
    actions = [
        document.expect(str, one, *where, "actions", place)
        for place, one in enumerate(document.part(list, change, *where, "actions"))
    ]
    after = document.part(dict, change, *where, "after")
    unknown = change.get("after_unknown")
    causes = [
        str(cause[0])
        for cause in document.part(list, change, *where, "replace_paths")
        if isinstance(cause, list) and cause
    ]
    made = ResourceChange(
        resource.address,
        resource.type,
        tuple(actions),
        before,
        after,
        unknown if isinstance(unknown, dict) else {},
        tuple(dict.fromkeys(causes)),
        document.part(str, given, *path, "action_reason"),
    )
    return made, resource


def _modules(document: Document, values: dict[str, Any], *path: str | int) -> Iterator[Resource]:
    """The resources of a tree of modules, as `show -json` writes it."""
    open_modules = [(document.part(dict, values, *path, "root_module"), (*path, "root_module"))]
    while open_modules:
        module, where = open_modules.pop()
        name = document.part(str, module, *where, "address")
        for index, item in enumerate(document.part(list, module, *where, "resources")):
            here = (*where, "resources", index)
            given = document.expect(dict, item, *here)
            if given.get("deposed_key"):
                document.deposed.append(str(given.get("address")))
                continue
            resource = _resource(document, given, document.part(dict, given, *here, "values"), *here)
            resource.module, resource.where = name, (*here, "values")
            yield resource
        children = document.part(list, module, *where, "child_modules")
        for index in reversed(range(len(children))):
            here = (*where, "child_modules", index)
            open_modules.append((document.expect(dict, children[index], *here), here))


def _resource(
    document: Document, given: dict[str, Any], values: dict[str, Any], *path: str | int
) -> Resource:
    address, kind, name, provider = (
        document.part(str, given, *path, key) for key in ("address", "type", "name", "provider_name")
    )
    if not address or not kind:
        document.wrong(path, "a resource without address and type")
    index = given.get("index")
    module = document.part(str, given, *path, "module_address")
    is_data = given.get("mode") == "data"
    return Resource(
        address,
        kind,
        name,
        values,
        path,
        module,
        index if isinstance(index, str | int) else None,
        provider,
        is_data,
    )


def _state_file(document: Document) -> Iterator[Resource]:
    for place, item in enumerate(document.part(list, document.value, "resources")):
        path = ("resources", place)
        given = document.expect(dict, item, *path)
        kind, name, module, provider = (
            document.part(str, given, *path, key) for key in ("type", "name", "module", "provider")
        )
        if not kind or not name:
            document.wrong(path, "a resource without type and name")
        is_data = given.get("mode") == "data"
        start = ".".join(filter(None, (module, "data" if is_data else "", kind, name)))
        for number, one in enumerate(document.part(list, given, *path, "instances")):
            where = (*path, "instances", number)
            instance = document.expect(dict, one, *where)
            index = instance.get("index_key")
            index = index if isinstance(index, str | int) else None
            address = start if index is None else f"{start}[{json.dumps(index, ensure_ascii=False)}]"
            if instance.get("deposed"):
                document.deposed.append(address)
                continue
            values = document.part(dict, instance, *where, "attributes")
            here = (*where, "attributes")
            yield Resource(address, kind, name, values, here, module, index, provider, is_data)
