"""The schema's errors in our own words, each with the way out.

Knows pydantic's error types; a test goes through those that occur.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vpcdns.config.mistakes import Mistake, Path, cut, mistyped, suggestion
from vpcdns.config.schema import FORMS, Configuration
from vpcdns.config.values import GROUP_PATTERN, ID_PATTERN, LINE_PATTERN, REFUSED, REGION_PATTERN

Models = dict[str, type[BaseModel]]  # by the word in `type`, or "" where there is no choice

_TAGGED: Final = ("instances", "connections")
MISSING: Final = "this key is missing"
_LISTEN_WAY_OUT: Final = 'write "127.0.0.1:5300", or {address: "127.0.0.1:5300", vpc_id: …}'
_PATTERNS: Final = {
    ID_PATTERN: ("is not an id", "use letters, digits, `-`, `_` and `.`, a letter or digit at each end"),
    REGION_PATTERN: ("is not a region id", "use lower-case letters, digits and hyphens, e.g. cn-hangzhou"),
    GROUP_PATTERN: (
        "is not a group_id: 32 lower-case hexadecimal digits",
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
_OUT_OF_RANGE: Final = {
    REFUSED: ("{what}", "{way_out}"),
    "greater_than_equal": ("the number is too small", "write {ge} or more"),
    "less_than_equal": ("the number is too large", "write {le:,} or less"),
    "string_too_long": ("longer than {max_length} characters", "shorten it"),
    "string_too_short": ("an empty text is not allowed here", "fill it in, or remove the key"),
    "too_short": ("an empty list is not allowed here", "give it at least one item, or remove the key"),
}


def mistakes(error: ValidationError, value: object, top: type[BaseModel] = Configuration) -> list[Mistake]:
    """What `error` says about the plain data `value`, which was read as a `top`."""
    return [_mistake(detail, value, top) for detail in error.errors(include_url=False)]


def _mistake(detail: Any, value: object, top: type[BaseModel]) -> Mistake:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    path, tag = _plain(detail["loc"])
    path = _within(value, path)
    match kind:
        case "missing":
            meaning = _fields(_models(path[:-1], top)[tag])[str(path[-1])].description
            return Mistake(path, MISSING, f"add it: {meaning}")
        case "extra_forbidden":
            return _unknown_key(path, tag, top)
        case "union_tag_not_found" | "union_tag_invalid":
            return _wrong_tag(path, found, top)
        case "model_type" | "model_attributes_type" | "dict_type":
            return Mistake(path, *_no_mapping(path, found, top))
        case "list_type":
            way_out = "write a list: [ … ]" if found is not None else "write [] for none, or remove the key"
            return Mistake(path, *mistyped("a list", found, way_out))
        case "literal_error" | "enum" if isinstance(found, str):
            words = ", ".join(re.findall(r"'([^']*)'", context["expected"]))
            return Mistake(path, f"`{cut(found)}` is not one of {words}", "choose one of them")
        case "string_pattern_mismatch":
            what, way_out = _PATTERNS[context["pattern"]]
            return Mistake(path, f"`{cut(found)}` {what}", way_out)
        case _ if kind in _EXPECTED:
            expected, way_out = _EXPECTED[kind]
            return Mistake(path, *mistyped(expected, found, way_out))
    unknown = "{found} is not valid: {message}", "see `vpcdns schema` for what may stand here"
    what, way_out = _OUT_OF_RANGE.get(kind, unknown)
    said = {"found": cut(str(found)), "message": detail["msg"], **context}
    return Mistake(path, what.format(**said), way_out.format(**said))


def _no_mapping(path: Path, found: object, top: type[BaseModel]) -> tuple[str, str]:
    if path[:2] == ("server", "listen"):
        return mistyped("an address and a port", found, _LISTEN_WAY_OUT)
    keys = ", ".join(sorted({key for model in _models(path, top).values() for key in _fields(model)}))
    way_out = f"give it keys ({keys})" if found is not None else "fill it in, or remove the key"
    return mistyped("a mapping", found, way_out)


def _unknown_key(path: Path, tag: str, top: type[BaseModel]) -> Mistake:
    key, models = str(path[-1]), _models(path[:-1], top)
    for other, model in models.items():
        if other != tag and key in model.model_fields:
            way_out = f"remove it, or make the type {other}"
            return Mistake(path, f"this key is for type {other}, and here the type is {tag}", way_out, True)
    return Mistake(path, "unknown key", suggestion(key, _fields(models[tag])), at_key=True)


def _wrong_tag(path: Path, found: object, top: type[BaseModel]) -> Mistake:
    words, path = ", ".join(sorted(_models(path, top))), (*path, "type")
    if not isinstance(found, dict) or "type" not in found:
        return Mistake(path, MISSING, f"add it: one of {words}")
    word = found["type"]
    what = f"`{cut(word)}` is not one of {words}" if isinstance(word, str) else mistyped("text", word)[0]
    return Mistake(path, what, "choose one of them")


def _plain(location: Path) -> tuple[Path, str]:
    """The path in the data, and the `type` of the object that it is in, which pydantic puts into its path."""
    tag = ""
    if len(location) > 2 and location[0] in _TAGGED:
        tag, location = str(location[2]), (*location[:2], *location[3:])
        if location[2:3] == ("attachments",):  # an id, or a mapping
            location = (*location[:4], *location[5:])
    else:  # what has two forms: entries of `server.listen`, and `cache`
        location = tuple(
            part
            for before, part in zip(("", *location), location, strict=False)
            if part not in FORMS or not (before == "cache" or location[1:3] == ("listen", before))
        )
    return location, tag if len(location) == 3 else ""


def _within(value: Any, path: Path) -> Path:
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
    """The word in `type` that chooses the model; a record's `type` chooses none."""
    kind = model.model_fields.get("type")
    words = get_args(kind.annotation) if kind else ()
    return str(words[0]) if words else ""
