"""BIND and Unbound, configured from the World that vpcdns serves: the same rules in their words.

Who sees which name is worked out here anew, from instances and groups; `resolve` is not asked.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server_process import free_port, running
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.topology import Prefix, Vpc
from vpcdns.model.world import World

INTERNET = "internet"
SOA_DATA = "vpcdns.internal. hostmaster.vpcdns.internal. {serial} 3600 600 86400 {minimum}"


def found(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def audiences(world: World) -> dict[str, list[Prefix]]:
    """The source networks of everybody who counts as that VPC."""
    sources = {vpc_id: list(vpc.source_networks) for vpc_id, vpc in world.topology.vpcs.items()}
    for network in world.topology.networks.values():
        if network.resolves_as is not None:
            sources[network.resolves_as] += network.source_networks
    return sources


def is_open(instance: Instance, vpc: Vpc | None) -> bool:
    """DESIGN §1.3 to §1.5."""
    if vpc is None:
        return False
    if instance.type is InstanceType.SERVERLESS:
        return instance.region_id == vpc.region_id
    return instance.binding is not None and instance.binding.vpc_id == vpc.vpc_id


def domain(group: Group, world: World) -> str:
    return f"{group.group_id}-{group.region_id}-vpc.{world.answers.suffix}."


def addresses(world: World, vpc: Vpc | None) -> list[tuple[str, str]]:
    """Every VPC domain that is open to the VPC, with each of its addresses."""
    pairs = []
    for group in world.groups.values():
        instance = world.instance_of(group)
        if group.vpc_domain and is_open(instance, vpc):
            given = [instance.binding.address] if instance.binding else instance.addresses
            pairs += [(domain(group, world), str(address)) for address in given]
    return pairs


def aliases(world: World) -> list[tuple[Name, str]]:
    return [(name, domain(group, world)) for group in world.groups.values() for name in group.custom_domains]


def _soa(world: World) -> str:
    serial = world.revision & 0xFFFFFFFF
    return SOA_DATA.format(serial=serial, minimum=world.answers.negative_ttl)


@contextmanager
def bind(world: World, folder: Path, upstream: int) -> Iterator[int]:
    """named, one view for each audience; the port it serves on 127.0.0.1."""
    views = {}
    for view, vpc in [*world.topology.vpcs.items(), (INTERNET, None)]:
        views[view] = {apex: _zone(folder, view, apex, world, vpc) for apex in _apexes(world)}
    with named(world, folder, upstream, views) as port:
        yield port


@contextmanager
def named(
    world: World, folder: Path, upstream: int, views: dict[str, dict[str, str]], options: str = ""
) -> Iterator[int]:
    """BIND with a view for each VPC and the Internet, of zone files by their apexes; its port."""
    port = free_port()
    sources = audiences(world)
    every = sorted(
        ((prefix, vpc_id) for vpc_id, prefixes in sources.items() for prefix in prefixes),
        key=lambda pair: -pair[0].prefixlen,
    )
    text = [_bind_options(world, folder, port, upstream, options)]
    for view, zones in views.items():
        clients = "".join(f"{'' if owner == view else '!'}{prefix}; " for prefix, owner in every)
        clients += "any; " if view == INTERNET else ""
        served = "".join(
            f'  zone "{apex}" {{ type master; file "{file}"; }};\n' for apex, file in zones.items()
        )
        text.append(f'view "{view}" {{\n  match-clients {{ {clients}}};\n{served}}};\n')
    (folder / "named.conf").write_text("\n".join(text))
    command = ["named", "-g", "-n", "1", "-c", str(folder / "named.conf")]
    with running(command, r"^\S+ \S+ running$"):
        yield port


def _bind_options(world: World, folder: Path, port: int, upstream: int, more: str) -> str:
    clients = " ".join(f"{prefix};" for prefix in world.access.clients)
    return f"""
options {{
  directory "{folder}"; pid-file none; session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  allow-query {{ {clients} }}; allow-query-cache {{ {clients} }}; allow-recursion {{ {clients} }};
  allow-transfer {{ none; }};
  minimal-responses yes; minimal-any yes; answer-cookie no; notify no; dnssec-validation no;
  rrset-order {{ order none; }};
  version "{world.identity.version}"; server-id "{world.identity.server_id}";
  hostname "{world.identity.server_id}";
  recursion yes; forward only; forwarders {{ 127.0.0.1 port {upstream}; }}; zero-no-soa-ttl no;
  {more}
}};
controls {{ }};
"""


def _apexes(world: World) -> list[str]:
    """The suffix, and the parents of custom domains: BIND has no CNAME at a zone's apex."""
    return [str(world.answers.suffix), *sorted({str(Name(name.labels[-2:])) for name, _ in aliases(world)})]


def _zone(folder: Path, view: str, apex: str, world: World, vpc: Vpc | None) -> str:
    lines = [f"{apex}. {world.answers.negative_ttl} SOA {_soa(world)}", f"{apex}. 60 NS vpcdns.internal."]
    if apex == str(world.answers.suffix):
        lines += [f"{name} {world.answers.ttl} A {address}" for name, address in addresses(world, vpc)]
    else:
        lines += [
            f"{name}. {world.answers.ttl} CNAME {target}"
            for name, target in aliases(world)
            if str(Name(name.labels[-2:])) == apex
        ]
    file = folder / f"{view}-{apex}.zone"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


@contextmanager
def unbound(world: World, folder: Path, upstream: int) -> Iterator[int]:
    """Unbound, one view for each audience, of local-zone and local-data; the port on 127.0.0.1."""
    port = free_port()
    text = [_unbound_server(world, folder, port)]
    for vpc_id, prefixes in audiences(world).items():
        text += [f'  access-control-view: {prefix} "{vpc_id}"' for prefix in prefixes]
    # Unbound takes the view of the longest prefix, and 127.0.0.0/9 without a view would be that.
    text += [f'  access-control-view: {prefix} "{INTERNET}"' for prefix in world.access.clients]
    for view, vpc in [*world.topology.vpcs.items(), (INTERNET, None)]:
        text.append(f'view:\n  name: "{view}"\n  view-first: yes')
        text += _unbound_view(world, vpc)
    text.append(f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{upstream}')
    (folder / "unbound.conf").write_text("\n".join(text) + "\n")
    command = ["unbound", "-d", "-c", str(folder / "unbound.conf")]
    with running(command, r"start of service"):
        yield port


def _unbound_server(world: World, folder: Path, port: int) -> str:
    clients = "\n".join(f"  access-control: {prefix} allow" for prefix in world.access.clients)
    return f"""
server:
  interface: 127.0.0.1
  port: {port}
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  minimal-responses: yes
  rrset-roundrobin: no
  version: "{world.identity.version}"
  identity: "{world.identity.server_id}"
  nsid: "ascii_{world.identity.server_id}"
  access-control: 127.0.0.0/8 refuse
{clients}
remote-control:
  control-enable: no
server:
"""


def _unbound_view(world: World, vpc: Vpc | None) -> Iterator[str]:
    suffix = world.answers.suffix
    yield f'  local-zone: "{suffix}." static'
    yield f'  local-data: "{suffix}. {world.answers.negative_ttl} SOA {_soa(world)}"'
    for name, address in addresses(world, vpc):
        yield f'  local-data: "{name} {world.answers.ttl} A {address}"'
    for alias, target in aliases(world):
        if not alias.is_wildcard:
            yield f'  local-zone: "{alias}." static'
            yield f'  local-data: "{alias}. {world.answers.ttl} CNAME {target}"'
