"""The parameters that an action has, and their types: a request is checked against them before it is run.

Names and types are those of the cloud's own SDK models. Knows how parameters are written, and not what they
mean.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from vpcdns.control.openapi.errors import Product, unsupported, wrong

INT64: Final = (-(1 << 63), (1 << 63) - 1)
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_FLAGS: Final = {"true": True, "false": False}
MAX_TEXT: Final = 65_536  # of one parameter: definitions of APIs are the longest, and everything is kept
_NUMBERED: Final = re.compile(r"\.([1-9][0-9]{0,3})(?=\.|$)", re.ASCII)
_READING: Final = ("Describe", "Check", "List", "Get")

# What any action may be sent: for the gateway in front of the cloud's API, or without a meaning here.
_EVERYWHERE: Final = (
    "Action Version Format AccessKeyId Signature SignatureMethod SignatureType SignatureVersion"
    " SignatureNonce Timestamp SecurityToken RegionId ClientToken Lang Language AcceptLanguage UserClientIp"
    " SourceIp SecureTransport OwnerId:int OwnerAccount ResourceOwnerId:int ResourceOwnerAccount"
)


def integer(text: str) -> int | None:
    """An Int64 in ASCII digits; None for anything else."""
    number = int(text) if _INTEGER.fullmatch(text) else None
    return None if number is None or not INT64[0] <= number <= INT64[1] else number


def flag(text: str) -> bool | None:
    """A boolean, written in any case; None for anything else."""
    return _FLAGS.get(text.lower())


def _text(text: str) -> str | None:
    return text if len(text) <= MAX_TEXT else None


_TYPES: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "text": (_text, f"Write at most {MAX_TEXT} characters."),
    "int": (integer, f"Write a whole number from {INT64[0]} to {INT64[1]}."),
    "bool": (flag, "Write true or false."),
}


@dataclass(frozen=True, slots=True)
class Action:
    """What runs an action, and its parameters: `VpcId PageSize:int Tag.N.Key`, N counting from 1.

    Those of `no_effect` are checked and change nothing here. Those of `refused` are the cloud's, and vpcdns
    has nothing like it. Those of `clears` are taken also without a value, which takes a value away; any other
    without one counts as absent. Others are not the action's: the cloud passes over them, and so does vpcdns
    where something is changed; where something is read they might be meant to choose, so they are refused.
    What is `quick` costs the same however many groups there are.
    """

    run: Callable[[Any], dict[str, Any]]
    takes: str
    no_effect: str = ""
    refused: str = ""
    clears: str = ""
    quick: bool = False
    types: Mapping[str, str] = field(init=False)
    _taken: Mapping[str, str] = field(init=False)
    _refused: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        set_once = partial(object.__setattr__, self)
        set_once("_taken", _types(self.takes))
        set_once("_refused", _types(self.refused))
        set_once("types", {**_types(f"{_EVERYWHERE} {self.no_effect}"), **self._taken, **self._refused})

    def read(
        self, name: str, product: Product, given: Mapping[str, str], emptied: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Those of the parameters that the action takes, each of its type. Raises the product's ApiError."""
        known = {one: "" for one in self.clears.split() if one in emptied}
        numbers = dict[str, set[int]]()
        for parameter, text in given.items():
            pattern = _NUMBERED.sub(".N", parameter)
            kind = self.types.get(pattern)
            if kind is None or pattern in self._refused:
                # In the cloud too, an action without a DryRun does what it says.
                if pattern == "DryRun" or pattern in self._refused or is_reading(name):
                    raise unsupported(name, parameter, self._taken)
                continue
            read, form = _TYPES[kind]
            if read(text) is None:
                raise wrong(product, parameter, form)
            if pattern in self._taken:
                known[parameter] = text
                if pattern != parameter:
                    what, _, rest = parameter.partition(".")
                    numbers.setdefault(what, set()).add(int(rest.partition(".")[0]))
        for what, there in numbers.items():
            if max(there) != len(there):
                raise wrong(product, what, f"Count from {what}.1 on, without a gap.")
        return known


def is_reading(name: str) -> bool:
    """Whether an action of that name changes nothing."""
    return name.startswith(_READING)


def _types(declared: str) -> dict[str, str]:
    parts = (one.partition(":") for one in declared.split())
    return {name: kind or "text" for name, _, kind in parts}
