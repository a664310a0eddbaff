"""Checks of the way to the server: who answers, what it sees of us, what gets through. Pure.

Judges what `probes` brought; asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from vpcdns.doctor.ask import Answer
from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import Host
from vpcdns.doctor.probes import Sights
from vpcdns.doctor.setting import DOCKER_RESOLVER, RESOLVED_STUBS
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address

SLOW: Final = 1.0  # seconds; stub resolvers ask again after 5, Docker's goes on after 4
_OURS: Final = "vpcdns"
_NAMED: Final = {"dnsmasq": "dnsmasq", "unbound": "Unbound", "aardvark": "aardvark-dns"}


def check_path(sights: Sights, host: Host) -> Iterator[Finding]:
    """All of them, from the server's being there to its speed."""
    yield from _reply_address(sights)
    if not sights.alive:
        yield _silent(sights, host)
        return
    yield _is_vpcdns(sights)
    if (between := _between(sights, host)) is not None:
        yield between
    if sights.server not in map(Upstream, host.resolv_conf.nameservers):
        yield _asked_instead(sights, host)
    yield from _others(sights)
    if sights.told:
        yield _seen_as(sights, host)
        yield _place(sights)
    yield from _transports(sights)
    yield from _sizes(sights)
    yield from _search(sights)
    yield _speed(sights)


def _silent(sights: Sights, host: Host) -> Finding:
    server = sights.server
    seen = f"{server} does not answer: UDP {sights.whoami.error}, TCP {sights.whoami_tcp.error}."
    remedy = "See that vpcdns runs and listens on that address, UDP and TCP, and shares a network with us."
    if server.address in host.addresses and host.engine:
        remedy = f"{server} is this container itself: name the address of vpcdns. " + remedy
    return problem("answers", seen, remedy, str(server))


def _version(answer: Answer) -> str:
    strings = answer.response.strings if answer.response is not None else ()
    return strings[0] if strings else ""


def _is_vpcdns(sights: Sights) -> Finding:
    version, server = _version(sights.version), str(sights.server)
    if sights.told:
        who = version if version.startswith(_OURS) else "vpcdns, behind it,"
        return ok("vpcdns", f"{server}: {who} answers.", server)
    if Rcode.REFUSED in (sights.whoami.rcode, sights.version.rcode) and not version:
        return problem(
            "vpcdns",
            f"{server} refuses: it is no vpcdns, or this address is outside its server.clients.",
            "Add the address to server.clients, or name the address of vpcdns.",
            server,
        )
    itself = f" It calls itself {version!r}." if version else ""
    return problem(
        "vpcdns",
        f"{server} answers, but not as vpcdns: whoami.vpcdns.internal is unknown to it.{itself}",
        "Name the address of vpcdns as the only nameserver.",
        server,
    )


def _between(sights: Sights, host: Host) -> Finding | None:
    """Somebody who asks on for us, by address or by what it calls itself."""
    address, version = sights.server.address, _version(sights.version)
    if address == DOCKER_RESOLVER:
        return hint(
            "between",
            "Docker's resolver 127.0.0.11 asks on: container names come first, REFUSED becomes SERVFAIL, "
            "extended errors of both are lost.",
            "Fine; call no container like a custom domain.",
            "Docker",
        )
    if address in RESOLVED_STUBS:
        return warning(
            "between",
            f"systemd-resolved ({address}) is in between: it caches, and asks from the host.",
            "Name vpcdns in resolv.conf itself, or in the link's DNS= of systemd-resolved.",
            "systemd-resolved",
        )
    podman = host.engine == "Podman" and address in host.gateways
    if podman or "dns.podman" in host.resolv_conf.search:
        return warning(
            "between",
            f"aardvark-dns of Podman ({address}) is in between: it asks from its own namespace.",
            "podman network create --disable-dns, or a listener with vpc_id per VPC.",
            "aardvark-dns",
        )
    if version and not version.startswith(_OURS) and sights.told:
        named = next((name for mark, name in _NAMED.items() if mark in version.lower()), repr(version))
        return warning(
            "between",
            f"{named} is in between: vpcdns sees it instead of its clients, and it caches.",
            "Name vpcdns itself; or let it send client subnets and put it in server.trusted_peers.",
            named,
        )
    return None


def _asked_instead(sights: Sights, host: Host) -> Finding:
    listed = ", ".join(map(str, host.resolv_conf.nameservers)) or "127.0.0.1"
    return hint(
        "asked-server",
        f"{sights.server} is asked, as you said; libc asks {listed}.",
        f"When all is well, put `nameserver {sights.server.address}` into {host.path}; it wants port 53.",
        str(sights.server),
    )


def _others(sights: Sights) -> Iterator[Finding]:
    """The further nameservers: musl asks them as well."""
    for other, answer in sights.others.items():
        same = _version(answer) and _version(answer) == _version(sights.version)
        if same:
            yield hint("other-nameserver", f"{other} answers as the same program.", "One is enough.", other)
        else:
            what = "does not answer" if answer.response is None else "is another server"
            yield warning("other-nameserver", f"The nameserver {other} {what}.", "Remove it.", other)


