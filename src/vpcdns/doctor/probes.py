"""What is asked of the server, and in which order: everything at once, so that silence costs one wait.

Judges nothing; `path` and `names` do, from what is here.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from vpcdns.doctor.ask import Answer, LibcAnswer, ask_libc, ask_tcp, ask_udp
from vpcdns.doctor.host import Host
from vpcdns.errors import MalformedName
from vpcdns.model.dns import Question, RRClass, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Upstream

WHOAMI: Final = Name.from_text("whoami.vpcdns.internal")
VERSION: Final = Question(Name.from_text("version.bind"), RRType.TXT, RRClass.CH)
# Explaining the explanation of a long name repeats it: more than 512 octets in one record, below 1232.
LARGE: Final = Question(
    Name.from_text(f"{'x' * 63}.{'y' * 63}.{'z' * 63}.explain.vpcdns.internal.explain.vpcdns.internal"),
    RRType.TXT,
)
SEARCHED: Final = "vpcdns-doctor"  # in front of each search domain
FORWARDED_SECONDS: Final = 4.0  # a forwarded query is decided within 3.5 s (DESIGN §4)
_AT_ONCE: Final = 16  # threads, each waiting for one answer


@dataclass(frozen=True, slots=True)
class NameAnswers:
    """One name: A and AAAA over each transport, and what libc says; `libc` is None where it was not asked."""

    name: str
    udp: tuple[Answer, Answer]
    tcp: tuple[Answer, Answer]
    libc: LibcAnswer | None = None


@dataclass(frozen=True, slots=True)
class Sights:
    """Everything that was asked and what came of it."""

    server: Upstream
    version: Answer
    whoami: Answer
    whoami_tcp: Answer
    segment: tuple[Answer, ...] = ()
    one_port: tuple[Answer, ...] = ()
    large: Answer | None = None
    small: Answer | None = None
    search: dict[str, Answer] = field(default_factory=dict)
    others: dict[str, Answer] = field(default_factory=dict)
    names: tuple[NameAnswers, ...] = ()

    @property
    def alive(self) -> bool:
        return any(one.response is not None for one in (self.version, self.whoami, self.whoami_tcp))

    @property
    def told(self) -> dict[str, str]:
        """What whoami told: address, vpc, network, matched; empty when what answers is no vpcdns."""
        response = self.whoami.response or self.whoami_tcp.response
        strings = response.strings if response is not None else ()
        told = dict(string.split("=", 1) for string in strings if "=" in string)
        return told if {"address", "vpc", "matched"} <= told.keys() else {}


def look(server: Upstream, host: Host, names: list[str]) -> Sights:
    """Asks all there is to ask; a server that is silent is asked no more after some 2.5 s."""
    whoami = Question(WHOAMI, RRType.TXT)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        first = [pool.submit(ask_udp, server, [question]) for question in (VERSION, whoami)]
        first_tcp = pool.submit(ask_tcp, server, [whoami])
        version, seen = (one.result()[0] for one in first)
        sights = Sights(server, version, seen, first_tcp.result()[0])
        return _look_closely(sights, host, names, pool) if sights.alive else sights


def _look_closely(sights: Sights, host: Host, names: list[str], pool: ThreadPoolExecutor) -> Sights:
    server = sights.server
    both = [Question(WHOAMI, RRType.A), Question(WHOAMI, RRType.AAAA)]
    segment = pool.submit(ask_tcp, server, both)
    one_port = pool.submit(ask_udp, server, both)
    large = pool.submit(ask_udp, server, [LARGE])
    small = pool.submit(ask_udp, server, [LARGE], payload_size=None)
    nameservers = [Upstream(address) for address in host.resolv_conf.nameservers]
    others = {
        str(other): pool.submit(ask_udp, other, [VERSION], tries=1)
        for other in nameservers
        if server in nameservers and other != server
    }
    questions = {domain: _searched(domain) for domain in host.resolv_conf.search}
    search = {
        domain: pool.submit(ask_udp, server, [question], seconds=FORWARDED_SECONDS, tries=1)
        for domain, question in questions.items()
        if question is not None
    }
    is_libcs = host.is_libcs and nameservers[:1] == [server]
    looked_up = [_LookUp.begun(server, name, pool, is_libcs=is_libcs) for name in names]
    return replace(
        sights,
        segment=tuple(segment.result()),
        one_port=tuple(one_port.result()),
        large=large.result()[0],
        small=small.result()[0],
        search={domain: one.result()[0] for domain, one in search.items()},
        others={other: one.result()[0] for other, one in others.items()},
        names=tuple(one.answers() for one in looked_up),
    )


@dataclass(frozen=True, slots=True)
class _LookUp:
    """A name that is being looked up, each way at the same time."""

    name: str
    udp: Future[list[Answer]]
    tcp: Future[list[Answer]]
    libc: Future[LibcAnswer] | None

    @classmethod
    def begun(cls, server: Upstream, name: str, pool: ThreadPoolExecutor, *, is_libcs: bool) -> _LookUp:
        owner = Name.from_text(name)
        both = [Question(owner, RRType.A), Question(owner, RRType.AAAA)]
        return cls(
            name,
            pool.submit(ask_udp, server, both, seconds=FORWARDED_SECONDS, tries=1),
            pool.submit(ask_tcp, server, both, seconds=FORWARDED_SECONDS),
            pool.submit(ask_libc, name) if is_libcs else None,
        )

    def answers(self) -> NameAnswers:
        udp, tcp = self.udp.result(), self.tcp.result()
        libc = None if self.libc is None else self.libc.result()
        return NameAnswers(self.name, (udp[0], udp[1]), (tcp[0], tcp[1]), libc)


def _searched(domain: str) -> Question | None:
    try:
        return Question(Name.from_text(f"{SEARCHED}.{domain}"), RRType.A)
    except MalformedName:
        return None
