"""A World -> the configuration that makes it (DESIGN §2): what `load` reads back as the same World.

Knows the configuration's shape and the model. Where the default says the same, nothing is written.
"""

import re
from collections import Counter
from collections.abc import Iterable
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vpcdns.config import document, schema, topology_schema
from vpcdns.config.values import custom_domain
from vpcdns.errors import MalformedChange
from vpcdns.model.changes import AddCustomDomain, Change, CreateGroup, CreateInstance, RenameGroup
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.policy import Access, Answers, Forwarding, Otherwise
from vpcdns.model.topology import Connection, IpsecConnection, Network, Prefix, Vpc
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch
from vpcdns.model.world import World

V = TypeVar("V")

# Parts of one object that one change may bring. The cloud allows 150 vSwitches in a VPC, and less of others.
MAX_PARTS: Final = 150

_SORTED_AT_ONCE: Final = 2_000

# The sections that the cloud's API can change; the others are the operator's alone.
OBJECT_SECTIONS: Final = ("vpcs", "instances", "groups")


def written(world: World) -> dict[str, Any]:
    """The configuration of `world` as plain data: sections `server` to `groups`, empty ones left out."""
    sections = {
        "server": _access(world.access),
        "answers": _answers(world.answers),
        "forward": _forwarding(world.forwarding),
        "networks": [_network(network) for network in world.topology.networks.values()],
        "connections": [_connection(connection) for connection in world.topology.connections.values()],
        **written_objects(world),
    }
    order = ("server", "answers", "forward", "vpcs", "networks", "connections", "instances", "groups")
    return {name: sections[name] for name in order if sections[name]}


def written_objects(world: World) -> dict[str, list[dict[str, Any]]]:
    """The sections that the API can change."""
    counts = Counter(instance_id for _, instance_id in world.instances)
    return {
        "vpcs": [_vpc(vpc) for vpc in in_order(world.topology.vpcs)],
        "instances": [_instance(instance) for instance in in_order(world.instances)],
        "groups": [written_group(group, counts[group.instance_id] > 1) for group in in_order(world.groups)],
    }


def in_order(objects: FrozenMap[Any, V]) -> list[V]:
    """In the order in which they came; too many to have one are sorted, so that two files can be compared.

    In parts: a sort of a million stops every other thread until it is done.
    """
    if objects.is_ordered:
        return list(objects.values())
    items, by_key, parts = objects.scan(), itemgetter(0), list[list[tuple[Any, V]]]()
    while part := sorted(islice(items, _SORTED_AT_ONCE), key=by_key):
        parts.append(part)
    return [value for _, value in merge(*parts, key=by_key)]


def with_objects(text: str, world: World) -> dict[str, Any]:
    """The configuration that `text` is, with the objects of `world` in place of its own."""
    plain = document.read(text).value
    assert isinstance(plain, dict), "to be read only when it was found good"  # noqa: S101
    objects = written_objects(world)
    kept = {name: part for name, part in plain.items() if name not in OBJECT_SECTIONS}
    return kept | {name: part for name, part in objects.items() if part}


def yaml_text(configuration: dict[str, Any]) -> str:
    """Plain data as YAML that no reader of any version takes for anything else."""
    return yaml.dump(
        configuration, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )


class _Dumper(yaml.SafeDumper):
    """Quotes whatever is not plainly a word; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# YAML 1.1 and 1.2 take any of it for text, but for the words that one of them knows.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*|[0-9]+(\.[0-9]+){3}(/[0-9]+)?")
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def _access(access: Access) -> dict[str, Any]:
    default, part = Access(), dict[str, Any]()
    if access.clients != default.clients:
        part["clients"] = _texts(access.clients)
    if access.trusted_peers != default.trusted_peers:
        part["trusted_peers"] = _texts(access.trusted_peers)
    if access.responses_per_second is not None:
        part["responses_per_second"] = access.responses_per_second
    return part


def _answers(answers: Answers) -> dict[str, Any]:
    given = {
        "suffix": str(answers.suffix),
        "ttl": answers.ttl,
        "negative_ttl": answers.negative_ttl,
        "denied": answers.denied.value,
        "explain": answers.explain.value,
    }
    if answers == Answers():
        return {}
    return given


def _forwarding(forwarding: Forwarding) -> dict[str, Any]:
    part: dict[str, Any] = {"upstreams": _texts(forwarding.upstreams)}
    if forwarding.rules:
        part["rules"] = [
            {
                "domain": str(rule.domain),
                **({"vpcs": sorted(rule.vpcs)} if rule.vpcs else {}),
                "upstreams": _texts(rule.upstreams),
            }
            for rule in forwarding.rules
        ]
    if forwarding.otherwise is not Otherwise.REFUSED:
        part["otherwise"] = forwarding.otherwise.value
    return part


def _vpc(vpc: Vpc) -> dict[str, Any]:
    part: dict[str, Any] = {
        "vpc_id": vpc.vpc_id,
        "region_id": vpc.region_id,
        "cidr_blocks": _texts(vpc.cidr_blocks),
    }
    part |= _sources(vpc.cidr_blocks, vpc.source_networks)
    if vpc.vswitches:
        part["vswitches"] = [
            {"vswitch_id": vswitch.vswitch_id, "cidr_block": str(vswitch.cidr_block)}
            for vswitch in vpc.vswitches
        ]
    return part


def _sources(blocks: tuple[Prefix, ...], sources: tuple[Prefix, ...]) -> dict[str, Any]:
    return {} if sources == blocks else {"source_networks": _texts(sources)}


def _network(network: Network) -> dict[str, Any]:
    part: dict[str, Any] = {"network_id": network.network_id, "cidr_blocks": _texts(network.cidr_blocks)}
    part |= _sources(network.cidr_blocks, network.source_networks)
    if network.resolves_as is not None:
        part["resolves_as"] = network.resolves_as
    if network.routes:
        part["routes"] = [
            {"destination": str(route.destination), "via": route.via} for route in network.routes
        ]
    return part


def _connection(connection: Connection) -> dict[str, Any]:
    if isinstance(connection, IpsecConnection):
        return {
            "connection_id": connection.connection_id,
            "type": "ipsec",
            "vpc_id": connection.vpc_id,
            "network_id": connection.network_id,
            "local_subnets": _texts(connection.local_subnets),
            "remote_subnets": _texts(connection.remote_subnets),
        }
    part: dict[str, Any] = {
        "connection_id": connection.connection_id,
        "type": "cen",
        "edition": connection.edition,
        "attachments": list(connection.attachments),
    }
    if connection.service_routes:
        part["service_routes"] = [
            {"host": str(route.host), "host_vpc_id": route.host_vpc_id, "access": list(route.access)}
            for route in connection.service_routes
        ]
    return part


def _instance(instance: Instance) -> dict[str, Any]:
    part: dict[str, Any] = {
        "instance_id": instance.instance_id,
        "type": instance.type.value,
        "region_id": instance.region_id,
    }
    if instance.type is InstanceType.SERVERLESS:
        part["addresses"] = _texts(instance.addresses)
    elif instance.binding is not None:
        part["binding"] = {
            "vpc_id": instance.binding.vpc_id,
            "vswitch_id": instance.binding.vswitch_id,
            "address": str(instance.binding.address),
        }
    return part


def written_group(group: Group, ambiguous: bool) -> dict[str, Any]:
    part: dict[str, Any] = {"group_id": group.group_id}
    if group.name:
        part["name"] = group.name
    part["instance_id"] = group.instance_id
    if ambiguous:
        part["region_id"] = group.region_id
    part["vpc_domain"] = group.vpc_domain
    if group.custom_domains:
        part["custom_domains"] = _texts(group.custom_domains)
    return part


def _texts(values: Iterable[object]) -> list[str]:
    return [str(value) for value in values]


def check_expressible(change: Change) -> None:
    """Raises MalformedChange for a change to an object that no configuration could describe, or a huge one.

    What does not come from a file, nor from the cloud's API, may have ids and names of any form.
    """
    kind, part = _part(change)
    for name, value in part.items():
        if isinstance(value, list) and len(value) > MAX_PARTS:
            raise MalformedChange(f"{type(change).__name__}.{name}: at most {MAX_PARTS}")
    try:
        if kind is not None:
            kind.model_validate(part)
        if isinstance(change, AddCustomDomain):
            custom_domain(str(change.name))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first.get("ctx", {}).get("what", first["msg"])
        raise MalformedChange(f"{type(change).__name__}.{where}: {what}") from None


def _part(change: Change) -> tuple[type[BaseModel] | None, dict[str, Any]]:
    """The part of a configuration that a change makes, and its schema."""
    match change:
        case CreateVpc(vpc):
            return topology_schema.VpcPart, _vpc(vpc)
        case CreateVSwitch(_, vswitch):
            part = {"vswitch_id": vswitch.vswitch_id, "cidr_block": str(vswitch.cidr_block)}
            return topology_schema.VSwitchPart, part
        case CreateInstance(instance):
            serverless = instance.type is InstanceType.SERVERLESS
            return schema.ServerlessPart if serverless else schema.DedicatedPart, _instance(instance)
        case CreateGroup(group):
            return schema.GroupPart, written_group(group, ambiguous=True)
        case RenameGroup(group_id, name):
            return schema.GroupPart, {"group_id": group_id, "name": name, "instance_id": "any"}
        case _:
            return None, {}
