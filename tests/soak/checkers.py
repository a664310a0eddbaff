"""Clients at several addresses that know what the answer must be, over UDP and TCP, at a gentle rate.

As stub resolvers do, each asks a second time, from another port, before a query counts as lost.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import dns.edns
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from tests.soak.truth import CHANGED_DOMAIN, CLIENTS, GROUPS, Answer, Client, Truth, domain
from tests.soak.upstreams import MISDEEDS, UNUSABLE

SECOND_TRY_AFTER: Final = 5.0  # seconds, as in glibc's resolver (resolv.conf(5), `timeout`)
_PER_CLIENT: Final = 15.0  # queries a second over UDP
_HOSTILE_PER_SECOND: Final = 5.0
_SHOWN: Final = 20
_OURS: Final = "-vpc.alicloudapi.com."

T = TypeVar("T")


@dataclass(slots=True)
class Score:
    """What the checkers saw."""

    lost: int = 0
    own_faults: int = 0
    wrong: int = 0
    second_tries: int = 0
    third_tries: int = 0
    examples: list[str] = field(default_factory=list)
    rcodes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)  # of clients, transports and names
    hostile: int = 0  # responses to what only the hostile upstream was asked

    def judge(self, client: Client, name: str, message: dns.message.Message, right: set[Answer]) -> None:
        found = _answer_of(message)
        self.rcodes[found[0]] += 1
        self.kinds[client.kind] += 1
        if name.endswith((".forwarded.example", ".mixed.example", ".elsewhere.example")):
            self.kinds[name.split(".")[1]] += 1
        if found not in right:
            self.wrong += 1
            said = [error.to_text() for error in message.extended_errors()]
            self.tell(f"{client.address} {name}: {found} {said}, not one of {sorted(right)}")

    def lose(self, what: str) -> None:
        self.lost += 1
        self.tell(f"lost: {what}")

    def fail(self, context: dict[str, Any]) -> None:
        """The soak itself has a fault."""
        self.own_faults += 1
        self.tell(f"{context['message']}: {context.get('exception')!r}")

    def tell(self, text: str) -> None:
        if len(self.examples) < _SHOWN:
            self.examples.append(f"{time.strftime('%H:%M:%S')} {text}")


def a_name() -> str:
    number, kind = random.randrange(GROUPS), random.choice("aaabcde00-xfgmn")
    return {
        "-": f"c{number}.example.com",
        "x": f"f{random.getrandbits(124):031x}-cn-hangzhou-vpc.alicloudapi.com",
        "f": f"n{number}.forwarded.example",
        "g": f"n{random.randrange(1_000_000)}.elsewhere.example",
        "m": f"{random.choice(list(UNUSABLE))}{number}.mixed.example",
        "n": CHANGED_DOMAIN,
        "0": domain("0"),
    }.get(kind) or domain(kind, number)


def _tries(names: Sequence[str]) -> int:
    """The server may take 3.5 s where the hostile upstream is asked.

    So a worker that is lost may have the first try since 3.5 s, and get the second before it is lost.
    """
    return 3 if any(name.endswith((".mixed.example", ".hostile.example")) for name in names) else 2


def query_of(client: Client, name: str, identity: int | None = None) -> bytes:
    if client.subnet:
        query = dns.message.make_query(name, "A", options=[dns.edns.ECSOption(client.subnet, 32)])
    else:
        query = dns.message.make_query(name, "A", use_edns=random.choice([0, False]))
    query.id = random.randrange(65_536) if identity is None else identity
    return query.to_wire()


def _answer_of(message: dns.message.Message) -> Answer:
    addresses = (rdata for rrset in message.answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset)
    return dns.rcode.to_text(message.rcode()), tuple(rdata.to_text() for rdata in addresses)


class _OneResponse(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.response.done():
            self.response.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens at the moment, which a stub resolver waits out as it does silence."""


async def over_udp(client: Client, message: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        _OneResponse, local_addr=(client.address, 0), remote_addr=client.server
    )
    try:
        transport.sendto(message)
        return await protocol.response
    finally:
        transport.close()


