"""Checks of the server and the way to it: who answers, what it sees of us, what gets through. Pure."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import Host
from vpcdns.doctor.probes import ProbeResults
from vpcdns.model.policy import DOCKER_RESOLVER, Upstream
from vpcdns.model.topology import Address
from vpcdns.net.bind_errors import RESOLVED_STUBS
from vpcdns.stub import StubAnswer

SLOW: Final = 1.0  # seconds; stub resolvers ask again after 5, Docker's goes on after 4
_OURS: Final = "vpcdns"
_FORWARDERS: Final = {"dnsmasq": "dnsmasq", "unbound": "Unbound", "aardvark": "aardvark-dns"}


def check_server(results: ProbeResults, host: Host) -> Iterator[Finding]:
    """All of them, from whether the server is there to how fast it is."""
    yield from _reply_address(results)
    if not results.alive:
        yield _silent(results, host)
        return
    yield _is_vpcdns(results)
    yield from _between(results, host)
    if results.server not in map(Upstream, host.resolv_conf.nameservers):
        yield _asked_instead(results, host)
    yield from _other_nameservers(results)
    if results.client:
        yield _seen_as(results, host)
        yield _vpc(results)
    yield from _udp_and_tcp(results)
    if results.client and not _lost(results.whoami):
        yield _size(results)
    yield from _search_domains(results)
    yield _time(results)


def _reply_address(results: ProbeResults) -> Iterator[Finding]:
    for stranger in sorted({*results.version.strangers, *results.whoami.strangers}):
        seen = f"The response to a query to {results.server} came from {stranger}: no libc takes it."
        remedy = "Let vpcdns listen on the address itself; or correct the NAT that changes it one way only."
        yield problem("reply-address", seen, remedy, stranger)


def _silent(results: ProbeResults, host: Host) -> Finding:
    server = results.server
    seen = f"{server} does not answer: UDP {results.whoami.error}, TCP {results.whoami_tcp.error}."
    remedy = "Check that vpcdns runs, listens on that address, UDP and TCP, and shares a network with us."
    if server.address in host.addresses and host.engine:
        remedy = f"{server} is this container itself: give the address of vpcdns. {remedy}"
    return problem("answers", seen, remedy, str(server))


def _version(answer: StubAnswer) -> str:
    return next(iter(answer.strings), "")


def _is_vpcdns(results: ProbeResults) -> Finding:
    version, server = _version(results.version), str(results.server)
    if results.client:
        who = version if version.startswith(_OURS) else "vpcdns, behind it,"
        return ok("vpcdns", f"{server}: {who} answers.", subject=server)
    if "REFUSED" in (results.whoami.rcode, results.version.rcode) and not version:
        seen = f"{server} refuses: it is no vpcdns, or this address is not in its server.clients."
        remedy = "Add the address to server.clients, or give the address of vpcdns."
    else:
        itself = f" It calls itself {version!r}." if version else ""
        seen = f"{server} answers, but not as vpcdns: it does not know whoami.vpcdns.internal.{itself}"
        remedy = "Make the address of vpcdns the only nameserver."
    return problem("vpcdns", seen, remedy, server)


def _between(results: ProbeResults, host: Host) -> Iterator[Finding]:
    """A forwarder that asks vpcdns for us, known by its address or by what it calls itself."""
    address, version = results.server.address, _version(results.version)
    if address == DOCKER_RESOLVER:
        seen = (
            "Docker's resolver 127.0.0.11 forwards: container names come first, REFUSED becomes SERVFAIL, "
            "and extended errors of both are lost."
        )
        yield hint("between", seen, "Fine; give no container the name of a custom domain.", "Docker")
    elif address in RESOLVED_STUBS:
        name, seen = "systemd-resolved", f"({address}) is in between: it caches, and asks from the host."
        remedy = f"Write the address of vpcdns into resolv.conf itself, or into the link's DNS= of {name}."
        yield warning("between", f"{name} {seen}", remedy, name)
    elif (host.engine == "Podman" and address in host.gateways) or "dns.podman" in host.resolv_conf.search:
        seen = f"aardvark-dns of Podman ({address}) is in between: it asks from its own namespace."
        remedy = "podman network create --disable-dns, or a listener with vpc_id per VPC."
        yield warning("between", seen, remedy, "aardvark-dns")
    elif version and not version.startswith(_OURS) and results.client:
        name = next((name for mark, name in _FORWARDERS.items() if mark in version.lower()), repr(version))
        seen = f"{name} is in between: vpcdns sees it instead of its clients, and it caches."
        remedy = "Ask vpcdns itself; or let it send client subnets and put it into server.trusted_peers."
        yield warning("between", seen, remedy, name)


def _asked_instead(results: ProbeResults, host: Host) -> Finding:
    listed = ", ".join(map(str, host.resolv_conf.nameservers)) or "127.0.0.1"
    seen = f"We ask {results.server}, as you said; libc asks {listed}."
    line = f"When all is well, put `nameserver {results.server.address}` into {host.path}"
    return hint("asked-server", seen, f"{line}; vpcdns must then listen on port 53.", str(results.server))


def _other_nameservers(results: ProbeResults) -> Iterator[Finding]:
    """The further nameservers: musl asks them as well."""
    for other, answer in results.other_nameservers.items():
        if _version(answer) and _version(answer) == _version(results.version):
            yield hint("other-nameserver", f"{other} runs the same program.", "One is enough.", other)
        else:
            what = "does not answer" if _lost(answer) else "is another server"
            yield warning("other-nameserver", f"The nameserver {other} {what}.", "Remove it.", other)


def _seen_as(results: ProbeResults, host: Host) -> Finding:
    seen, matched = results.client["address"], results.client["matched"]
    try:
        address = ip_address(seen)
    except ValueError:
        return problem("seen-as", f"whoami says {seen!r}, which is no address.", "Report it to vpcdns.")
    local = address.is_loopback and not results.server.address.is_loopback
    if address in host.addresses and not local:
        return ok("seen-as", f"vpcdns sees {seen}, an address of ours.", subject=seen)
    masked = f"vpcdns sees {seen}, which is no address of ours: {_masked_by(address)}."
    if "listener" in matched:
        return ok("seen-as", f"{masked} The listener's vpc_id decides, so it does not matter.", subject=seen)
    if "trusted peer" in matched:
        return warning("seen-as", masked, "Check what the trusted peer sends: client subnet or PROXY.", seen)
    remedy = "Connect vpcdns to the container's network instead of publishing its port"
    return problem("seen-as", masked, f"{remedy}; or give each VPC a listener with its vpc_id.", seen)


def _masked_by(address: Address) -> str:
    """Who has such addresses."""
    if address.is_loopback:
        return "a forwarder on vpcdns's own host asks for us"
    if address.version == 4 and int(address) & 0xFF == 1:
        return "a bridge's gateway, so NAT or a published port is in between"
    return "NAT or a forwarder is in between"


def _vpc(results: ProbeResults) -> Finding:
    client = results.client
    address, vpc, matched = client["address"], client["vpc"], client["matched"]
    network = f" (through {client['network']})" if client.get("network") else ""
    if vpc.startswith("none"):
        seen = f"{address} counts as the Internet{network}, where no VPC domain resolves: {matched}."
        remedy = "Add this network to a VPC's source_networks, or ask a listener with vpc_id."
        return warning("vpc", seen, remedy, address)
    return ok("vpc", f"{address} counts as {vpc}{network}: {matched}.", subject=vpc)


def _udp_and_tcp(results: ProbeResults) -> Iterator[Finding]:
    udp, tcp = results.whoami, results.whoami_tcp
    if _lost(udp):
        yield problem("udp", f"UDP: {udp.error}.", "Open or publish port 53 for UDP.")
    else:
        yield ok("udp", "UDP gets through.")
    if _lost(tcp):
        seen = f"TCP: {tcp.error}. Truncated answers cannot be asked for again."
        yield problem("tcp", seen, "Open or publish port 53 for TCP as well (-p 53:53/tcp).")
    elif any(map(_lost, results.one_segment)):
        seen = "A and AAAA in one TCP segment are not both answered: glibc with use-vc fails."
        yield problem("tcp-segment", seen, "Ask vpcdns directly.")
    else:
        yield ok("tcp", "TCP gets through, A and AAAA in one segment too.")
    if not _lost(udp) and any(map(_lost, results.one_port)):
        seen = "A and AAAA from one source port are not both answered: glibc waits 5 s for each name."
        yield problem("one-port", seen, "options single-request helps glibc; better ask vpcdns directly.")
    elif not _lost(udp):
        yield ok("one-port", "A and AAAA from one source port are both answered.")


def _size(results: ProbeResults) -> Finding:
    large, small = results.large, results.small
    if _lost(large):
        seen = "A UDP answer of more than 512 octets does not arrive, smaller ones do."
        remedy = "Look for a firewall that drops large DNS messages, or an MTU below 1280."
        return problem("size", seen, remedy)
    if large.truncated:
        seen = "Something in between cuts UDP answers to 512 octets."
        return hint("size", seen, "Fine as long as TCP gets through.")
    if small.size > 512:
        seen = f"A query without EDNS got {small.size} octets: musl takes 512."
        return warning("size", seen, "Ask vpcdns directly.")
    return ok("size", f"UDP answers of {large.size} octets arrive, 512 without EDNS.")


def _search_domains(results: ProbeResults) -> Iterator[Finding]:
    """For musl, which ends its search at any answer but NXDOMAIN and NODATA."""
    for domain, answer in results.search.items():
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            seen = f"Names under the search domain {domain} get {answer.rcode or answer.error}"
            effect = "there musl gives up a name that it would find without the search domain"
            remedy = "Take it off the search list, or give vpcdns an upstream that answers for it."
            yield problem("search-domain", f"{seen}: {effect}.", remedy, domain)


def _time(results: ProbeResults) -> Finding:
    asked = (results.version, results.whoami, results.whoami_tcp, *results.one_port)
    times = [answer.seconds for answer in asked if not _lost(answer)]
    slowest = max(times, default=0.0)
    if slowest > SLOW:
        seen = f"The slowest of {len(times)} answers took {slowest:.1f} s."
        remedy = "Look for lost datagrams and for what is in between; vpcdns itself answers in milliseconds."
        return warning("time", seen, remedy)
    return ok("time", f"{len(times)} answers, the slowest after {slowest * 1000:.0f} ms.")


def _lost(answer: StubAnswer) -> bool:
    return answer.rcode is None
