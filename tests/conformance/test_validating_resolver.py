"""A validating Unbound in front: vpcdns forwards what proofs need, so nothing that it owns is SERVFAIL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from dns.rdtypes.ANY.DS import DS

from tests.conformance.names import CONFIG, DEDICATED_A, DEDICATED_B, IN_A, OFF, SERVERLESS, SUFFIX, UNKNOWN
from tests.differential.peers import found
from tests.support.server_process import free_port, running
from tests.support.signed_zones import serving, written
from vpcdns.testing import Server

INSECURE = frozenset({f"{SUFFIX}.", "shop.net."})
# Children before their parents. `lab` is delegated without DS, so that what is in it may be private.
ZONES = {
    f"{SUFFIX}.": "www 60 A 192.0.2.10\n",
    "shop.net.": "www 60 A 192.0.2.11\n",
    "example.net.": f"""www 60 A 192.0.2.12
www 60 TXT "signed"
alias 60 CNAME www
far 60 CNAME www.shop.net.
api 60 CNAME {DEDICATED_A}.
closed 60 CNAME {DEDICATED_B}.
into 60 CNAME db.lab.example.net.
lab 60 NS ns
*.wild 60 A 192.0.2.13
moved 60 DNAME lab.example.net.
*.all 60 CNAME db.lab.example.net.
*.far 60 CNAME www.shop.net.
""",
    "com.": f"{SUFFIX}. 60 NS ns.{SUFFIX}.\nns.{SUFFIX}. 60 A 127.0.0.1\n",
    "net.": "shop 60 NS ns.shop.net.\nexample 60 NS ns.example.net.\n",
    ".": "com. 60 NS ns.com.\nnet. 60 NS ns.net.\n",
}
PRIVATE = """private_zones:
  - zone: lab.example.net
    vpcs: [vpc-a]
    records:
      - {name: db, type: A, values: [10.1.0.9]}
      - {name: out, type: CNAME, values: [www.example.net.]}
      - {name: api, type: CNAME, values: [DEDICATED.]}
      - {name: deep, type: CNAME, values: [db.in.lab.example.net.]}
      - {name: "*", type: CNAME, values: [www.example.net.]}
  - {zone: all.lab.example.net, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.0.13]}]}
  - {zone: own.wide.shop.net, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.0.14]}]}
  - {zone: in.lab.example.net, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.0.10]}]}
  - {zone: signed.example.net, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.0.11]}]}
  - {zone: corp.internal, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.0.12]}]}
""".replace("DEDICATED", DEDICATED_A)


@dataclass(frozen=True)
class Unbound:
    port: int

    def ask(self, name: str, rtype: str = "A") -> dns.message.Message:
        query = dns.message.make_query(name, rtype, want_dnssec=True)
        return dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=20)

    def seen(self, name: str, rtype: str = "A") -> tuple[str, bool, list[str]]:
        """RCODE, whether it is authentic, and the answer's data without signatures."""
        response = self.ask(name, rtype)
        data = [str(one) for rrset in response.answer if rrset.rdtype != 46 for one in sorted(rrset)]
        return dns.rcode.to_text(response.rcode()), bool(response.flags & dns.flags.AD), data


@pytest.fixture(scope="module")
def vpcdns_and_anchor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, DS]]:
    if not found("named", "unbound"):
        pytest.skip("BIND and Unbound are not installed")
    folder = tmp_path_factory.mktemp("signed")
    anchor = written(ZONES, INSECURE, folder)
    with serving(ZONES, folder) as upstream:
        config = CONFIG.replace("upstreams: []", f'upstreams: ["127.0.0.1:{upstream}"]')
        config = config.replace("api.example.com", "api.shop.net, '*.wide.shop.net'").replace(
            "orders.example.com", "orders.example.net"
        )
        with Server(config + PRIVATE) as server:
            yield server.dns[1], anchor


