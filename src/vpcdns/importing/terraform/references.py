"""What will be known after an apply only: references are followed, to ids that may be placeholders.

A plan's `configuration` has no values for such attributes, but it names what their expressions refer to:
resources, outputs of modules, variables that a module is given. It does not show locals: what a reference
to one means is guessed if the plan makes one such thing only. Which of several instances is meant is guessed
by index. Guesses are said.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from vpcdns.importing.inventory import GROUP_DOMAINS
from vpcdns.importing.terraform.documents import Document
from vpcdns.importing.terraform.placeholders import Placeholders
from vpcdns.importing.terraform.resources import Resource
from vpcdns.importing.terraform.schema import NAMED_BY

MAX_DEPTH: Final = 40  # modules within modules, and outputs of outputs

_INDEX: Final = r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]'
_STEP: Final = re.compile(rf"([^.\[\]]+)|({_INDEX})")
_MODULE: Final = re.compile(rf"module\.([^.\[]+)({_INDEX})?")

_NO_RESOURCES: Final = frozenset({"local", "path", "each", "count", "terraform", "self"})

Module = tuple[tuple[str, str], ...]  # names, and indexes as they are written
Steps = list[str]


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose attribute is looked for. `many`: all that it names; `nth`: which of a list, by an index."""

    resource: Resource
    many: bool
    nth: int | None = None

    def at(self, rest: Steps) -> "Asker":
        """The same, behind an index that the remaining steps may have."""
        number = _number(rest)
        return self if number is None else replace(self, nth=number)


@dataclass(slots=True)
class Found:
    """What a reference leads to. `guessed` says that another instance, or another resource, may be meant."""

    values: dict[str, Resource] = field(default_factory=dict)
    guessed: bool = False

    def add(self, other: "Found") -> None:
        self.values.update(other.values)
        self.guessed |= other.guessed


class References:
    """The expressions of one plan, and the resources that they may name."""

    def __init__(self, document: Document, resources: Iterable[Resource], placeholders: Placeholders) -> None:
        configuration = document.part(dict, document.value, "configuration")
        self._root: dict[str, Any] = document.part(dict, configuration, "configuration", "root_module")
        self._placeholders = placeholders
        self._instances: dict[tuple[Module, str], dict[str, Resource]] = defaultdict(dict)
        self._modules: dict[tuple[Module, str], dict[str, None]] = defaultdict(dict)
        self._blocks: dict[tuple[str, ...], dict[str, Any]] = {}
        self._new: dict[str, list[Resource]] = defaultdict(list)
        for resource in resources:
            if resource.unknown.get("id"):
                self._new[resource.type].append(resource)
            module = _module(resource.module)
            self._instances[module, _name(resource)][_index(resource)] = resource
            for depth in range(len(module)):
                called, index = module[depth]
                self._modules[module[:depth], called][index] = None

    def of(self, resource: Resource, attribute: str, *, many: bool = False) -> Found:
        """What an attribute that is not known yet will name."""
        found = self._of(resource, attribute, many, 0)
        new = self._new[_named_type(resource, attribute)]
        if not found.values and len(new) == 1:
            return Found({self._placeholders.id_of(new[0]): new[0]}, guessed=True)
        return found

    def is_given(self, resource: Resource, attribute: str) -> bool:
        """Whether the configuration gives it an expression; what it does not, the provider decides.

        It may, where the configuration does not have the resource.
        """
        block = self._block(resource)
        return not block or attribute in _mapping(block.get("expressions"))

    def placeholder(self, resource: Resource, attribute: str) -> str:
        """What stands in for an attribute of its own that nothing gives."""
        return self._placeholders.id_of(resource, attribute)

    def provider_of(self, resource: Resource) -> str:
        """The key of its provider's configuration."""
        return str(self._block(resource).get("provider_config_key") or "alicloud")

    def _of(self, resource: Resource, attribute: str, many: bool, depth: int) -> Found:
        expression = _mapping(self._block(resource).get("expressions")).get(attribute)
        found = self._follow(_references(expression), _module(resource.module), Asker(resource, many), depth)
        wanted = _named_type(resource, attribute)
        named = {value: one for value, one in found.values.items() if one.type.startswith(wanted)}
        values = named or found.values
        return Found(values, found.guessed or (len(values) > 1 and not many))

    def _block(self, resource: Resource) -> dict[str, Any]:
        """A resource in the configuration."""
        path = tuple(name for name, _ in _module(resource.module))
        if path not in self._blocks:
            blocks = (_mapping(one) for one in _list(self._configured(path).get("resources")))
            self._blocks[path] = {str(one.get("address")): one for one in blocks}
        block: dict[str, Any] = _mapping(self._blocks[path].get(_name(resource)))
        return block

    def _configured(self, path: Iterable[str]) -> dict[str, Any]:
        """A module in the configuration."""
        module = self._root
        for name in path:
            call = _mapping(_mapping(module.get("module_calls")).get(name))
            module = _mapping(call.get("module"))
        return module

    def _follow(self, references: Iterable[str], module: Module, asker: Asker, depth: int) -> Found:
        found = Found()
        for reference in references if depth < MAX_DEPTH else ():
            match [name or index for name, index in _STEP.findall(reference)]:
                case ["var", name, *rest]:
                    found.add(self._variable(name, module, asker.at(rest), depth + 1))
                case ["module", name, *rest]:
                    found.add(self._output(name, rest, module, asker, depth + 1))
                case ["each", "value", *rest]:
                    each = _references(self._block(asker.resource).get("for_each_expression"))
                    found.add(self._follow(each, module, asker.at(rest), depth + 1))
                case ["data", kind, name, *rest]:
                    found.add(self._resource(f"data.{kind}.{name}", rest, module, asker, depth + 1))
                case [kind, name, *rest] if kind not in _NO_RESOURCES:
                    found.add(self._resource(f"{kind}.{name}", rest, module, asker, depth + 1))
        return found

    def _variable(self, name: str, module: Module, asker: Asker, depth: int) -> Found:
        """A variable of a module: what its call says."""
        if not module:
            return Found()
        outer = self._configured(called for called, _ in module[:-1])
        call = _mapping(_mapping(outer.get("module_calls")).get(module[-1][0]))
        expression = _mapping(call.get("expressions")).get(name)
        return self._follow(_references(expression), module[:-1], asker, depth)

    def _output(self, name: str, rest: Steps, module: Module, asker: Asker, depth: int) -> Found:
        instances = self._modules.get((module, name), {"": None})
        if rest and rest[0].startswith("["):
            chosen, rest = [one for one in (rest[0],) if one in instances], rest[1:]
            guessed = False
        else:
            chosen, guessed = _chosen(instances, asker)
        found = Found(guessed=guessed)
        for index in chosen if rest else ():
            inner = (*module, (name, index))
            outputs = _mapping(self._configured(called for called, _ in inner).get("outputs"))
            expression = _mapping(outputs.get(rest[0])).get("expression")
            found.add(self._follow(_references(expression), inner, asker.at(rest[1:]), depth))
        return found

    def _resource(self, name: str, rest: Steps, module: Module, asker: Asker, depth: int) -> Found:
        instances = self._instances.get((module, name), {})
        if rest and rest[0].startswith("[") and rest[0] in instances:
            chosen, guessed, rest = [rest[0]], False, rest[1:]
        else:
            rest = rest[1:] if rest and rest[0].startswith("[") else rest
            chosen, guessed = _chosen(instances, asker.at(rest[1:]))
        attribute = rest[0] if rest else "id"
        number = asker.at(rest[1:]).nth
        found = Found(guessed=guessed)
        for one in (instances[index] for index in chosen):
            if known := _texts(one.values.get(attribute)):
                if number is not None and number < len(known):
                    known = known[number : number + 1]
                found.values.update(dict.fromkeys(known, one))
            elif attribute != "id" and self._block(one) and self.is_given(one, attribute):
                found.add(self._of(one, attribute, asker.many, depth))
            else:
                found.values[self._stand_in(one, attribute)] = one
        return found

    def _stand_in(self, resource: Resource, attribute: str) -> str:
        if resource.type != "alicloud_api_gateway_group" or attribute not in GROUP_DOMAINS:
            return self._placeholders.id_of(resource, attribute)
        known = [] if resource.unknown.get("id") else _texts(resource.values.get("id"))
        return f"{known[0] if known else self._placeholders.id_of(resource)}.{attribute}"


