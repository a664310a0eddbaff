"""What the doctor asks the server and libc: everything at once, so that a silent server costs one wait.

Judges nothing; `server_checks` and `name_checks` do.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_address
from typing import Final

from vpcdns.doctor.host import Host
from vpcdns.errors import MalformedName
from vpcdns.forward.host_resolvers import RESOLV_CONF
from vpcdns.model.dns import Question, RRClass, RRType
from vpcdns.model.gateway_rules import WHOAMI
from vpcdns.model.names import Name
from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address
from vpcdns.stub import StubAnswer, ask_tcp, ask_udp

WHO: Final = Question(WHOAMI, RRType.TXT)
VERSION: Final = Question(Name.from_text("version.bind"), RRType.TXT, RRClass.CH)
# Explaining the explanation of a long name repeats it: more than 512 octets in one record, below 1232.
LARGE: Final = Question(
    Name.from_text(f"{'x' * 63}.{'y' * 63}.{'z' * 63}.explain.vpcdns.internal.explain.vpcdns.internal"),
    RRType.TXT,
)
SEARCHED: Final = "vpcdns-doctor"  # in front of each search domain
FORWARDED_SECONDS: Final = 4.0  # a forwarded query is decided within 3.5 s (DESIGN §4)
_NOT_ASKED: Final = StubAnswer(LARGE)
_THREADS: Final = 16  # each waits for one answer


@dataclass(frozen=True, slots=True)
class LibcAnswer:
    """What getaddrinfo made of a name: addresses, or its error's text."""

    addresses: frozenset[Address] = frozenset()
    error: str = ""


@dataclass(frozen=True, slots=True)
class NameAnswers:
    """One name: A and AAAA over each transport, and what libc says; `libc` is None where it was not asked."""

    name: str
    udp: list[StubAnswer]
    tcp: list[StubAnswer]
    libc: LibcAnswer | None = None


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """All answers. `large` and `small` are to the same question, with EDNS and without."""

    server: Upstream
    version: StubAnswer
    whoami: StubAnswer
    whoami_tcp: StubAnswer
    one_segment: list[StubAnswer] = field(default_factory=list)
    one_port: list[StubAnswer] = field(default_factory=list)
    large: StubAnswer = _NOT_ASKED
    small: StubAnswer = _NOT_ASKED
    search: dict[str, StubAnswer] = field(default_factory=dict)
    other_nameservers: dict[str, StubAnswer] = field(default_factory=dict)
    names: tuple[NameAnswers, ...] = ()

    @property
    def alive(self) -> bool:
        return any(answer.rcode is not None for answer in (self.version, self.whoami, self.whoami_tcp))

    @property
    def client(self) -> dict[str, str]:
        """Who we are to vpcdns: address, vpc, network, matched. Empty when the server is no vpcdns."""
        strings = self.whoami.strings or self.whoami_tcp.strings
        client = dict(string.split("=", 1) for string in strings if "=" in string)
        return client if {"address", "vpc", "matched"} <= client.keys() else {}


def probe(server: Upstream, host: Host, names: list[str]) -> ProbeResults:
    """Asks everything; gives up after some 2.5 s if the server is silent."""
    with ThreadPoolExecutor(_THREADS) as pool:
        version = pool.submit(ask_udp, server, [VERSION])
        whoami = pool.submit(ask_udp, server, [WHO])
        whoami_tcp = pool.submit(ask_tcp, server, [WHO])
        results = ProbeResults(server, version.result()[0], whoami.result()[0], whoami_tcp.result()[0])
        return _probe_closely(results, host, names, pool) if results.alive else results


def _probe_closely(
    results: ProbeResults, host: Host, names: list[str], pool: ThreadPoolExecutor
) -> ProbeResults:
    server = results.server
    nameservers = [Upstream(address) for address in host.resolv_conf.nameservers]
    others = [other for other in nameservers if other != server] if server in nameservers else []
    one_segment = pool.submit(ask_tcp, server, _addresses_of(WHOAMI))
    one_port = pool.submit(ask_udp, server, _addresses_of(WHOAMI))
    large = pool.submit(ask_udp, server, [LARGE])
    small = pool.submit(ask_udp, server, [LARGE], edns=False)
    asked_others = {str(other): pool.submit(ask_udp, other, [VERSION], tries=1) for other in others}
    patiently = partial(ask_udp, server, seconds=FORWARDED_SECONDS, tries=1)
    search = {domain: pool.submit(patiently, [asked]) for domain, asked in _search_questions(host).items()}
    questions = {name: _addresses_of(Name.from_text(name)) for name in names}
    udp = {name: pool.submit(patiently, asked) for name, asked in questions.items()}
    over_tcp = partial(ask_tcp, server, seconds=FORWARDED_SECONDS)
    tcp = {name: pool.submit(over_tcp, asked) for name, asked in questions.items()}
    libc_asks_it = host.path == RESOLV_CONF and nameservers[:1] == [server]
    libc = {name: pool.submit(_ask_libc, name) for name in questions if libc_asks_it}
    return replace(
        results,
        one_segment=one_segment.result(),
        one_port=one_port.result(),
        large=large.result()[0],
        small=small.result()[0],
        search={domain: future.result()[0] for domain, future in search.items()},
        other_nameservers={other: future.result()[0] for other, future in asked_others.items()},
        names=tuple(
            NameAnswers(name, udp[name].result(), tcp[name].result(), libc[name].result() if libc else None)
            for name in questions
        ),
    )


def _addresses_of(name: Name) -> list[Question]:
    return [Question(name, RRType.A), Question(name, RRType.AAAA)]


def _search_questions(host: Host) -> dict[str, Question]:
    questions = {}
    for domain in host.resolv_conf.search:
        with suppress(MalformedName):
            questions[domain] = Question(Name.from_text(f"{SEARCHED}.{domain}"), RRType.A)
    return questions


def _ask_libc(name: str, seconds: float = 5.0) -> LibcAnswer:
    """Calls getaddrinfo, which has no time-out of its own: after `seconds` nobody waits for it any more."""
    answer = LibcAnswer(error=f"no answer within {seconds:.0f} s")

    def look_up() -> None:
        nonlocal answer
        try:
            entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            texts = {str(entry[4][0]).partition("%")[0] for entry in entries}
            answer = LibcAnswer(frozenset(map(ip_address, texts)))
        except (OSError, UnicodeError) as error:
            answer = LibcAnswer(error=getattr(error, "strerror", None) or str(error))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    return answer
