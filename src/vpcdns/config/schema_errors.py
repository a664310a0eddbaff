"""The schema's errors in our own words, each with the way out.

Knows pydantic's error types, so that nobody else need; a test walks over all of those that occur.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vpcdns.config.problems import Finding, Path, cut, listed, mistyped, suggestion
from vpcdns.config.schema import Configuration
from vpcdns.config.values import GROUP_PATTERN, ID_PATTERN, LINE_PATTERN, REFUSED, REGION_PATTERN

Models = dict[str, type[BaseModel]]  # by the word in `type`, or "" where there is no choice

_TAGGED: Final = {"instances": "type", "connections": "type"}
_LISTEN_WAY_OUT: Final = 'write "127.0.0.1:5300", or {address: "127.0.0.1:5300", vpc_id: …}'
_LISTEN_FORMS: Final = ("text", "mapping")
_PATTERNS: Final = {
    ID_PATTERN: ("is no id", "use letters, digits, `-`, `_` and `.`, a letter or digit at each end"),
    REGION_PATTERN: ("is no region id", "use lower-case letters, digits and hyphens, e.g. cn-hangzhou"),
    GROUP_PATTERN: (
        "is no group_id: 32 lower-case hexadecimal digits",
        "copy it from the console, e.g. 523e8dc7bbe04613b5b1d726c2a7889d",
    ),
    LINE_PATTERN: ("has control characters", "remove them"),
}
_EXPECTED: Final = {
    "string_type": ("text", ""),
    **dict.fromkeys(("literal_error", "enum"), ("text", "")),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "int_type": ("a whole number", "write digits alone, without quotes"),
}


def findings(error: ValidationError, value: object, top: type[BaseModel] = Configuration) -> list[Finding]:
    """What `error` says about the plain data `value`, which was read as a `top`."""
    details = error.errors(include_url=False)
    return [_finding(detail, value, top) for detail in details]


def _finding(detail: Any, value: object, top: type[BaseModel]) -> Finding:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    path, tag = _plain(detail["loc"])
    path = _within(value, path)
    match kind:
        case "vpcdns" if kind == REFUSED:
            return Finding(path, context["what"], context["way_out"])
        case "missing":
            model = _models(path[:-1], top)[tag]
            meaning = _fields(model)[str(path[-1])].description
            return Finding(path, "this key is missing", f"add it: {meaning}")
        case "extra_forbidden":
            return _unknown_key(path, tag, top)
        case "union_tag_not_found" | "union_tag_invalid":
            return _wrong_tag(path, found, top)
        case "model_type" | "model_attributes_type" | "dict_type":
            if path[:2] == ("server", "listen"):
                return Finding(path, *mistyped("an address and a port", found, _LISTEN_WAY_OUT))
            keys = sorted({key for model in _models(path, top).values() for key in _fields(model)})
            way_out = (
                f"give it keys ({listed(keys)})" if found is not None else "fill it in, or remove the key"
            )
            return Finding(path, *mistyped("a mapping", found, way_out))
        case "list_type":
            way_out = "write a list: [ … ]" if found is not None else "write [] for none, or remove the key"
            return Finding(path, *mistyped("a list", found, way_out))
        case "literal_error" | "enum" if isinstance(found, str):
            words = re.findall(r"'([^']*)'", context["expected"])
            return Finding(path, f"`{cut(found)}` is not one of {listed(words)}", "choose one of them")
        case "string_pattern_mismatch":
            what, way_out = _PATTERNS[context["pattern"]]
            return Finding(path, f"`{cut(found)}` {what}", way_out)
        case _ if kind in _EXPECTED:
            return Finding(path, *mistyped(_EXPECTED[kind][0], found, _EXPECTED[kind][1]))
        case _:
            return Finding(path, *_out_of_range(kind, found, context, detail["msg"]))


def _out_of_range(kind: str, found: object, context: Any, message: str) -> tuple[str, str]:
    match kind:
        case "greater_than_equal":
            return "the number is too small", f"write {context['ge']} or more"
        case "less_than_equal":
            return "the number is too large", f"write {context['le']:,} or less"
        case "string_too_long":
            limit = context["max_length"]
            return f"longer than {limit} characters", "shorten it"
        case "string_too_short":
            return "an empty text means nothing here", "fill it in, or remove the key"
        case "too_short":
            return "an empty list means nothing here", "give it at least one item, or remove the key"
        case _:
            return f"{cut(str(found))} is not valid: {message}", "see `vpcdns schema` for what may stand here"


def _unknown_key(path: Path, tag: str, top: type[BaseModel]) -> Finding:
    key, models = str(path[-1]), _models(path[:-1], top)
    for other, model in models.items():
        if other != tag and key in model.model_fields:
            way_out = f"remove it, or make the type {other}"
            return Finding(path, f"this key is for type {other}, and here the type is {tag}", way_out, True)
    return Finding(path, "unknown key", suggestion(key, _fields(models[tag])), at_key=True)


def _wrong_tag(path: Path, found: object, top: type[BaseModel]) -> Finding:
    words = listed(sorted(_models(path, top)))
    if isinstance(found, dict) and "type" in found:
        word = found["type"]
        what = f"`{cut(word)}` is not one of {words}" if isinstance(word, str) else mistyped("text", word)[0]
        return Finding((*path, "type"), what, "choose one of them")
    return Finding((*path, "type"), "this key is missing", f"add it: one of {words}")


def _plain(location: Path) -> tuple[Path, str]:
    """The path in the data, and the `type` of the object that it is in, which pydantic puts into its path."""
    tag = ""
    if len(location) > 2 and location[0] in _TAGGED:
        tag, location = str(location[2]), (*location[:2], *location[3:])
    elif len(location) > 3 and location[:2] == ("server", "listen") and location[3] in _LISTEN_FORMS:
        location = (*location[:3], *location[4:])
    return location, tag if len(location) == 3 else ""


def _within(value: object, path: Path) -> Path:
    """`path`, as far as there are mappings and lists for it to lead through."""
    for depth, part in enumerate(path):
        if not isinstance(value, dict | list):
            return path[:depth]
        try:
            value = value[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return path[: depth + 1]
    return path


def _models(path: Path, top: type[BaseModel]) -> Models:
    """The models that may stand at a path."""
    models: Models = {"": top}
    for part in path:
        if not isinstance(part, int):
            annotation = next(
                _fields(model)[part].annotation for model in models.values() if part in _fields(model)
            )
            models = {_tag(model): model for model in _in(annotation)}
    return models


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the keys that files have for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _in(argument)


def _tag(model: type[BaseModel]) -> str:
    kind = model.model_fields.get("type")
    return str(get_args(kind.annotation)[0]) if kind else ""