def _seen_as(sights: Sights, host: Host) -> Finding:
    told = sights.told
    seen = told["address"]
    try:
        address = ip_address(seen)
    except ValueError:
        return problem("seen-as", f"whoami says {seen!r}, which is no address.", "Report it to vpcdns.")
    local = address.is_loopback and not sights.server.address.is_loopback
    if address in host.addresses and not local:
        return ok("seen-as", f"vpcdns sees {seen}, an address of ours.", seen)
    masked = f"vpcdns sees {seen}, which is no address of ours: {_masked_by(address)}."
    if "listener" in told["matched"]:
        return ok("seen-as", f"{masked} The listener's vpc_id decides, so it does not matter.", seen)
    if "trusted peer" in told["matched"]:
        return warning("seen-as", masked, "See what the trusted peer names: client subnet or PROXY.", seen)
    return problem(
        "seen-as",
        masked,
        "Join vpcdns to the network of the container instead of publishing its port; else a listener "
        "with vpc_id per VPC.",
        seen,
    )


def _masked_by(address: Address) -> str:
    """Who has such addresses."""
    if address.is_loopback:
        return "a forwarder on vpcdns's own host asks for us"
    if address.version == 4 and int(address) & 0xFF == 1:
        return "a bridge's gateway, so NAT or a published port is in between"
    return "NAT or a forwarder is in between"


def _place(sights: Sights) -> Finding:
    told = sights.told
    vpc, matched = told["vpc"], told["matched"]
    network = f" (through {told['network']})" if told.get("network") else ""
    if vpc.startswith("none"):
        return warning(
            "vpc",
            f"{told['address']} counts as the Internet{network}, where no VPC domain resolves: {matched}.",
            "Give a VPC this network as source_networks, or ask at a listener with vpc_id.",
            told["address"],
        )
    return ok("vpc", f"{told['address']} counts as {vpc}{network}: {matched}.", vpc)


def _reply_address(sights: Sights) -> Iterator[Finding]:
    strangers = {one for answer in (sights.version, sights.whoami) for one in answer.strangers}
    for stranger in sorted(strangers):
        yield problem(
            "reply-address",
            f"The reply to a query to {sights.server} came from {stranger}: no libc takes it.",
            "Let vpcdns listen on the address itself; or mend the NAT that changes it on one way only.",
            stranger,
        )


def _transports(sights: Sights) -> Iterator[Finding]:
    if not _lost(sights.whoami):
        yield ok("udp", "UDP gets through.")
    else:
        yield problem("udp", f"UDP: {sights.whoami.error}.", "Open or publish port 53 for UDP.")
    if _lost(sights.whoami_tcp):
        yield problem(
            "tcp",
            f"TCP: {sights.whoami_tcp.error}. Answers that are cut short cannot be had.",
            "Open or publish port 53 for TCP as well (-p 53:53/tcp).",
        )
    elif any(map(_lost, sights.segment)):
        yield problem(
            "tcp-segment",
            "Of A and AAAA in one TCP segment not both are answered: glibc with use-vc fails.",
            "Ask vpcdns without what is in between.",
        )
    else:
        yield ok("tcp", "TCP gets through, A and AAAA in one segment too.")
    if any(map(_lost, sights.one_port)) and not _lost(sights.whoami):
        yield problem(
            "one-port",
            "Of A and AAAA from one source port not both are answered: glibc waits 5 s for each name.",
            "options single-request helps glibc; better ask vpcdns without what is in between.",
        )
    elif not _lost(sights.whoami):
        yield ok("one-port", "A and AAAA from one source port are both answered.")


def _sizes(sights: Sights) -> Iterator[Finding]:
    large, small = sights.large, sights.small
    if large is None or small is None or not sights.told or _lost(sights.whoami):
        return
    if large.response is None:
        yield problem(
            "size",
            "A UDP answer of more than 512 octets does not arrive, smaller ones do.",
            "Look for a firewall that drops large DNS, or an MTU below 1280.",
        )
    elif large.response.truncated:
        yield hint(
            "size", "What is in between cuts UDP answers to 512 octets.", "Fine as long as TCP gets through."
        )
    elif small.response is not None and small.response.size > 512:
        yield warning(
            "size",
            f"A query without EDNS got {small.response.size} octets: musl takes 512.",
            "Ask vpcdns without what is in between.",
        )
    else:
        yield ok("size", f"UDP answers of {large.response.size} octets arrive, 512 without EDNS.")


def _search(sights: Sights) -> Iterator[Finding]:
    """A search list ends at whatever is neither NXDOMAIN nor NODATA (musl), or waits for it."""
    for domain, answer in sights.search.items():
        if answer.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
            continue
        got = answer.error if answer.response is None else rcode_text(answer.rcode)
        yield problem(
            "search-domain",
            f"Names under the search domain {domain} get {got}: there musl gives up a name that it "
            "would find without it.",
            "Take it off the search list, or give vpcdns an upstream that answers for it.",
            domain,
        )


def _speed(sights: Sights) -> Finding:
    asked = [
        one for one in (sights.version, sights.whoami, sights.whoami_tcp, *sights.one_port) if not _lost(one)
    ]
    slowest = max((one.seconds for one in asked), default=0.0)
    if slowest > SLOW:
        return warning(
            "time",
            f"The slowest of {len(asked)} answers took {slowest:.1f} s.",
            "Look for lost datagrams and for what is in between; vpcdns itself answers in milliseconds.",
        )
    return ok("time", f"{len(asked)} answers, the slowest after {slowest * 1000:.0f} ms.")


def _lost(answer: Answer) -> bool:
    return answer.response is None


def rcode_text(rcode: int) -> str:
    return Rcode(rcode).name if rcode in set(Rcode) else f"RCODE {rcode}"