async def over_tcp(client: Client, messages: Sequence[bytes]) -> list[bytes]:
    """Sends all at once, on a connection of their own."""
    reader, writer = await asyncio.open_connection(*client.server, local_addr=(client.address, 0))
    try:
        writer.writelines(len(message).to_bytes(2, "big") + message for message in messages)
        lengths = [
            await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")) for _ in messages
        ]
    finally:
        writer.close()
    return lengths


class Checkers:
    """Ask until `over`, and judge."""

    def __init__(self, truth: Truth, score: Score, over: asyncio.Event) -> None:
        self._truth = truth
        self._score = score
        self._over = over

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for client in CLIENTS:
                tasks.create_task(self._repeat(partial(self._udp, client), _PER_CLIENT))
                tasks.create_task(self._repeat(partial(self._tcp, client), 1.0))
            tasks.create_task(self._repeat(self._misdeed, _HOSTILE_PER_SECOND))

    async def _repeat(self, check: Callable[[], Coroutine[Any, Any, None]], per_second: float) -> None:
        """Whether or not earlier queries have been answered."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            due = loop.time()
            while not self._over.is_set():
                tasks.create_task(check())
                due = max(due + 1 / per_second, loop.time() - 1)
                await asyncio.sleep(due - loop.time())

    async def _tried(
        self, what: str, attempt: Callable[[], Awaitable[T]], *, at_most: int = 2
    ) -> tuple[T, float] | None:
        """The response, and when its query was sent; None when the second try was in vain, too.

        A power cut takes a try from whoever asked shortly before or during it.
        """
        tries, first = 0, time.monotonic()
        while tries < at_most or (tries < 4 and self._truth.power_cut > first):
            sent = time.monotonic()
            try:
                found = await asyncio.wait_for(attempt(), SECOND_TRY_AFTER)
            except (OSError, EOFError, TimeoutError):
                await asyncio.sleep(sent + SECOND_TRY_AFTER - time.monotonic())
                tries += 1
                continue
            self._score.second_tries += tries == 1
            self._score.third_tries += tries > 1
            return found, sent
        self._score.lose(what)
        return None

    async def _udp(self, client: Client) -> None:
        name = a_name()
        message = query_of(client, name)
        found = await self._tried(
            f"{client.address} {name} over UDP", lambda: over_udp(client, message), at_most=_tries([name])
        )
        if found is not None:
            self._score.kinds["UDP"] += 1
            self._judge(client, name, message, *found)

    async def _tcp(self, client: Client) -> None:
        names = [a_name() for _ in range(random.randint(1, 10))]
        messages = [query_of(client, name, number) for number, name in enumerate(names)]
        found = await self._tried(
            f"{client.address} {names} over TCP", lambda: over_tcp(client, messages), at_most=_tries(names)
        )
        if found is None:
            return
        responses, sent = found
        for octets in responses:
            self._score.kinds["TCP"] += 1
            number = int.from_bytes(octets[:2], "big")
            self._judge(client, names[number], messages[number], octets, sent)

    def _judge(self, client: Client, name: str, asked: bytes, octets: bytes, sent: float) -> None:
        message = dns.message.from_wire(octets)
        if message.id != int.from_bytes(asked[:2], "big") or message.question[0].name.to_text() != f"{name}.":
            self._score.wrong += 1
            self._score.tell(f"{client.address} {name}: another id or question came back")
        self._score.judge(client, name, message, self._truth.answers(client, name, sent))

    async def _misdeed(self) -> None:
        """Whatever that upstream says, something well-formed is answered, and nothing about our names."""
        client, name = (
            random.choice(CLIENTS),
            f"{random.choice(list(MISDEEDS))}{random.randrange(500)}.hostile.example",
        )
        message = query_of(client, name)
        is_tcp = random.random() < 0.3

        async def attempt() -> bytes:
            return (await over_tcp(client, [message]))[0] if is_tcp else await over_udp(client, message)

        found = await self._tried(f"{client.address} {name}", attempt, at_most=_tries([name]))
        if found is None:
            return
        self._score.hostile += 1
        response = dns.message.from_wire(found[0])
        for rrset in (*response.answer, *response.authority, *response.additional):
            if rrset.name.to_text().endswith(_OURS) or rrset.rdclass != dns.rdataclass.IN:
                self._score.wrong += 1
                self._score.tell(f"{client.address} {name}: {rrset} was passed on")
