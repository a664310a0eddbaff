"""Checks of one name: what it resolves to over UDP and TCP, and whether libc agrees. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vpcdns.doctor.ask import Answer
from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import Host
from vpcdns.doctor.path import SLOW, rcode_text
from vpcdns.doctor.probes import NameAnswers
from vpcdns.model.dns import Rcode
from vpcdns.model.topology import Address


def check_name(answers: NameAnswers, host: Host) -> Iterator[Finding]:
    """What DNS says, over both transports; then what stands between that and an application."""
    yield _answer(answers)
    yield from _types(answers)
    yield from _transports(answers)
    yield from _hosts_file(answers, host)
    if answers.libc is not None:
        yield _libc(answers, host)


def _resolved(answers: NameAnswers) -> frozenset[Address]:
    """All addresses; TCP's answer is the whole one."""
    both = [tcp if tcp.response else udp for udp, tcp in zip(answers.udp, answers.tcp, strict=True)]
    return frozenset(address for one in both if one.response for address in one.response.addresses)


def _answer(answers: NameAnswers) -> Finding:
    name = answers.name
    told = next((one for one in (*answers.udp, *answers.tcp) if one.response is not None), None)
    if told is None or told.response is None:
        return problem("name", f"{name}: {answers.udp[0].error}.", "See the findings above.", name)
    response, found = told.response, sorted(map(str, _resolved(answers)))
    cname = f" (CNAME {', '.join(response.cnames)})" if response.cnames else ""
    if found:
        listed = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
        if told.seconds > SLOW:
            return warning(
                "name", f"{name}: {listed}{cname}, after {told.seconds:.1f} s.", "Look upstream.", name
            )
        return ok("name", f"{name}: {listed}{cname}.", name)
    rcode = "no address (NODATA)" if response.rcode == Rcode.NOERROR else rcode_text(response.rcode)
    why = f": {response.error[1]} (EDE {response.error[0]})" if response.error else ""
    seen = f"{name}: {rcode}{cname}{why}."
    remedy = f"For each step: dig +short TXT {name.rstrip('.')}.explain.vpcdns.internal"
    if response.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return warning("name", seen, remedy, name)
    return problem("name", seen, remedy, name)


def _types(answers: NameAnswers) -> Iterator[Finding]:
    """RFC 8020, 8906: an RCODE is the name's. musl fails where A and AAAA differ."""
    a, aaaa = answers.udp
    if a.response is not None and aaaa.response is not None and a.rcode != aaaa.rcode:
        yield problem(
            "name-types",
            f"{answers.name}: A gets {rcode_text(a.rcode)}, AAAA {rcode_text(aaaa.rcode)}: musl fails.",
            "Mend the server behind it; vpcdns gives one RCODE for all types of its own names.",
            answers.name,
        )


def _transports(answers: NameAnswers) -> Iterator[Finding]:
    for udp, tcp in zip(answers.udp, answers.tcp, strict=True):
        if udp.response is None or tcp.response is None or _same(udp, tcp):
            continue
        yield problem(
            "name-transports",
            f"{answers.name}: UDP and TCP differ: {_shown(udp)}; {_shown(tcp)}.",
            "Somebody in between answers one of them: ask vpcdns by its own address.",
            answers.name,
        )


def _same(udp: Answer, tcp: Answer) -> bool:
    if udp.response is None or tcp.response is None:
        return False
    over_udp, over_tcp = set(udp.response.addresses), set(tcp.response.addresses)
    return udp.rcode == tcp.rcode and (
        over_udp <= over_tcp if udp.response.truncated else over_udp == over_tcp
    )


def _shown(answer: Answer) -> str:
    addresses = answer.response.addresses if answer.response is not None else ()
    return ", ".join(map(str, addresses)) or rcode_text(answer.rcode)


def _hosts_file(answers: NameAnswers, host: Host) -> Iterator[Finding]:
    shadow = host.hosts.get(answers.name.lower().rstrip("."))
    if shadow is not None:
        listed, differs = ", ".join(map(str, shadow)), not set(shadow) <= _resolved(answers)
        made = problem if differs else warning
        yield made(
            "name-hosts",
            f"{answers.name}: the hosts file says {listed}, and is read before any nameserver.",
            f"Take it out of {host.path.with_name('hosts')} (--add-host, extra_hosts).",
            answers.name,
        )


def _libc(answers: NameAnswers, host: Host) -> Finding:
    """Getaddrinfo goes by the files as well: hosts, nsswitch, search list, all nameservers."""
    libc, resolved, name = answers.libc, _resolved(answers), answers.name
    assert libc is not None  # noqa: S101 - check_name asked
    if libc.addresses == resolved:
        same = "the same" if resolved else f"no address either ({libc.error})"
        return ok("name-libc", f"{name}: getaddrinfo of {host.libc} has {same}.", name)
    listed = ", ".join(sorted(map(str, libc.addresses))[:4]) or f"none ({libc.error})"
    if libc.addresses and libc.addresses < resolved:
        return hint(
            "name-libc",
            f"{name}: getaddrinfo of {host.libc} has {len(libc.addresses)} of {len(resolved)} addresses.",
            "musl before 1.2.4 takes what fits a datagram; 1.2.4 and glibc go on over TCP.",
            name,
        )
    return problem(
        "name-libc",
        f"{name}: getaddrinfo of {host.libc} has {listed}, the server says otherwise.",
        "Look at nameservers, search, hosts-order and name-hosts above.",
        name,
    )
