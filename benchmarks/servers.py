"""The servers that are compared: how each is started so that all do the same work.

One process and one thread for each, no DNSSEC validation, no log. For VPC domains, Unbound and BIND have a
view for the VPC that may see them and one for the VPC that may not, as vpcdns has; dnsmasq has no views and
holds the names for everybody.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cases import SUFFIX, Case, custom_domain, vpc_domain

Command = list[str]
ADDRESS: Final = "10.1.8.20"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server may write, listens, and finds its upstream."""

    folder: Path
    port: int
    upstream: int


@dataclass(frozen=True, slots=True)
class Server:
    """`program` comes with Debian's `package`."""

    name: str
    program: str
    package: str
    command: Callable[[Place, Case], Command]


def _vpcdns(place: Place, case: Case) -> Command:
    script = Path(__file__).with_name("serve_world.py")
    return [sys.executable, str(script), case.host, str(place.port), str(place.upstream), str(case.groups)]


def _dnsmasq(place: Place, case: Case) -> Command:
    common = [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user="),
        *("--pid-file", "--bind-interfaces", f"--listen-address={case.host}", f"--port={place.port}"),
    ]
    if not case.groups:
        return [
            *common,
            *(f"--server=127.0.0.1#{place.upstream}", "--cache-size=100000", "--dns-forward-max=1000"),
        ]
    hosts = place.folder / "hosts"
    hosts.write_text("".join(f"{ADDRESS} {vpc_domain(number)}\n" for number in range(case.groups)))
    return [*common, f"--addn-hosts={hosts}", f"--local=/{SUFFIX}/", "--local-ttl=60"]


def _unbound(place: Place, case: Case) -> Command:
    path = place.folder / "unbound.conf"
    path.write_text(f"""
server:
  num-threads: 1
  interface: {case.host}@{place.port}
  username: ""
  chroot: ""
  directory: "{place.folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  do-not-query-localhost: no
  outgoing-range: 4096
  num-queries-per-thread: 2048
  rrset-cache-size: 256m
  msg-cache-size: 128m
  incoming-num-tcp: 1000
{_unbound_views(case) if case.groups else _unbound_forward(place)}
""")
    return ["unbound", "-d", "-c", str(path)]


def _unbound_forward(place: Place) -> str:
    return f"""remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{place.upstream}
"""


def _unbound_views(case: Case) -> str:
    soa = f'local-data: "{SUFFIX}. 10 SOA ns.{SUFFIX}. root.{SUFFIX}. 1 3600 600 86400 10"'
    zone = f'  local-zone: "{SUFFIX}" static\n  {soa}\n'
    data = "".join(f'  local-data: "{vpc_domain(n)}. 60 A {ADDRESS}"\n' for n in range(case.groups))
    return f"""  access-control-view: 127.10.0.0/16 inside
  access-control-view: ::1/128 inside
  access-control-view: 127.20.0.0/16 outside
remote-control:
  control-enable: no
view:
  name: inside
{zone}{data}view:
  name: outside
{zone}"""


def _bind(place: Place, case: Case) -> Command:
    path = place.folder / "named.conf"
    path.write_text(f"""
options {{
  directory "{place.folder}"; pid-file none; session-keyfile none;
  listen-on port {place.port} {{ {"none" if ":" in case.host else case.host}; }};
  listen-on-v6 port {place.port} {{ {case.host if ":" in case.host else "none"}; }};
  allow-query {{ any; }}; dnssec-validation no; recursive-clients 4000; querylog no; tcp-clients 1000;
  {"recursion no;" if case.groups else _bind_forward(place)}
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
{_bind_views(place, case) if case.groups else ""}
""")
    return ["named", "-f", "-n", "1", "-c", str(path), "-p", str(place.port)]


def _bind_forward(place: Place) -> str:
    return f"recursion yes; forward only; forwarders {{ 127.0.0.1 port {place.upstream}; }};"


def _bind_views(place: Place, case: Case) -> str:
    head = f"$TTL 60\n@ 10 SOA ns.{SUFFIX}. root.{SUFFIX}. 1 3600 600 86400 10\n@ NS ns.{SUFFIX}.\n"
    labels = (vpc_domain(number).partition(".")[0] for number in range(case.groups))
    inside, outside = place.folder / "inside.zone", place.folder / "outside.zone"
    inside.write_text(head + "".join(f"{label} A {ADDRESS}\n" for label in labels))
    outside.write_text(head)
    custom = place.folder / "custom.zone"
    aliases = (
        f"{custom_domain(n).partition('.')[0]} CNAME {vpc_domain(n)}.\n"
        for n in range(min(case.groups, 10_000))
    )
    custom.write_text(head + "".join(aliases))
    shop = f'zone "shop.example" {{ type primary; file "{custom}"; }};'
    return f"""
view inside {{ match-clients {{ 127.10.0.0/16; ::1; }};
  zone "{SUFFIX}" {{ type primary; file "{inside}"; }}; {shop} }};
view outside {{ match-clients {{ any; }};
  zone "{SUFFIX}" {{ type primary; file "{outside}"; }}; }};
"""


def _yardstick(place: Place, case: Case) -> Command:
    return [str(place.folder / "yardstick"), str(place.port), *(["6"] if ":" in case.host else [])]


SERVERS: Final = (
    Server("vpcdns", sys.executable, "python3", _vpcdns),
    Server("yardstick", "cc", "gcc", _yardstick),
    Server("dnsmasq", "dnsmasq", "dnsmasq-base", _dnsmasq),
    Server("Unbound", "unbound", "unbound", _unbound),
    Server("BIND", "named", "bind9", _bind),
)
VERSIONS: Final = {
    "vpcdns": ["vpcdns", "--version"],
    "dnsmasq": ["dnsmasq", "--version"],
    "Unbound": ["unbound", "-V"],
    "BIND": ["named", "-v"],
    "dnsperf": ["dnsperf", "-h"],
}
ENVIRONMENT: Final = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
