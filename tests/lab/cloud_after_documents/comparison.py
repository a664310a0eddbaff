"""What the wired kernel does with a configuration, and what `vpcdns path` says of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from tests.lab.cloud_after_documents.answers import Addresses, addresses, answer, resolver_probes
from tests.lab.cloud_after_documents.kernel import Namespaces, Probe
from tests.lab.cloud_after_documents.routes import Cloud, Object, cloud
from tests.lab.cloud_after_documents.wiring import wiring
from vpcdns.config import built
from vpcdns.model.names import Name
from vpcdns.model.route_changes import cut_connection
from vpcdns.model.routing import path, source_of
from vpcdns.model.world import World

NOBODYS = IPv4Address("100.66.1.1")
_QUICK, _PATIENT = 0.01, 0.5  # seconds without any packet, after which none is expected


@dataclass(frozen=True, slots=True)
class Ask:
    """From an address of a node to an address, or to the VPC domain of a group."""

    node: str
    source: IPv4Address
    destination: IPv4Address | str

    def __str__(self) -> str:
        return f"{self.node} ({self.source}) to {self.destination}"


@dataclass(frozen=True, slots=True)
class Fate:
    """The addresses that a name has there, and whether all of them answer; of an address, itself."""

    addresses: frozenset[IPv4Address]
    reached: bool


def asks(sky: Cloud, known: Addresses) -> list[Ask]:
    """Everybody to every endpoint and service, to each other, and to what is nobody's."""
    unused = [IPv4Address(f"{_start(vpc)}.200.1") for vpc in sky.vpcs.values()]
    hosts = [several[0] for several in known.hosts.values()]
    given = [address for one in sky.instances for address in _addresses_of(one)]
    to: dict[IPv4Address | str, None] = dict.fromkeys((*given, *hosts, *unused, NOBODYS))
    to |= dict.fromkeys(group["group_id"] for group in sky.groups)
    return [
        Ask(node, source, one) for node, several in known.hosts.items() for source in several for one in to
    ]


def _start(vpc: Object) -> str:
    return ".".join(str(vpc["cidr_blocks"][0]).split(".")[:2])


def _addresses_of(instance: Object) -> list[IPv4Address]:
    bound = [instance["binding"]["address"]] if "binding" in instance else []
    return [IPv4Address(one) for one in instance.get("addresses", bound)]


class Observed:
    """A configuration in the kernel. `fates` are in the order of `asks`."""

    def __init__(self, namespaces: Namespaces, document: Object, cut: tuple[str, ...] = ()) -> None:
        self.document, self.cut, self._namespaces = document, cut, namespaces
        self._sky = cloud(document, cut)
        unused = tuple(IPv4Address(f"{_start(vpc)}.200.1") for vpc in self._sky.vpcs.values())
        self._known = addresses(self._sky, unused)
        self.asks = asks(self._sky, self._known)
        self.fates: list[Fate] = []
        self.look(_QUICK)

    def world(self) -> World:
        """The same for the program."""
        loaded, mistakes = built(self.document)
        assert not mistakes, mistakes
        return functools.reduce(cut_connection, self.cut, loaded.world)

    def look(self, seconds: float = _PATIENT) -> None:
        """Wires it and sends the packets."""
        self._namespaces.wire(wiring(self._sky, {node: self._known.of(node) for node in self._sky.nodes}))
        self.fates = self._fates(seconds)

    def _fates(self, seconds: float) -> list[Fate]:
        resolving = {
            network_id: list(resolver_probes(self._sky, network_id))
            for network_id, network in self._sky.networks.items()
            if "resolves_through" in network
        }
        told = {ask: self._answers(ask) for ask in self.asks}
        probes = [probe for several in resolving.values() for probe, _ in several]
        probes += [Probe(ask.node, ask.source, address) for ask, one in told.items() for address in one]
        probes = list(dict.fromkeys(probes))
        who = dict(zip(probes, self._namespaces.arrived(probes, seconds), strict=True))
        resolves = {
            network_id: any(who[probe] == vpc_id for probe, vpc_id in several)
            for network_id, several in resolving.items()
        }
        return [self._fate(ask, told[ask], who, resolves) for ask in self.asks]

    def _answers(self, ask: Ask) -> dict[IPv4Address, set[str]]:
        if isinstance(ask.destination, IPv4Address):
            return {ask.destination: self._known.owners.get(ask.destination, set())}
        group = next(one for one in self._sky.groups if one["group_id"] == ask.destination)
        return answer(self._sky, ask.node, group)

    @staticmethod
    def _fate(
        ask: Ask,
        answers: dict[IPv4Address, set[str]],
        who: dict[Probe, str | None],
        resolves: dict[str, bool],
    ) -> Fate:
        if isinstance(ask.destination, str) and not resolves.get(ask.node, True):
            return Fate(frozenset(), reached=False)
        reached = all(who[Probe(ask.node, ask.source, to)] in owners for to, owners in answers.items())
        return Fate(frozenset(answers), bool(answers) and reached)


def modelled(world: World, asked: Sequence[Ask]) -> Iterator[Fate]:
    """What the program says of the same."""
    domains: dict[str, Name] = {group_id: world.vpc_domain(group) for group_id, group in world.groups.items()}
    for ask in asked:
        source = source_of(ask.node, world)
        assert source is not None
        to = ask.destination if isinstance(ask.destination, IPv4Address) else domains[ask.destination]
        found = path(replace(source, addresses=(ask.source,)), to, world)
        yield Fate(frozenset(found.addresses), found.reachable)


def differences(observed: Observed, world: World) -> list[str]:
    """Where the two say otherwise, in words."""
    told = list(modelled(world, observed.asks))
    return [
        f"{ask}: the kernel: {_words(fate)}; the model: {_words(model)}"
        for ask, fate, model in zip(observed.asks, observed.fates, told, strict=True)
        if fate != model
    ]


def _words(fate: Fate) -> str:
    return (
        f"{', '.join(map(str, sorted(fate.addresses))) or 'no address'}{' reached' if fate.reached else ''}"
    )
