"""A Terraform plan as people read it: what it hides, then whom it affects, with addresses of resources.

Knows which id and which name comes from which resource; the changes are `plan`'s, the hazards `hazards`'s.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from typing import Any, Final

from vpcdns.errors import printable
from vpcdns.importing.finish import worlds
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.terraform.objects import NOT_FOLLOWED
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.importing.terraform.resources import ResourceChange
from vpcdns.importing.text import left_out
from vpcdns.model.world import World
from vpcdns.rehearsal.hazards import Hazard, hazards
from vpcdns.rehearsal.plan import Plan, plan
from vpcdns.rehearsal.plan_text import SECTIONS, markdown, plan_data, plan_markdown, plan_text

_WORD: Final = re.compile(r"[A-Za-z0-9*_](?:[A-Za-z0-9*_.-]*[A-Za-z0-9_])?")
_MADE_UP: Final = (
    "guessed: its cidr_blocks",
    "guessed: the block",
    "missing: its endpoint",
    "not taken over: binding.address",
)
_WAYS: Final = ("alicloud_vpc", "alicloud_vswitch", "alicloud_vpn_", "alicloud_cen_", "alicloud_route_entry")
UNKNOWN: Final = "(known after apply)"


@dataclass(frozen=True, slots=True)
class TerraformPlan:
    """`origins` says of ids and names which resource they come from; those in `new` are not known yet.

    `ways` are the changed resources that packets and queries depend on, with what is done to each.
    """

    plan: Plan
    hazards: tuple[Hazard, ...]
    origins: dict[str, str]
    new: dict[str, str]
    before: Inventory
    after: Inventory
    ways: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()  # why it may not be all of what will happen, and what is not taken over

    @property
    def says_something(self) -> bool:
        return bool(self.plan.sections or self.hazards)


def terraform_plan(terraform: Terraform, overlay: Overlay | None = None) -> TerraformPlan:
    """Compares what a plan finds with what it makes."""
    before, after, meanwhile = terraform.before(), terraform.after(), terraform.meanwhile()
    made = worlds(before, after, *([] if meanwhile is None else [meanwhile]), overlay=overlay)
    found = tuple(hazards(terraform, (before, after), made))
    origins = before.origins | before.names | after.origins | after.names
    for world in made[:2]:
        origins.update(_names(world, origins))
    new = {made_up: address for made_up, (_, address) in terraform.placeholders.made.items()}
    changes = (one for document in terraform.documents for one in document.changes)
    ways = ((one.address, ", then ".join(one.actions)) for one in changes if _is_way(one))
    warnings = chain(*(document.warnings() for document in terraform.documents), left_out(before, after))
    return TerraformPlan(
        plan(made[0], made[1]), found, origins, new, before, after, tuple(ways), tuple(warnings)
    )


def _is_way(change: ResourceChange) -> bool:
    return change.type.startswith(_WAYS) and not {"no-op", "read"}.issuperset(change.actions)


def _names(world: World, origins: dict[str, str]) -> Iterator[tuple[str, str]]:
    """VPC domains and custom domains, with the resource of their group."""
    for group_id, group in world.groups.scan():
        if (address := origins.get(group_id)) is not None:
            yield str(world.vpc_domain(group)), address
            yield from ((str(name), address) for name in group.custom_domains)


def terraform_text(found: TerraformPlan) -> Iterator[str]:
    """Lines for a terminal."""
    if found.hazards:
        yield "What Terraform does not show:"
    for one in found.hazards[:SECTIONS]:
        yield f"  {printable(one.address)}: {_readable(one.what, found)}"
        yield f"      instead: {_readable(one.way_out, found)}"
    yield from _more(found)
    if found.hazards:
        yield ""
    yield from plan_text(found.plan, partial(_labels, found))
    yield from _changed_ways(found, str)
    yield from _guesses(found, str)


def terraform_markdown(found: TerraformPlan) -> Iterator[str]:
    """Lines for a pull request."""
    if found.hazards:
        yield from ("### What Terraform does not show", "")
    for one in found.hazards[:SECTIONS]:
        address, what, way_out = (
            markdown(_readable(text, found)) for text in (one.address, one.what, one.way_out)
        )
        yield f"- **{address}**: {what}. *Instead:* {way_out}."
    yield from _more(found)
    if found.hazards:
        yield ""
    yield from plan_markdown(found.plan, partial(_labels, found))
    yield from _changed_ways(found, markdown)
    yield from _guesses(found, markdown)
    if found.warnings:
        yield from ("", "Not in this plan:", "")
    yield from (f"- {markdown(_readable(one, found))}" for one in found.warnings)


def _more(found: TerraformPlan) -> Iterator[str]:
    rest = len(found.hazards) - SECTIONS
    if rest > 0:
        yield ""
        yield f"… and {rest:,} more such changes; JSON has them all."


def _changed_ways(found: TerraformPlan, told: Callable[[str], str]) -> Iterator[str]:
    """Which resources are behind changes of who reaches what."""
    if found.ways and found.plan.sections:
        listed = [f"{told(printable(one))} ({actions})" for one, actions in found.ways[:SECTIONS]]
        rest = len(found.ways) - len(listed)
        more = f" and {rest:,} more; JSON has them all" if rest > 0 else ""
        yield from ("", f"Changed on the way of packets and queries: {', '.join(listed)}{more}.")


def _guesses(found: TerraformPlan, told: Callable[[str], str]) -> Iterator[str]:
    """Whom a plan names by made-up addresses, or does not name as nothing can be told, should know it."""
    if unknown := _not_followed(found):
        yield ""
        yield "This plan does not know what these are, as Terraform does not tell it before the apply:"
        yield from (told(printable(f"- {one}")) for one in unknown[:SECTIONS])
        if len(unknown) > SECTIONS:
            yield f"- … and {len(unknown) - SECTIONS:,} more; JSON has them all"
    if any(note.startswith(_MADE_UP) for note in found.after.notes):
        yield ""
        yield "Addresses that Terraform does not tell are made up: `vpcdns import terraform` shows which."


def _not_followed(found: TerraformPlan) -> list[str]:
    """`ADDRESS: ATTRIBUTE` of what is known after the apply only, and decides."""
    ends = f" {NOT_FOLLOWED}"
    return [
        f"{item.origin}: {note.removeprefix('missing: ').removesuffix(ends)}"
        for section in found.after.sections
        for item in found.after.items(section)
        for note in item.notes
        if note.endswith(ends)
    ]


def terraform_data(found: TerraformPlan) -> dict[str, Any]:
    """Everything, for programs."""
    made = plan_data(found.plan)
    said = sorted({word for section in made["sections"] for word in _words(section)})
    return {
        "hazards": [asdict(one) for one in found.hazards],
        **made,
        "ways": [{"address": address, "actions": actions} for address, actions in found.ways],
        "addresses": {word: found.origins[word] for word in said if word in found.origins},
        "warnings": list(found.warnings),
        "not_known": _not_followed(found),
        "known_after_apply": [word for word in said if word in found.new or word[:32] in found.new],
    }


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, str):
        yield from _WORD.findall(value)


def _labels(found: TerraformPlan) -> Callable[[str], str]:
    """Puts the address of a resource behind its id or name, once."""
    seen: set[str] = set()

    def label(match: re.Match[str]) -> str:
        word, address = match[0], found.origins.get(match[0])
        shown = _shown(word, found)
        if address is None or word in seen or word in found.new:
            return shown
        seen.add(word)
        return f"{shown} [{printable(address)}]"

    return lambda text: _WORD.sub(label, printable(text))


def _readable(text: str, found: TerraformPlan) -> str:
    return _WORD.sub(lambda match: _shown(match[0], found), printable(text))


def _shown(word: str, found: TerraformPlan) -> str:
    """An id or a name, without what was made up for it."""
    if word in found.new:
        return f"{printable(found.new[word])} {UNKNOWN}"
    return word.replace(word[:32], UNKNOWN) if word[:32] in found.new else word
