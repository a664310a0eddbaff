"""Checks of one name: what it resolves to over UDP and TCP, and whether libc agrees. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import Host
from vpcdns.doctor.probes import LibcAnswer, NameAnswers
from vpcdns.doctor.server_checks import SLOW
from vpcdns.model.topology import Address
from vpcdns.stub import StubAnswer


def check_name(answers: NameAnswers, host: Host) -> Iterator[Finding]:
    """What DNS says, over both transports; then whatever keeps that from an application."""
    for finding in _findings(answers, host):
        yield replace(finding, seen=f"{answers.name}: {finding.seen}", subject=answers.name)


def _findings(answers: NameAnswers, host: Host) -> Iterator[Finding]:
    resolved = _resolved(answers)
    yield _answer(answers, resolved)
    a, aaaa = answers.udp
    if a.rcode is not None and aaaa.rcode is not None and a.rcode != aaaa.rcode:
        seen = f"A gets {a.rcode}, AAAA {aaaa.rcode}: musl fails."  # RFC 8020, 8906: an RCODE is the name's
        remedy = "Repair the server behind it; vpcdns gives one RCODE for all types of its own names."
        yield problem("name-types", seen, remedy)
    for udp, tcp in zip(answers.udp, answers.tcp, strict=True):
        if udp.rcode is not None and tcp.rcode is not None and not _same(udp, tcp):
            over_udp, over_tcp = (" ".join(answer.addresses) or answer.rcode for answer in (udp, tcp))
            remedy = "Something in between answers one of them: ask vpcdns by its own address."
            yield problem("name-transports", f"UDP and TCP differ: {over_udp}; {over_tcp}.", remedy)
    shadow = host.hosts.get(answers.name.lower().rstrip("."))
    if shadow is not None:
        made = warning if set(shadow) <= resolved else problem
        seen = f"the hosts file says {', '.join(map(str, shadow))}, and is read before any nameserver."
        remedy = f"Take the name out of {host.path.with_name('hosts')} (--add-host, extra_hosts)."
        yield made("name-hosts", seen, remedy)
    if answers.libc is not None:
        yield _libc(answers.libc, resolved, host)


def _resolved(answers: NameAnswers) -> frozenset[Address]:
    """All addresses. TCP has the whole answer, where there is one."""
    whole = (udp if tcp.rcode is None else tcp for udp, tcp in zip(answers.udp, answers.tcp, strict=True))
    return frozenset(ip_address(address) for answer in whole for address in answer.addresses)


def _answer(answers: NameAnswers, resolved: frozenset[Address]) -> Finding:
    answer = next((one for one in (*answers.udp, *answers.tcp) if one.rcode is not None), None)
    if answer is None:
        return problem("name", f"{answers.udp[0].error}.", "See the findings above.")
    cname = f" (CNAME {', '.join(answer.cnames)})" if answer.cnames else ""
    if resolved:
        seen = f"{_listed(resolved)}{cname}"
        if answer.seconds > SLOW:
            return warning("name", f"{seen}, after {answer.seconds:.1f} s.", "Look at the upstreams.")
        return ok("name", f"{seen}.")
    rcode = "no address (NODATA)" if answer.rcode == "NOERROR" else answer.rcode
    why = "".join(f": {text} (EDE {code})" for code, text in answer.extended_errors[:1])
    made = warning if answer.rcode in ("NOERROR", "NXDOMAIN") else problem
    remedy = f"For each step: dig +short TXT {answers.name.rstrip('.')}.explain.vpcdns.internal"
    return made("name", f"{rcode}{cname}{why}.", remedy)


def _listed(addresses: frozenset[Address]) -> str:
    texts = sorted(map(str, addresses))
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")


def _same(udp: StubAnswer, tcp: StubAnswer) -> bool:
    over_udp, over_tcp = set(udp.addresses), set(tcp.addresses)
    return udp.rcode == tcp.rcode and (over_udp <= over_tcp if udp.truncated else over_udp == over_tcp)


def _libc(libc: LibcAnswer, resolved: frozenset[Address], host: Host) -> Finding:
    """Getaddrinfo also goes by hosts, nsswitch.conf, the search list and all nameservers."""
    who = f"getaddrinfo of {host.libc}"
    if libc.addresses == resolved:
        same = "the same" if resolved else f"no address either ({libc.error})"
        return ok("name-libc", f"{who} finds {same}.")
    if libc.addresses and libc.addresses < resolved:
        seen = f"{who} finds {len(libc.addresses)} of {len(resolved)} addresses."
        remedy = "musl before 1.2.4 takes what fits a datagram; 1.2.4 and glibc go on over TCP."
        return hint("name-libc", seen, remedy)
    found = _listed(libc.addresses) if libc.addresses else f"none ({libc.error})"
    remedy = "Look at nameservers, search, hosts-order and name-hosts above."
    return problem("name-libc", f"{who} finds {found}, the server says otherwise.", remedy)
