"""The servers that are compared: how each is started so that all do the same work.

One process and one thread for each, no DNSSEC validation, no log; what they are asked is for `cases`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Command = list[str]


@dataclass(frozen=True, slots=True)
class Server:
    """`program` comes with Debian's `package`; `command` gets a folder, our and upstream's port."""

    name: str
    program: str
    package: str
    command: Callable[[Path, int, int], Command]


def _vpcdns(folder: Path, port: int, upstream: int) -> Command:
    return [sys.executable, str(Path(__file__).with_name("serve_world.py")), str(port), str(upstream)]


def _dnsmasq(folder: Path, port: int, upstream: int) -> Command:
    return [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user="),
        *("--pid-file", "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}"),
        *(f"--server=127.0.0.1#{upstream}", "--cache-size=100000", "--dns-forward-max=1000"),
    ]


def _unbound(folder: Path, port: int, upstream: int) -> Command:
    path = folder / "unbound.conf"
    path.write_text(f"""
server:
  num-threads: 1
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  do-not-query-localhost: no
  outgoing-range: 4096
  num-queries-per-thread: 2048
  rrset-cache-size: 256m
  msg-cache-size: 128m
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
""")
    return ["unbound", "-d", "-c", str(path)]


def _bind(folder: Path, port: int, upstream: int) -> Command:
    path = folder / "named.conf"
    path.write_text(f"""
options {{
  directory "{folder}"; pid-file none; session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  forward only; forwarders {{ 127.0.0.1 port {upstream}; }};
  recursion yes; allow-query {{ any; }}; dnssec-validation no; recursive-clients 4000; querylog no;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
""")
    return ["named", "-f", "-n", "1", "-c", str(path), "-p", str(port)]


SERVERS: Final = (
    Server("vpcdns", sys.executable, "python3", _vpcdns),
    Server("dnsmasq", "dnsmasq", "dnsmasq-base", _dnsmasq),
    Server("Unbound", "unbound", "unbound", _unbound),
    Server("BIND", "named", "bind9", _bind),
)
