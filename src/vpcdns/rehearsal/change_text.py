"""Changes in words, for command lines and scenario files: `bind INSTANCE VPC VSWITCH [ADDRESS]`.

Knows how each change is written and which object a word means; the change itself is the model's.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Final

from vpcdns.errors import MalformedChange, MalformedName
from vpcdns.model import changes, topology_changes
from vpcdns.model.gateway import Group, InstanceKey
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Route, ServiceRoute
from vpcdns.model.world import World

AnyChange = changes.Change | topology_changes.TopologyChange


def changed(world: World, *texts: str) -> World:
    """The World after changes in words; raises MalformedChange when one is none, or a rule refuses it."""
    for text in texts:
        after = read_change(text, world).apply(world)
        if isinstance(after, Refusal):
            raise MalformedChange(f"{text}: {after}")
        world = after
    return world


def read_change(text: str, world: World) -> AnyChange:
    """A change out of its words; raises MalformedChange. `world` says which region an instance is in."""
    try:
        verb, *words = shlex.split(text) or [""]
    except ValueError as error:
        raise MalformedChange(f"{text!r} cannot be read: {error}") from None
    form = _FORMS.get(verb)
    if form is None:
        raise MalformedChange(f"{text!r} is no change; there are: {', '.join(_FORMS)}")
    if not form.least <= len(words) <= form.most:
        raise MalformedChange(f"{text!r} has not the words that {verb} takes; write: {verb} {form.words}")
    try:
        return form.make(words, world)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise MalformedChange(f"{text!r}: {error}; write: {verb} {form.words}") from None


def usage() -> list[str]:
    """Every form, one a line."""
    return [f"{verb} {form.words}" for verb, form in _FORMS.items()]


@dataclass(frozen=True, slots=True)
class _Form:
    words: str
    make: Callable[[list[str], World], AnyChange]

    @property
    def least(self) -> int:
        return len(re.sub(r"\[[^\]]*\]", "", self.words).split())

    @property
    def most(self) -> int:
        return len(self.words.split())


def _instance(word: str, world: World, region_id: str | None = None) -> InstanceKey:
    """`INSTANCE`, or `REGION/INSTANCE` where several regions have one of that id."""
    if "/" in word:
        region_id, word = word.split("/", 1)
    if region_id is not None:
        return region_id, word
    regions = [key[0] for key in world.instances if key[1] == word]
    if len(regions) == 1:
        return regions[0], word
    if regions:
        raise ValueError(f"instance {word} is there in {', '.join(regions)}; write REGION/{word}")
    raise ValueError(f"there is no instance {word}")


def _group(word: str, world: World) -> str:
    """A group_id, or the name of the only group of that name."""
    if word in world.groups:
        return word
    named = [group.group_id for group in world.groups.values() if group.name == word]
    if len(named) == 1:
        return named[0]
    if named:
        raise ValueError(f"{len(named)} groups are called {word}; give the group_id")
    return word


def _bind(words: list[str], world: World) -> AnyChange:
    address = IPv4Address(words[3]) if len(words) > 3 else None
    return changes.Bind(_instance(words[0], world), words[1], words[2], address)


def _create_group(words: list[str], world: World) -> AnyChange:
    region_id, instance_id = _instance(words[1], world)
    return changes.CreateGroup(Group(words[0], instance_id, region_id, words[2] if len(words) > 2 else ""))


def _migrate(words: list[str], world: World) -> AnyChange:
    return changes.MigrateGroup(_group(words[0], world), words[1].rpartition("/")[2])


def _name(word: str) -> Name:
    try:
        return Name.from_text(word)
    except MalformedName as error:
        raise ValueError(str(error)) from None


def _blocks(word: str) -> tuple[IPv4Network, ...] | None:
    return None if word == "-" else tuple(IPv4Network(block) for block in word.split(","))


def _service_route(words: list[str], world: World) -> AnyChange:
    route = ServiceRoute(IPv4Network(words[1]), words[2], tuple(words[3].split(",")))
    return topology_changes.AddServiceRoute(words[0], route)


_FORMS: Final[dict[str, _Form]] = {
    "bind": _Form("INSTANCE VPC VSWITCH [ADDRESS]", _bind),
    "unbind": _Form("INSTANCE", lambda w, world: changes.Unbind(_instance(w[0], world))),
    "enable": _Form("GROUP", lambda w, world: changes.EnableVpcDomain(_group(w[0], world))),
    "disable": _Form("GROUP", lambda w, world: changes.DisableVpcDomain(_group(w[0], world))),
    "create-group": _Form("GROUP INSTANCE [NAME]", _create_group),
    "delete-group": _Form("GROUP", lambda w, world: changes.DeleteGroup(_group(w[0], world))),
    "migrate": _Form("GROUP INSTANCE", _migrate),
    "add-domain": _Form(
        "GROUP DOMAIN", lambda w, world: changes.AddCustomDomain(_group(w[0], world), _name(w[1]))
    ),
    "remove-domain": _Form(
        "GROUP DOMAIN", lambda w, world: changes.RemoveCustomDomain(_group(w[0], world), _name(w[1]))
    ),
    "route": _Form(
        "NETWORK DESTINATION CONNECTION",
        lambda w, _: topology_changes.AddRoute(w[0], Route(IPv4Network(w[1]), w[2])),
    ),
    "unroute": _Form(
        "NETWORK DESTINATION", lambda w, _: topology_changes.RemoveRoute(w[0], IPv4Network(w[1]))
    ),
    "cut": _Form("CONNECTION", lambda w, _: topology_changes.CutConnection(w[0])),
    "selectors": _Form(
        "IPSEC LOCAL,… REMOTE,…",
        lambda w, _: topology_changes.SetSelectors(w[0], _blocks(w[1]), _blocks(w[2])),
    ),
    "attach": _Form("CEN VPC-OR-NETWORK", lambda w, _: topology_changes.Attach(w[0], w[1])),
    "detach": _Form("CEN VPC-OR-NETWORK", lambda w, _: topology_changes.Detach(w[0], w[1])),
    "service-route": _Form("CEN HOST VPC ACCESS,…", _service_route),
    "resolve-as": _Form(
        "NETWORK VPC", lambda w, _: topology_changes.ResolveAs(w[0], None if w[1] == "-" else w[1])
    ),
}
