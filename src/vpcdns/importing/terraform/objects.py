"""Resources with their attributes read: checked, ids made up where none is known yet, references followed.

Knows attributes by name and type (`schema`), and how regions are told; not what they mean to us.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from vpcdns.config import Mistake, described
from vpcdns.importing.terraform.documents import SHOW, Document
from vpcdns.importing.terraform.placeholders import Placeholders
from vpcdns.importing.terraform.references import References
from vpcdns.importing.terraform.resources import Resource
from vpcdns.importing.terraform.schema import (
    DATA_SOURCES,
    RESOURCES,
    Attributes,
    GatewayGroup,
    GatewayInstance,
    VSwitch,
    is_given,
)

NEW: Final = "missing: its id is known after the apply only; this one stands in"
NOT_FOLLOWED: Final = "is known after the apply only, and nothing says what it is"
_EXPECTED: Final = {
    "string_type": "text",
    "list_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a mapping",
}
# cn-hangzhou-i, ap-southeast-1a, and the gateway's cn-hangzhou-MAZ6(i,j,k)
_ZONE: Final = re.compile(r"(.+?)(?:-|(?<=\d))(?:MAZ.*|[a-z])")
_DOMAIN: Final = re.compile(r"[0-9a-f]{32}-([a-z0-9-]+?)(?:-vpc)?\..+")


@dataclass(slots=True)
class Object:
    """A resource, or an item of what a data source read, with its attributes.

    `id` is a placeholder where `is_new`. `notes` are of references that had to be guessed or lead nowhere.
    """

    resource: Resource
    attributes: Any
    id: str
    is_new: bool = False
    region: str | None = None
    references: References | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.resource.address

    def one(self, name: str) -> str | None:
        """An attribute that names one thing, whether it is known yet or not."""
        value: str | None = getattr(self.attributes, name)
        if value is not None:
            return value
        return next(iter(self.unknown(name, many=False)), None)

    def one_at_last(self, name: str) -> str | None:
        """The same; an id that stands in if it will be something, and nothing says what."""
        return self.one(name) or next(iter(self.aliases(name) if self._is_given(name) else ()), None)

    def many(self, name: str) -> list[str]:
        """An attribute that names several."""
        known: list[str] = getattr(self.attributes, name)
        return known or self.unknown(name, many=True)

    def aliases(self, name: str) -> list[str]:
        """What others call it by an attribute of its own that is not known yet."""
        if self.references is None or not self.resource.unknown.get(name):
            return []
        return [self.references.placeholder(self.resource, name)]

    def _is_given(self, name: str) -> bool:
        """Whether the configuration says what it is; otherwise the provider decides."""
        return self.references is not None and self.references.is_given(self.resource, name)

    def unknown(self, name: str, *, many: bool) -> list[str]:
        """What an attribute that is known after the apply only will name."""
        if self.references is None or not self.resource.unknown.get(name) or not self._is_given(name):
            return []
        found = self.references.of(self.resource, name, many=many)
        values = list(found.values)
        if not values:
            self.notes.append(f"missing: {name} {NOT_FOLLOWED}")
        elif found.guessed:
            others = ", ".join(one.address for one in list(found.values.values())[1:])
            several = f"; it may be {others}" if others and not many else ""
            chosen = "" if many else f" {found.values[values[0]].address}"
            self.notes.append(f"guessed: {name} is known after the apply only:{chosen}{several}")
        return values if many else values[:1]


Objects = dict[str, list[Object]]


def read_objects(document: Document, resources: Iterable[Resource], placeholders: Placeholders) -> Objects:
    """The objects of one snapshot by type; raises ConfigurationError with every attribute of a wrong type."""
    resources = list(resources)
    references = References(document, resources, placeholders) if document.after is not None else None
    regions = _ProviderRegions(document, references)
    objects: Objects = defaultdict(list)
    mistakes: list[Mistake] = []
    for resource in _items(document, resources):
        if (kind := RESOURCES.get(resource.type)) is None:
            continue
        try:
            attributes = kind.model_validate(resource.values)
        except ValidationError as error:
            mistakes += (_mistake(resource, one) for one in error.errors(include_url=False))
            continue
        made = _object(resource, attributes, placeholders, references)
        made.region = region_of(attributes) or regions.of(resource)
        objects[resource.type].append(made)
    if mistakes:
        document.mistakes(*mistakes)
    return objects


def _object(
    resource: Resource, attributes: Attributes, placeholders: Placeholders, references: References | None
) -> Object:
    if attributes.id is not None and not resource.unknown.get("id"):
        return Object(resource, attributes, attributes.id, references=references)
    return Object(resource, attributes, placeholders.id_of(resource), is_new=True, references=references)


def _items(document: Document, resources: Iterable[Resource]) -> Iterator[Resource]:
    """The resources, and what data sources read as if each item were one; data last, as they say less."""
    sources = []
    for resource in resources:
        if resource.is_data:
            sources.append(resource)
        else:
            yield resource
    for resource in sources:
        key, kind = DATA_SOURCES.get(resource.type, ("", ""))
        if not key:
            continue
        for place, item in enumerate(document.expect(list, resource.values.get(key), *resource.where, key)):
            where = (*resource.where, key, place)
            values = {**resource.values, **document.expect(dict, item, *where)}
            if not is_given(values.get("id")):
                continue
            yield replace(resource, type=kind, values=values, where=where, unknown={})


def _mistake(resource: Resource, error: Any) -> Mistake:
    path = (*resource.where, *error["loc"])
    expected = _EXPECTED.get(error["type"], "a whole number")
    name = ".".join(map(str, error["loc"]))
    return Mistake(
        path, f"{resource.address}, {name}: expected {expected}, found {described(error['input'])}", SHOW
    )


def region_of(attributes: Attributes) -> str | None:
    """The region that an object's own attributes tell."""
    if attributes.region_id is not None:
        return attributes.region_id
    told: list[tuple[re.Pattern[str], str | None]] = []
    match attributes:
        case GatewayGroup():
            told = [(_DOMAIN, attributes.vpc_domain), (_DOMAIN, attributes.sub_domain)]
        case VSwitch():
            told = [(_ZONE, attributes.zone_id), (_ZONE, attributes.availability_zone)]
        case GatewayInstance():
            told = [(_ZONE, attributes.zone_id)]
    matches = (form.fullmatch(text) for form, text in told if text is not None)
    return next((match[1] for match in matches if match is not None), None)


class _ProviderRegions:
    """The regions that a plan's provider blocks name; a state does not tell them."""

    def __init__(self, document: Document, references: References | None) -> None:
        configuration = document.part(dict, document.value, "configuration")
        providers = document.part(dict, configuration, "configuration", "provider_config")
        variables = document.part(dict, document.value, "variables")
        self._references = references
        self._regions = {
            str(key): _region(one, variables) for key, one in providers.items() if isinstance(one, dict)
        }

    def of(self, resource: Resource) -> str | None:
        if self._references is None or not self._regions:
            return None
        key = self._references.provider_of(resource)
        return self._regions.get(key, self._regions.get(key.rpartition(":")[2]))


def _region(provider: dict[str, Any], variables: dict[str, Any]) -> str | None:
    expressions = provider.get("expressions")
    expression = expressions.get("region") if isinstance(expressions, dict) else None
    if not isinstance(expression, dict):
        return None
    value = expression.get("constant_value")
    for reference in expression.get("references") or ():
        variable = variables.get(str(reference).removeprefix("var."))
        value = variable.get("value") if value is None and isinstance(variable, dict) else value
    return value if isinstance(value, str) else None
