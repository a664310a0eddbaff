"""What a Terraform plan hides: names that are gone for good or meanwhile, steps that do not do what they say.

Knows what the provider does where its plan does not show it (its code of 2026-08-21), and asks the Worlds
before, meanwhile and after about the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.importing.terraform.resources import ResourceChange
from vpcdns.model.dns import RRType
from vpcdns.model.gateway import Instance
from vpcdns.model.names import Name
from vpcdns.model.routing import source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.fates import fate_of
from vpcdns.rehearsal.plan import plan

SHOWN: Final = 5  # names or addresses in one sentence


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something to know before an apply: the resource, what happens, and what to do instead."""

    address: str
    what: str
    way_out: str


def hazards(
    terraform: Terraform, inventories: tuple[Inventory, Inventory], worlds: list[World]
) -> Iterator[Hazard]:
    """Those of a plan; `worlds` are before, after and, if something is deleted and made anew, meanwhile."""
    before, after = worlds[:2]
    changes = [change for document in terraform.documents for change in document.changes]
    yield from _replaced_groups(changes, before)
    yield from _kept_bindings(changes)
    yield from _deleted_under_endpoints(changes, before, after)
    if len(worlds) > 2:
        yield from _gone_meanwhile(terraform, *worlds)
    yield from _refused(*inventories)


def _replaced_groups(changes: list[ResourceChange], before: World) -> Iterator[Hazard]:
    """The resource itself says whether its VPC domain is on: where its instance is bound may not be known."""
    aliases = _aliases(before)
    instances = {
        str(change.before.get("id"))
        for change in changes
        if change.replaces and change.type == "alicloud_api_gateway_instance"
    }
    groups = [change for change in changes if change.type == "alicloud_api_gateway_group"]
    made = {change.after.get("name"): change for change in groups if change.actions == ("create",)}
    for change in groups:
        again = made.get(change.before.get("name")) if change.actions == ("delete",) else None
        if not change.replaces and again is None:
            continue
        group, name = before.groups.get(str(change.before.get("id"))), change.before.get("vpc_domain")
        if not name and change.before.get("vpc_intranet_enable") and group is not None:
            name = str(before.vpc_domain(group))
        if not name:
            continue
        pointing = aliases.get(str(name).lower(), [])
        lost = f"all who use it and every CNAME to it{f' ({_listed(pointing)})' if pointing else ''}"
        what = f"{_how(change, again)} gets another id: {name} is gone for good, with {lost}"
        if group is not None and group.custom_domains:
            what += f"; its custom domains ({_listed(map(str, group.custom_domains))}) are unbound"
        if again is not None:
            way_out = f"a moved block, or terraform state mv '{change.address}' '{again.address}'"
        else:
            way_out = _instead_of_replacing(change, instances)
        yield Hazard(change.address, what, way_out)


def _how(change: ResourceChange, again: ResourceChange | None) -> str:
    if again is not None:
        return f"it is deleted, and made anew as {again.address}, which"
    cause = f" ({', '.join(change.replaced_for)} changes)" if change.replaced_for else ""
    return f"it is replaced{cause} and"


def _instead_of_replacing(change: ResourceChange, replaced: set[str]) -> str:
    if change.reason == "replace_because_tainted":
        return f"terraform untaint '{change.address}'"
    if change.reason == "replace_by_request":
        return "leave -replace out"
    if change.replaced_for and "instance_id" not in change.replaced_for:
        kept = ", ".join(change.replaced_for)
        return f"leave {kept} as it is, or let lifecycle.ignore_changes have {kept}"
    own, target = change.before.get("id"), change.after.get("instance_id") or "…"
    move = f"ModifyApiGroupInstance (GroupId={own}, TargetInstanceId={target}) moves it and keeps its name"
    if str(change.before.get("instance_id")) in replaced:
        return f"make the new instance as another resource; then {move}, and nothing is left to replace"
    return f"{move}; the next plan then has nothing to replace"


