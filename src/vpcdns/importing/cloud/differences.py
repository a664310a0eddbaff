"""What has changed between two readings of an account, object by object and field by field. Pure.

Only what both readings know is compared: what could not be asked is neither new nor gone.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vpcdns.errors import printable
from vpcdns.importing.cloud.account import Account, Fields
from vpcdns.importing.cloud.objects import name_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is new (`before` is None), gone (`after` is None), or has other fields."""

    scope: str
    kind: str
    own: str
    before: Fields | None
    after: Fields | None

    @property
    def change(self) -> str:
        if self.before is None:
            return "new"
        return "gone" if self.after is None else "changed"

    def fields(self) -> Iterator[tuple[str, Any, Any]]:
        """The fields that differ: name, before, after; a list's order does not count."""
        before, after = self.before or {}, self.after or {}
        for name in sorted(before.keys() | after.keys()):
            if _settled(before.get(name)) != _settled(after.get(name)):
                yield name, before.get(name), after.get(name)


def differences(before: Account, after: Account) -> list[Difference]:
    """What is new, gone and changed, in the order of scopes, kinds and ids."""
    found: list[Difference] = []
    for scope in before.scopes.keys() & after.scopes.keys():
        old, new = before.scopes[scope], after.scopes[scope]
        for kind in old.keys() & new.keys():
            for own in old[kind].keys() | new[kind].keys():
                one = Difference(scope, kind, own, old[kind].get(own), new[kind].get(own))
                if one.change != "changed" or any(one.fields()):
                    found.append(one)
    return sorted(found, key=lambda one: (one.scope, one.kind, one.own))


def difference_text(found: Iterable[Difference]) -> Iterator[str]:
    """One object a line, and below it its fields that changed."""
    counts = {"new": 0, "gone": 0, "changed": 0}
    signs = {"new": "+", "gone": "-", "changed": "~"}
    for one in found:
        counts[one.change] += 1
        called = name_of(one.scope, one.kind, one.own, one.after or one.before or {})
        own = "" if one.own in called else f" ({one.own})"
        yield printable(f"{signs[one.change]} {called}{own}: {one.change}")
        for name, before, after in one.fields() if one.change == "changed" else ():
            yield printable(f"    {name}: {_shown(before)} -> {_shown(after)}")
    said = ", ".join(f"{count:,} {change}" for change, count in counts.items() if count)
    yield said or "nothing has changed"


def difference_data(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "change": one.change,
            "scope": one.scope,
            "kind": one.kind,
            "id": one.own,
            "fields": {name: {"before": before, "after": after} for name, before, after in one.fields()},
        }
        for one in found
    ]


def _settled(value: Any) -> Any:
    return sorted(map(_shown, value)) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
