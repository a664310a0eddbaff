"""Parameters that are JSON in a text. Knows no action; what is no JSON of the wanted kind raises an error."""

import json
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import bad_format, missing

MAX_TEXT: Final = 32_768  # characters
_EXAMPLES: Final[dict[type[Any], str]] = {list: "a list", dict: "an object"}


def json_of(call: Call, name: str, kind: type[Any]) -> Any:
    """A list or an object; None when it is absent, or `null`, which the Terraform provider sends for it."""
    text = call.parameters.get(name, "null")
    try:
        value = json.loads(text) if len(text) <= MAX_TEXT else ""
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        value = ""
    if value is not None and not isinstance(value, kind):
        raise bad_format(name, f"Write {_EXAMPLES[kind]} as JSON, of at most {MAX_TEXT} characters.")
    return value


def objects_of(call: Call, name: str, *fields: str) -> list[dict[str, str]]:
    """A list of objects, each with the first of the fields at least; their case does not count.

    The provider puts an empty one before the first, which is passed over.
    """
    if name not in call.parameters:
        raise missing(name)
    found = []
    for one in filter(None, json_of(call, name, list) or ()):
        folded = {str(key).lower(): value for key, value in one.items()} if isinstance(one, dict) else {}
        said = {field: str(folded[field.lower()]) for field in fields if field.lower() in folded}
        if not said.get(fields[0]):
            raise bad_format(name, f"Each has to have {fields[0]}.")
        found.append(said)
    return found