def validating(port: int, anchor: DS, folder: Path, *insecure: str) -> tuple[list[str], int]:
    """The command of an Unbound that asks vpcdns for everything, out of vpc-a, and its port."""
    own = free_port()
    more = "".join(f'  domain-insecure: "{name}"\n' for name in insecure)
    (folder / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1
  port: {own}
  outgoing-interface: {IN_A}
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  module-config: "validator iterator"
  trust-anchor: ". 300 IN DS {anchor}"
  trust-anchor-signaling: no
  do-not-query-localhost: no
  val-log-level: 2
{more}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{port}
""")
    return ["unbound", "-d", "-c", str(folder / "unbound.conf")], own


@pytest.fixture(scope="module")
def unbound(vpcdns_and_anchor: tuple[int, DS], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unbound]:
    command, port = validating(*vpcdns_and_anchor, tmp_path_factory.mktemp("unbound"))
    with running(command, r"start of service"):
        yield Unbound(port)


@pytest.mark.parametrize(
    ("name", "rtype", "seen"),
    [
        ("www.example.net", "A", ("NOERROR", True, ["192.0.2.12"])),
        ("www.example.net", "AAAA", ("NOERROR", True, [])),
        ("none.example.net", "A", ("NXDOMAIN", True, [])),
        ("x.y.wild.example.net", "A", ("NOERROR", True, ["192.0.2.13"])),
        ("alias.example.net", "TXT", ("NOERROR", True, ["www.example.net.", '"signed"'])),
        ("example.net", "DS", ("NOERROR", True, None)),
        (".", "DNSKEY", ("NOERROR", True, None)),
    ],
)
def test_what_is_signed_is_secure(
    unbound: Unbound, name: str, rtype: str, seen: tuple[str, bool, list[str] | None]
) -> None:
    rcode, authentic, data = unbound.seen(name, rtype)
    assert (rcode, authentic) == seen[:2]
    assert data == seen[2] if seen[2] is not None else data


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "data"),
    [
        (SERVERLESS, "A", "NOERROR", ["100.100.80.10", "100.100.80.11"]),
        (DEDICATED_A, "A", "NOERROR", ["10.1.8.20"]),
        (DEDICATED_A, "AAAA", "NOERROR", []),
        (DEDICATED_B, "A", "NXDOMAIN", []),
        (OFF, "A", "NXDOMAIN", []),
        (UNKNOWN, "HTTPS", "NXDOMAIN", []),
        (f"x.{DEDICATED_A}", "A", "NXDOMAIN", []),
        (SUFFIX, "A", "NOERROR", []),
        (f"www.{SUFFIX}", "A", "NOERROR", ["192.0.2.10"]),
        (f"none.{SUFFIX}", "A", "NXDOMAIN", []),
        ("www.shop.net", "A", "NOERROR", ["192.0.2.11"]),
        # Custom domains, and CNAMEs that are signed and lead here.
        ("api.shop.net", "A", "NOERROR", [f"{DEDICATED_A}.", "10.1.8.20"]),
        ("api.shop.net", "AAAA", "NOERROR", [f"{DEDICATED_A}."]),
        ("far.example.net", "A", "NOERROR", ["www.shop.net.", "192.0.2.11"]),
        ("api.example.net", "A", "NOERROR", [f"{DEDICATED_A}.", "10.1.8.20"]),
        ("api.example.net", "HTTPS", "NOERROR", [f"{DEDICATED_A}."]),
        ("closed.example.net", "A", "NXDOMAIN", [f"{DEDICATED_B}."]),
        # A private zone to which the signed zone above delegates without DS.
        ("db.lab.example.net", "A", "NOERROR", ["10.1.0.9"]),
        ("db.lab.example.net", "TXT", "NOERROR", []),
        ("a.b.in.lab.example.net", "A", "NXDOMAIN", []),
        ("out.lab.example.net", "A", "NOERROR", ["www.example.net.", "192.0.2.12"]),
        ("api.lab.example.net", "A", "NOERROR", [f"{DEDICATED_A}.", "10.1.8.20"]),
        ("deep.lab.example.net", "A", "NOERROR", ["db.in.lab.example.net.", "10.1.0.10"]),
        ("into.example.net", "A", "NOERROR", ["db.lab.example.net.", "10.1.0.9"]),
        ("db.moved.example.net", "A", "NOERROR", ["lab.example.net.", "db.lab.example.net.", "10.1.0.9"]),
        ("x.all.example.net", "A", "NOERROR", ["db.lab.example.net.", "10.1.0.9"]),
        ("x.all.example.net", "TXT", "NOERROR", ["db.lab.example.net."]),
        ("x.far.example.net", "A", "NOERROR", ["www.shop.net.", "192.0.2.11"]),
        # A custom domain does not lie at the top of a private zone: DS is still the parent's.
        ("db.all.lab.example.net", "A", "NOERROR", ["10.1.0.13"]),
        ("db.own.wide.shop.net", "A", "NOERROR", ["10.1.0.14"]),
        ("own.wide.shop.net", "DS", "NXDOMAIN", []),
        ("lab.example.net", "DS", "NOERROR", []),
    ],
)
def test_what_is_ours_is_insecure_and_resolves(
    unbound: Unbound, name: str, rtype: str, rcode: str, data: list[str]
) -> None:
    assert unbound.seen(name, rtype)[::2] == (rcode, data)
    if not name.endswith(".example.net") and data:
        assert not unbound.seen(name, rtype)[1]


NOT_PROVEN = ("db.signed.example.net", "db.corp.internal", "orders.example.net")


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_what_a_signed_zone_denies_needs_a_word(
    vpcdns_and_anchor: tuple[int, DS], unbound: Unbound, tmp_path: Path, name: str
) -> None:
    """The zone above proves that there is no such name; with `domain-insecure` it may be all the same."""
    assert unbound.seen(name)[0] == "SERVFAIL"
    zones = ("signed.example.net", "corp.internal", "orders.example.net")
    command, port = validating(*vpcdns_and_anchor, tmp_path, *zones)
    with running(command, r"start of service"):
        assert Unbound(port).seen(name)[0] in ("NOERROR", "NXDOMAIN")
        assert Unbound(port).seen("www.example.net")[1]