def _named_type(resource: Resource, attribute: str) -> str:
    """The type of what an attribute names, `` where it may be several."""
    short = attribute.removeprefix("ingress_").removeprefix("host_")
    return NAMED_BY.get(f"{resource.type}.{attribute}") or NAMED_BY.get(short, "")


def _chosen(instances: Mapping[str, Any], asker: Asker) -> tuple[list[str], bool]:
    """Which of several instances are meant, by index, where a reference does not say; and if that is a guess.

    Two are as many as show that it is one.
    """
    if len(instances) < 2:
        return list(instances), False
    if asker.nth is not None and asker.nth < len(instances):
        return list(islice(instances, asker.nth, asker.nth + 1)), True
    if asker.many:
        return list(instances), False
    own = _index(asker.resource)
    return ([own] if own in instances else list(islice(instances, 2))), True


def _number(rest: Steps) -> int | None:
    return next((int(step[1:-1]) for step in rest if re.fullmatch(r"\[\d{1,9}\]", step)), None)


def _name(resource: Resource) -> str:
    return f"{'data.' if resource.is_data else ''}{resource.type}.{resource.name}"


def _index(resource: Resource) -> str:
    return "" if resource.index is None else f"[{json.dumps(resource.index, ensure_ascii=False)}]"


def _references(expression: object) -> list[str]:
    """What an expression refers to, each by its whole name; the shorter forms of it stand there as well."""
    found = list(dict.fromkeys(_all_references(expression)))
    ends = ((one, step.end()) for one in found for step in _STEP.finditer(one))
    shorter = {one[:end] for one, end in ends if end < len(one)}
    return [one for one in found if one not in shorter]


def _all_references(expression: object) -> Iterator[str]:
    pending = [expression]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += reversed(one)
        elif isinstance(one, dict):
            references = one.get("references")
            if isinstance(references, list):
                yield from (reference for reference in references if isinstance(reference, str))
            else:
                pending += [value for value in one.values() if isinstance(value, dict | list)]


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]


def _module(address: str) -> Module:
    return tuple(_MODULE.findall(address))


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
