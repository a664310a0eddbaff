"""A small Internet that is signed: zones with keys of their own that BIND serves, and the trust anchor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.rdataset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import Algorithm, DSDigest
from dns.rdtypes.ANY.DS import DS

from tests.support.server_process import free_port, running

HEAD = """@ 300 IN SOA ns.{zone} hostmaster.{zone} 1 3600 600 86400 60
@ 300 NS ns.{zone}
ns.{zone} 300 A 127.0.0.1
"""
LIFETIME = timedelta(days=1)


def written(zones: Mapping[str, str], unsigned: frozenset[str], folder: Path) -> DS:
    """A zone file for each of `zones`, which are texts by apex, children before their parents; the root's DS.

    A parent has the NS records of its children in its text; it gets their DS, unless they are `unsigned`.
    """
    children: dict[dns.name.Name, DS] = {}
    ds: DS | None = None
    for apex, text in zones.items():
        zone = dns.zone.from_text(
            HEAD.format(zone=apex if apex != "." else "") + text, apex, relativize=False
        )
        for child, its in children.items():
            if child.parent() == zone.origin:
                zone.replace_rdataset(child, dns.rdataset.from_rdata(300, its))
        if apex not in unsigned:
            ds = _sign(zone)
            children[dns.name.from_text(apex)] = ds
        zone.to_file(str(folder / _file(apex)), relativize=False)
    assert ds is not None
    return ds


def _sign(zone: dns.zone.Zone) -> DS:
    """Signs the zone with a new key; the key's DS."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(key.public_key(), Algorithm.ECDSAP256SHA256, flags=257)
    now = datetime.now(UTC)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(
            zone,
            transaction,
            [(key, public)],
            dnskey_ttl=300,
            inception=now - LIFETIME,
            expiration=now + LIFETIME,
        )
    assert zone.origin is not None
    return dns.dnssec.make_ds(zone.origin, public, DSDigest.SHA256)


def _file(apex: str) -> str:
    return f"{apex.rstrip('.') or 'root'}.signed"


@contextmanager
def serving(zones: Mapping[str, str], folder: Path) -> Iterator[int]:
    """BIND with the zones that `written` has written; its port on 127.0.0.1."""
    port = free_port()
    served = "".join(f'zone "{apex}" {{ type primary; file "{_file(apex)}"; }};\n' for apex in zones)
    (folder / "named.conf").write_text(f"""
options {{
  directory "{folder}"; pid-file none; session-keyfile none; recursion no; notify no;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-transfer {{ none; }};
}};
controls {{ }};
{served}""")
    command = ["named", "-g", "-n", "1", "-c", str(folder / "named.conf")]
    with running(command, r"^\S+ \S+ running$"):
        yield port
