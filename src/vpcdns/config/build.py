"""Configuration -> model, under the rules that changes obey too (DESIGN §1).

Knows the schema and the rules' functions; decides itself only about listeners, forwarding and ids that are
given twice. Collects all mistakes; what it makes is good only when there are none.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Final, Literal

from vpcdns.config import forward_schema, schema
from vpcdns.config.build_gateway import GatewayBuilder
from vpcdns.config.build_zones import ZoneBuilder
from vpcdns.config.mistakes import Mistakes, Path
from vpcdns.config.parts import value_of
from vpcdns.config.watched_files import WatchedFiles
from vpcdns.model import policy, route_rules, topology_rules
from vpcdns.model.cache_limits import DEFAULT_CACHE, TtlLimits
from vpcdns.model.connections import Connection
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.policy import AnyUpstream, Listen, QueryLogging, ServerIdentity, UpstreamName, own_listener
from vpcdns.model.topology import Network, Prefix, Topology, Vpc
from vpcdns.model.world import World

MAX_LISTENERS: Final = 256  # each has two sockets and buffers of its own


@dataclass(frozen=True, slots=True)
class Admin:
    """The HTTP side: where it listens (None: nowhere), and what a request without a region is about.

    `hosts` are names that it may be called by.
    """

    listen: Listen | FilePath | None = None
    access_keys_file: FilePath | None = None
    region_id: str | None = None
    hosts: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a configuration makes. `source_hash` is the SHA-256 of its octets and those of its zone files, one
    file after the other, in hexadecimal.

    `upstreams_given` says whether `forward.upstreams` is there; if not, the host's resolv.conf counts.
    """

    world: World
    listens: tuple[Listen, ...]
    admin: Admin | None
    query_logging: QueryLogging
    upstreams_given: bool
    source_hash: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a configuration does not say itself; `folder` is where its relative paths start.

    `files` hears of those that it names.
    """

    folder: FilePath
    revision: int
    identity: ServerIdentity
    octets: bytes
    files: WatchedFiles


def build(
    configuration: schema.Configuration, groups: Iterable[Group], source: Source, mistakes: Mistakes
) -> Loaded:
    """Makes what a configuration describes; `groups` come apart from it, and may be read one by one."""
    topology = _Networks(mistakes).build(configuration)
    answers = _answers(configuration.answers, mistakes)
    zones = ZoneBuilder(topology, source.folder, mistakes, source.files, hashlib.sha256(source.octets))
    gateway = GatewayBuilder(topology, answers.suffix, mistakes)
    gateway.add_instances(configuration.instances)
    gateway.add_groups(groups)
    server, forward = configuration.server, configuration.forward
    listens = _listens(server, topology, mistakes)
    access = policy.Access(tuple(server.clients), tuple(server.trusted_peers), server.responses_per_second)
    world = World(
        revision=source.revision,
        answers=answers,
        access=access,
        forwarding=_forwarding(forward, topology, listens, mistakes),
        identity=source.identity,
        topology=topology,
        instances=FrozenMap(gateway.instances),
        endpoints=FrozenMap(gateway.endpoints),
        groups=gateway.groups.frozen(),
        custom_domains=NameTree.of(gateway.owners.frozen()),
        private_zones=zones.build(configuration.private_zones),
    )
    admin = _admin(configuration.admin, source.folder, world.region_ids(), listens, mistakes)
    log, folder = server.log, source.folder
    log_file = log.file if log.file == "-" else str(folder / log.file)
    query_logging = QueryLogging(policy.QueryLogMode(log.queries), log.sample, log_file)
    return Loaded(
        world, listens, admin, query_logging, forward.upstreams is not None, zones.digest.hexdigest()
    )


@dataclass(slots=True)
class _Networks:
    """VPCs, on-premises networks and connections; which prefix is whose source network."""

    mistakes: Mistakes
    claimed: dict[Prefix, str] = field(default_factory=dict)

    def build(self, configuration: schema.Configuration) -> Topology:
        vpcs: list[Vpc] = list(map(value_of, configuration.vpcs))
        networks: list[Network] = list(map(value_of, configuration.networks))
        connections: list[Connection] = list(map(value_of, configuration.connections))
        topology = Topology.of(vpcs, networks, connections)
        nodes: set[str] = set()
        for index, vpc in enumerate(vpcs):
            path: Path = ("vpcs", index)
            self._check_unique((*path, "vpc_id"), vpc.vpc_id, nodes)
            self.mistakes.add_refusals(path, topology_rules.vpc_refusals(vpc))
            self.mistakes.add_refusals(path, route_rules.vpc_route_refusals(vpc, topology))
            given = configuration.vpcs[index].source_networks is not None
            self._claim(path, f"VPC {vpc.vpc_id}", vpc.source_networks, given)
        for index, network in enumerate(networks):
            path = ("networks", index)
            self._check_unique((*path, "network_id"), network.network_id, nodes)
            self.mistakes.add_refusals(path, route_rules.network_refusals(network, topology))
            given = configuration.networks[index].source_networks is not None
            self._claim(path, f"network {network.network_id}", network.source_networks, given)
        seen: set[str] = set()
        for index, connection in enumerate(connections):
            path = ("connections", index)
            self._check_unique((*path, "connection_id"), connection.connection_id, seen)
            self.mistakes.add_refusals(path, route_rules.connection_refusals(connection, topology))
        return topology

    def _check_unique(self, path: Path, identity: str, seen: set[str]) -> None:
        if identity in seen:
            self.mistakes.add(path, f"`{identity}` is there twice", "give each its own id, or remove one")
        seen.add(identity)

    def _claim(self, path: Path, subject: str, prefixes: tuple[Prefix, ...], given: bool) -> None:
        key = "source_networks" if given else "cidr_blocks"
        refusals = topology_rules.source_network_refusals(subject, prefixes, self.claimed, key)
        self.mistakes.add_refusals(path, refusals)
        for prefix in prefixes:
            self.claimed.setdefault(prefix, subject)


def _answers(part: schema.AnswersPart, mistakes: Mistakes) -> policy.Answers:
    if part.suffix.is_at_or_below(VPCDNS_INTERNAL) or VPCDNS_INTERNAL.is_at_or_below(part.suffix):
        what = f"{part.suffix} overlaps {VPCDNS_INTERNAL}, which vpcdns answers itself"
        mistakes.add(("answers", "suffix"), what, "take another suffix")
    denied, explain = policy.Denied(part.denied), policy.Explain(part.explain)
    return policy.Answers(part.suffix, part.ttl, part.negative_ttl, denied, explain)


def _listens(part: schema.Server, topology: Topology, mistakes: Mistakes) -> tuple[Listen, ...]:
    listens: list[Listen] = []
    if len(part.listen) > MAX_LISTENERS:
        what = f"{len(part.listen)} listeners, and at most {MAX_LISTENERS} are allowed"
        mistakes.add(("server", "listen"), what, "listen on 0.0.0.0 or [::] instead")
        return ()
    for index, entry in enumerate(part.listen):
        path: Path = ("server", "listen", index)
        if isinstance(entry, schema.ListenEntry):
            listen = Listen(entry.address.address, entry.address.port, entry.vpc_id, entry.wait)
            if entry.vpc_id is not None and entry.vpc_id not in topology.vpcs:
                mistakes.add_missing((*path, "vpc_id"), f"VPC {entry.vpc_id}", "vpcs")
            if entry.wait and listen.address.is_unspecified:
                what = f"{listen.address} is every address, which need not be waited for"
                mistakes.add((*path, "wait"), what, "remove it, or name one address")
            path = (*path, "address")
        else:
            listen = entry
        if clash := _clash(listen, listens):
            what = f"{listen} clashes with the listener on {clash}"
            mistakes.add(path, what, "give it another address or port, or remove it")
        listens.append(listen)
    return tuple(listens)


def _clash(listen: Listen, others: Iterable[Listen]) -> Listen | None:
    """A listener that TCP cannot have beside `listen`: the same one, or one of them on every address."""
    address = listen.address
    for other in others if listen.port else ():
        is_everywhere = address.is_unspecified or other.address.is_unspecified
        same_family = address.version == other.address.version
        if listen.port == other.port and same_family and (is_everywhere or address == other.address):
            return other
    return None


def _admin(
    part: schema.AdminPart | None,
    folder: FilePath,
    regions: set[str],
    listens: tuple[Listen, ...],
    mistakes: Mistakes,
) -> Admin | None:
    if part is None:
        return None
    if isinstance(part.listen, Listen) and (clash := _clash(part.listen, listens)):
        what = f"{part.listen} clashes with the DNS listener on {clash}"
        mistakes.add(("admin", "listen"), what, "give it another port")
    # Where there is nothing yet, the API's first calls make what is in it.
    if part.region_id is not None and regions and part.region_id not in regions:
        way_out = f"name a region that is in use ({', '.join(sorted(regions))})"
        mistakes.add(("admin", "region_id"), f"no VPC and no instance is in {part.region_id}", way_out)
    only = next(iter(regions)) if len(regions) == 1 else None
    keys = None if part.access_keys_file is None else folder / part.access_keys_file
    return Admin(part.listen, keys, part.region_id or only, tuple(part.hosts))


def _forwarding(
    part: forward_schema.Forward, topology: Topology, listens: tuple[Listen, ...], mistakes: Mistakes
) -> policy.Forwarding:
    _check_not_ourselves(("forward", "upstreams"), part.upstreams or [], listens, mistakes)
    seen: dict[tuple[Name, str | None], int] = {}
    for index, rule in enumerate(part.rules):
        path: Path = ("forward", "rules", index)
        _check_not_ourselves((*path, "upstreams"), rule.upstreams, listens, mistakes)
        for place, vpc_id in enumerate(rule.vpcs or ()):
            if vpc_id not in topology.vpcs:
                mistakes.add_missing((*path, "vpcs", place), f"VPC {vpc_id}", "vpcs")
        audiences: list[str | None] = [*dict.fromkeys(rule.vpcs)] if rule.vpcs else [None]
        for audience in audiences:
            first = seen.setdefault((rule.domain, audience), index)
            if first != index:
                who = audience or "everybody"
                what = f"{rule.domain} has a rule for {who} already, forward.rules[{first}]"
                mistakes.add((*path, "domain"), what, "put the upstreams into one rule")
    usual = value_of(part.cache)
    _check_ttls(("forward", "cache"), usual, mistakes)
    rules: list[policy.ForwardRule] = []
    for index, rule in enumerate(part.rules):
        cache = _ttls(rule.cache, usual or DEFAULT_CACHE)
        _check_ttls(("forward", "rules", index, "cache"), cache, mistakes)
        vpcs = frozenset(rule.vpcs or ())
        rules.append(policy.ForwardRule(rule.domain, tuple(rule.upstreams), vpcs, cache))
    otherwise = policy.Otherwise(part.otherwise)
    return policy.Forwarding(tuple(part.upstreams or ()), tuple(rules), otherwise, usual)


def _ttls(
    part: Literal[False] | forward_schema.TtlsPart | None, usual: TtlLimits
) -> Literal[False] | TtlLimits | None:
    """A rule's own limits; what it does not say is as usual."""
    if part is None or part is False:
        return part
    given = {name: value for name, value in part if value is not None}
    ttls = TtlLimits(usual.max_ttl, usual.min_ttl, usual.negative_max_ttl)
    return replace(ttls, **given)


def _check_ttls(path: Path, ttls: Literal[False] | TtlLimits | None, mistakes: Mistakes) -> None:
    if ttls and ttls.min_ttl > ttls.max_ttl:
        what = f"min_ttl {ttls.min_ttl} is more than max_ttl {ttls.max_ttl}"
        mistakes.add(path, what, "raise max_ttl, or lower min_ttl")


def _check_not_ourselves(
    path: Path, upstreams: Sequence[AnyUpstream], listens: tuple[Listen, ...], mistakes: Mistakes
) -> None:
    for index, upstream in enumerate(upstreams):
        if isinstance(upstream, UpstreamName):  # what it means is known when it is looked up
            continue
        listen = own_listener(upstream, listens, lambda address: address.is_loopback)
        if listen is not None:
            what = f"{upstream} is our own listener on {listen}: queries would go round"
            mistakes.add((*path, index), what, "name another DNS server")
