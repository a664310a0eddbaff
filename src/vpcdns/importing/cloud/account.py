"""What an account said, as a value, and as the plain JSON that it is saved in. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from vpcdns.config import Mistake, described, error_of, is_region_id

FORMAT: Final = 1
_SAVE: Final = "make it by `vpcdns import cloud --save FILE`"

Fields = dict[str, Any]
Objects = dict[str, Fields]  # by id


@dataclass(frozen=True, slots=True)
class Unasked:
    """Kinds of objects in one scope that are not known, and why.

    `is_absent`: there is no such API, so that there can be no such objects.
    """

    scope: str
    kinds: tuple[str, ...]
    why: str
    is_absent: bool = False


@dataclass(slots=True)
class Account:
    """Objects by scope (a region, or `GLOBAL`), kind and id, with the fields that `listings` keeps."""

    regions: tuple[str, ...]
    scopes: dict[str, dict[str, Objects]] = field(default_factory=dict)
    unasked: list[Unasked] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something that there may be is not known."""
        return not all(one.is_absent for one in self.unasked)

    def objects(self) -> Iterator[tuple[str, str, str, Fields]]:
        """Every object: scope, kind, id, fields."""
        for scope, kinds in self.scopes.items():
            for kind, objects in kinds.items():
                for own, fields in objects.items():
                    yield scope, kind, own, fields


def account_text(account: Account) -> str:
    """What is saved: the same text for the same account."""
    unasked = [
        {"scope": one.scope, "kinds": list(one.kinds), "why": one.why, "is_absent": one.is_absent}
        for one in account.unasked
    ]
    value = {
        "vpcdns_account": FORMAT,
        "regions": list(account.regions),
        "objects": account.scopes,
        "unasked": unasked,
    }
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_account(file: str, octets: bytes) -> Account:
    """Reads what `account_text` wrote; raises ConfigurationError for anything else."""
    try:
        value = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise error_of(file, "", [Mistake((), f"not JSON: {error}", _SAVE)]) from None
    if not isinstance(value, dict) or value.get("vpcdns_account") != FORMAT:
        what = f"it is not what an account said: {described(value)}"
        raise error_of(file, "", [Mistake((), what, _SAVE)])
    try:
        unasked = [
            Unasked(str(one["scope"]), tuple(map(str, one["kinds"])), str(one["why"]), bool(one["is_absent"]))
            for one in value["unasked"]
        ]
        account = Account(tuple(value["regions"]), value["objects"], unasked)
        is_whole = all(isinstance(fields, dict) for *_, fields in account.objects())
        if not is_whole or not all(map(is_region_id, account.regions)):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        what = "it is damaged: regions, objects or unasked are not as they were saved"
        raise error_of(file, "", [Mistake((), what, _SAVE)]) from None
    return account