def _kept_bindings(changes: list[ResourceChange]) -> Iterator[Hazard]:
    for change in changes:
        if change.type == "alicloud_api_gateway_instance" and change.unbinds:
            vpc_id = change.before["ingress_vpc_id"]
            what = (
                "removing ingress_vpc_id unbinds nothing: the provider sends no call, "
                f"{vpc_id} goes on resolving its names, and every later plan shows this change again"
            )
            own = f"InstanceId={change.before.get('id')}, DeleteVpcAccess=true"
            way_out = (
                f"ModifyInstanceVpcAttributeForConsole ({own}) unbinds it, once none of its groups has its "
                "VPC domain on"
            )
            yield Hazard(change.address, what, way_out)


def _deleted_under_endpoints(changes: list[ResourceChange], before: World, after: World) -> Iterator[Hazard]:
    bound: dict[str, list[Instance]] = defaultdict(list)
    for instance in before.instances.values():
        if instance.binding is not None:
            for held in (instance.binding.vswitch_id, instance.binding.vpc_id):
                bound[held].append(instance)
    for change in changes:
        if change.type not in ("alicloud_vswitch", "alicloud_vpc") or "delete" not in change.actions:
            continue
        what = "vSwitch" if change.type == "alicloud_vswitch" else "VPC"
        own = str(change.before.get("id"))
        for instance in bound.get(own, ()):
            now = after.instances.get(instance.key)
            if now is None:
                continue
            stays = now.binding is not None and own in (now.binding.vswitch_id, now.binding.vpc_id)
            how = "stays there" if stays else "moves in the same apply, perhaps later"
            yield Hazard(
                change.address,
                f"{what} {own} is deleted under the endpoint of {instance.instance_id}, which {how}: "
                "the cloud refuses to delete what is in use, and the apply stops half-way",
                f"bind {instance.instance_id} elsewhere in an apply of its own, before this one",
            )


def _gone_meanwhile(terraform: Terraform, before: World, after: World, meanwhile: World) -> Iterator[Hazard]:
    """Names that are reached before and after, but not in between."""
    names: dict[str, None] = {}
    sources: dict[str, None] = {}
    for section in plan(before, meanwhile).sections:
        for row in section.rows:
            if not row.before.reachable or row.after.reachable:
                continue
            source = source_of(row.sources[0], after)
            back = [one for one in section.flow.samples if fate_of(source, one, after).reachable]
            if back:
                names.update(dict.fromkeys(map(str, back)))
                sources.update(dict.fromkeys(row.sources))
    if names:
        recreated = [change.address for one in terraform.documents for change in one.recreated]
        ttl = before.answers.negative_ttl
        yield Hazard(
            _listed(recreated),
            f"deleted first, then made anew: meanwhile {_listed(names)} cannot be reached from "
            f"{_listed(sources)}, and resolvers may keep such an answer {ttl} s longer",
            "set create_before_destroy where the cloud allows both at once, or apply it when nobody asks",
        )


def _refused(before: Inventory, after: Inventory) -> Iterator[Hazard]:
    """Rules that the planned state would break and the present one does not."""
    known = set(_refusals(before))
    for address, what, way_out in _refusals(after):
        if (address, what, way_out) not in known:
            yield Hazard(address, what, way_out)


def _refusals(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    for section in inventory.sections:
        for item in inventory.items(section):
            for note in item.notes:
                kind, _, said = note.partition(": ")
                if kind == "not taken over" and not said.startswith("binding.address "):
                    what, _, way_out = said.partition("; ")
                    yield item.origin, what, way_out


def _aliases(world: World) -> dict[str, list[str]]:
    """The CNAME records of private zones, by where they lead."""
    found: dict[str, list[str]] = defaultdict(list)
    for zone in world.private_zones.zones.values():
        for _, record in zone.records.scan():
            if record.rtype == RRType.CNAME and isinstance(record.rdata, Name):
                found[str(record.rdata).lower()].append(str(record.name))
    return found


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
