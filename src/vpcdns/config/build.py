"""Configuration -> model, under the rules that changes obey too (DESIGN §1).

Knows the schema and the rules' functions, and decides no rule itself. Collects everything that is
wrong; what it makes is only good when nothing is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from vpcdns.config import schema
from vpcdns.config.build_gateway import GatewayBuilder
from vpcdns.config.build_topology import TopologyBuilder
from vpcdns.config.problems import Finding, Path
from vpcdns.model.gateway import Group
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.policy import (
    Access,
    Answers,
    Denied,
    Explain,
    Forwarding,
    ForwardRule,
    Listen,
    Otherwise,
    QueryLogging,
    QueryLogMode,
    ServerIdentity,
    Upstream,
    own_listener,
)
from vpcdns.model.topology import Topology
from vpcdns.model.world import World

MAX_LISTENERS: Final = 256  # each has two sockets and buffers of its own


@dataclass(frozen=True, slots=True)
class Admin:
    """The HTTP side: where it listens (None: nowhere), and what a request without a region is about."""

    listen: Listen | FilePath | None = None
    access_keys_file: FilePath | None = None
    region_id: str | None = None


@dataclass(slots=True)
class Built:
    """What a configuration makes, and what is wrong with it."""

    world: World
    listens: tuple[Listen, ...]
    admin: Admin | None
    query_logging: QueryLogging
    findings: list[Finding]


def build(
    configuration: schema.Configuration,
    groups: Iterable[Group],
    folder: FilePath,
    revision: int,
    identity: ServerIdentity,
) -> Built:
    """Makes the World that a configuration describes; `folder` is where relative paths start.

    The groups are apart, and may be read by and by.
    """
    findings: list[Finding] = []
    topology = TopologyBuilder(findings).build(configuration)
    answers = _answers(configuration.answers, findings)
    gateway = GatewayBuilder(topology, answers.suffix, findings)
    gateway.add_instances(configuration.instances)
    gateway.add_groups(groups)
    regions = {vpc.region_id for vpc in topology.vpcs.values()} | {key[0] for key in gateway.instances}
    listens = _listens(configuration.server, topology, findings)
    admin = _admin(configuration.admin, folder, regions, listens, findings)
    world = World(
        revision=revision,
        answers=answers,
        access=_access(configuration.server),
        forwarding=_forwarding(configuration.forward, topology, listens, findings),
        identity=identity,
        topology=topology,
        **gateway.parts(),
    )
    return Built(world, listens, admin, _query_logging(configuration.server.log, folder), findings)


def _answers(part: schema.AnswersPart, findings: list[Finding]) -> Answers:
    for one, other in ((part.suffix, VPCDNS_INTERNAL), (VPCDNS_INTERNAL, part.suffix)):
        if one.is_at_or_below(other):
            what = f"{part.suffix} and {VPCDNS_INTERNAL}, which is ours, would lie in one another"
            findings.append(Finding(("answers", "suffix"), what, "take another suffix"))
            break
    return Answers(part.suffix, part.ttl, part.negative_ttl, Denied(part.denied), Explain(part.explain))


def _access(part: schema.Server) -> Access:
    return Access(tuple(part.clients), tuple(part.trusted_peers), part.responses_per_second)


def _listens(part: schema.Server, topology: Topology, findings: list[Finding]) -> tuple[Listen, ...]:
    listens: list[Listen] = []
    if len(part.listen) > MAX_LISTENERS:
        what = f"{len(part.listen)} listeners, and at most {MAX_LISTENERS} can be had"
        findings.append(Finding(("server", "listen"), what, "listen on 0.0.0.0 or [::] instead"))
        return ()
    for index, entry in enumerate(part.listen):
        path: Path = ("server", "listen", index)
        if isinstance(entry, schema.ListenEntry):
            listen = Listen(entry.address.address, entry.address.port, entry.vpc_id)
            if entry.vpc_id is not None and entry.vpc_id not in topology.vpcs:
                what, way_out = f"there is no VPC {entry.vpc_id}", "add it under `vpcs`, or mend the id"
                findings.append(Finding((*path, "vpc_id"), what, way_out))
            path = (*path, "address")
        else:
            listen = entry
        if clash := _clash(listen, listens):
            what = f"{listen} clashes with the listener on {clash}"
            findings.append(Finding(path, what, "give it another address or port, or remove it"))
        listens.append(listen)
    return tuple(listens)


def _clash(listen: Listen, others: Iterable[Listen]) -> Listen | None:
    """A listener that TCP cannot have beside `listen`: the same one, or one of them on every address."""
    return next((other for other in others if _overlap(listen, other)), None)


def _overlap(one: Listen, other: Listen) -> bool:
    if one.port != other.port or one.port == 0 or one.address.version != other.address.version:
        return False
    return one.address == other.address or one.address.is_unspecified or other.address.is_unspecified


def _query_logging(part: schema.QueryLogPart, folder: FilePath) -> QueryLogging:
    file = part.file if part.file == "-" else str(folder / part.file)
    return QueryLogging(QueryLogMode(part.queries), part.sample, file)


def _admin(
    part: schema.AdminPart | None,
    folder: FilePath,
    regions: set[str],
    listens: tuple[Listen, ...],
    findings: list[Finding],
) -> Admin | None:
    if part is None:
        return None
    if isinstance(part.listen, Listen) and (clash := _clash(part.listen, listens)):
        what = f"{part.listen} clashes with the DNS listener on {clash}"
        findings.append(Finding(("admin", "listen"), what, "give it another port"))
    # Where there is nothing yet, the API's first calls make what is in it.
    if part.region_id is not None and regions and part.region_id not in regions:
        known = ", ".join(sorted(regions))
        what = f"no VPC and no instance is in {part.region_id}"
        findings.append(Finding(("admin", "region_id"), what, f"name a region that is in use ({known})"))
    only = next(iter(regions)) if len(regions) == 1 else None
    keys = None if part.access_keys_file is None else folder / part.access_keys_file
    return Admin(part.listen, keys, part.region_id or only)


def _forwarding(
    part: schema.Forward, topology: Topology, listens: tuple[Listen, ...], findings: list[Finding]
) -> Forwarding:
    _not_ourselves(("forward", "upstreams"), part.upstreams or [], listens, findings)
    seen: dict[tuple[Name, str | None], int] = {}
    for index, rule in enumerate(part.rules):
        path: Path = ("forward", "rules", index)
        _not_ourselves((*path, "upstreams"), rule.upstreams, listens, findings)
        for place, vpc_id in enumerate(rule.vpcs or ()):
            if vpc_id not in topology.vpcs:
                what, way_out = f"there is no VPC {vpc_id}", "add it under `vpcs`, or mend the id"
                findings.append(Finding((*path, "vpcs", place), what, way_out))
        audiences: list[str | None] = [*dict.fromkeys(rule.vpcs)] if rule.vpcs else [None]
        for audience in audiences:
            first = seen.setdefault((rule.domain, audience), index)
            if first != index:
                who = audience or "everybody"
                what = f"{rule.domain} has a rule for {who} already, forward.rules[{first}]"
                findings.append(Finding((*path, "domain"), what, "put the upstreams into one rule"))
    rules = tuple(
        ForwardRule(rule.domain, tuple(rule.upstreams), frozenset(rule.vpcs or ())) for rule in part.rules
    )
    return Forwarding(tuple(part.upstreams or ()), rules, Otherwise(part.otherwise))


def _not_ourselves(
    path: Path, upstreams: list[Upstream], listens: tuple[Listen, ...], findings: list[Finding]
) -> None:
    for index, upstream in enumerate(upstreams):
        listen = own_listener(upstream, listens, lambda address: address.is_loopback)
        if listen is not None:
            what = f"{upstream} is our own listener on {listen}: queries would go round"
            findings.append(Finding((*path, index), what, "name another DNS server"))
