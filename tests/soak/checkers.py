"""Clients at several addresses that know what the answer must be, over UDP and TCP, at a gentle rate."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from tests.soak.truth import GROUPS, Answer, Truth, domain

LOST_AFTER: Final = 5.0  # seconds; stub resolvers give up then
_SHOWN: Final = 20


@dataclass(slots=True)
class Score:
    """What the checkers saw."""

    checked: int = 0
    lost: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def judge(self, client: str, name: str, found: Answer, right: set[Answer]) -> None:
        self.checked += 1
        self.seen[found[0]] += 1
        if found not in right:
            self.wrong += 1
            self.tell(f"{client} {name}: {found}, not one of {sorted(right)}")

    def lose(self, client: str, name: str, how: str) -> None:
        self.lost += 1
        self.tell(f"{client} {name}: no answer over {how}")

    def tell(self, text: str) -> None:
        if len(self.examples) < _SHOWN:
            self.examples.append(text)


def a_name(chance: random.Random) -> str:
    number = chance.randrange(GROUPS)
    kind = chance.choice("aaabccd-xf")
    if kind == "-":
        return f"c{number}.example.com"
    if kind == "x":
        return f"e{chance.getrandbits(124):031x}-cn-hangzhou-vpc.alicloudapi.com"
    if kind == "f":
        return f"n{number}.forwarded.example"
    return domain(kind, number)


def answer_of(message: dns.message.Message) -> Answer:
    addresses = [
        rdata.to_text() for rrset in message.answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset
    ]
    return dns.rcode.to_text(message.rcode()), tuple(addresses)


class UdpChecker(asyncio.DatagramProtocol):
    """Asks from one address; every answer is judged, every query without one counts as lost."""

    def __init__(self, client: str, truth: Truth, score: Score) -> None:
        self._client = client
        self._truth = truth
        self._score = score
        self._waiting: dict[int, tuple[str, frozenset[str], float]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._chance = random.Random(client)
        self._id = 0

    async def run(self, port: int, per_second: float, until: float) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._client, 0), remote_addr=("127.0.0.1", port)
        )
        try:
            while loop.time() < until:
                self._ask(loop.time())
                self._sweep(loop.time())
                await asyncio.sleep(1 / per_second)
            deadline = loop.time() + LOST_AFTER
            while self._waiting and loop.time() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            self._sweep(deadline + LOST_AFTER)
        finally:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = dns.message.from_wire(data)
        asked = self._waiting.pop(message.id, None)
        if asked is None:
            self._score.tell(f"{self._client}: a response to nothing, id {message.id}")
            self._score.wrong += 1
            return
        name, bound, _ = asked
        right = self._truth.answers(self._client, name, bound | self._truth.bound)
        if message.question[0].name.to_text(omit_final_dot=True) != name:
            self._score.wrong += 1
            self._score.tell(f"{self._client} {name}: another question came back")
        self._score.judge(self._client, name, answer_of(message), right)

    def _ask(self, now: float) -> None:
        assert self._transport is not None
        self._id = (self._id + 1) % 65_536
        name = a_name(self._chance)
        query = dns.message.make_query(name, "A", use_edns=self._chance.choice([0, False]), id=self._id)
        self._waiting[self._id] = name, self._truth.bound, now
        self._transport.sendto(query.to_wire())

    def _sweep(self, now: float) -> None:
        for identity, (name, _, sent) in tuple(self._waiting.items()):
            if now - sent < LOST_AFTER:
                break  # the oldest are first
            del self._waiting[identity]
            self._score.lose(self._client, name, "UDP")


async def check_over_tcp(
    client: str, port: int, truth: Truth, score: Score, *, pause: float, until: float
) -> None:
    """A connection after the other, each with a few pipelined queries."""
    loop, chance = asyncio.get_running_loop(), random.Random(f"tcp {client}")
    while loop.time() < until:
        names = [a_name(chance) for _ in range(chance.randint(1, 10))]
        try:
            await asyncio.wait_for(_ask_over_tcp(client, port, names, truth, score), LOST_AFTER)
        except (OSError, EOFError, TimeoutError) as error:
            score.lose(client, f"{len(names)} names", f"TCP: {error!r}")
        await asyncio.sleep(pause)


async def _ask_over_tcp(client: str, port: int, names: list[str], truth: Truth, score: Score) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(client, 0))
    try:
        before = truth.bound
        for identity, name in enumerate(names):
            message = dns.message.make_query(name, "A", id=identity).to_wire()
            writer.write(len(message).to_bytes(2, "big") + message)
        for _ in names:
            length = int.from_bytes(await reader.readexactly(2), "big")
            found = dns.message.from_wire(await reader.readexactly(length))
            name = names[found.id]
            score.judge(client, name, answer_of(found), truth.answers(client, name, before | truth.bound))
    finally:
        writer.close()
