"""The operator: changes the file, resolv.conf and, by API, objects; kills the server and starts it again."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dns.message
import dns.rdatatype

from tests.soak.checkers import SECOND_TRY_AFTER, over_tcp
from tests.soak.server import AdminError, Server
from tests.soak.truth import (
    CALLED,
    CHANGED_DOMAIN,
    FORWARDED,
    GOOD,
    RESOLVERS,
    Client,
    Truth,
    configuration,
    group_id,
    witness,
)

_MYSELF: Final = Client("127.0.0.1", "")
_TTL: Final = 1.0
_SEEN_WITHIN: Final = 30.0
_RENAMED: Final = group_id("b")
_KEY: Final = ["cn-hangzhou", "called"]


class Operator:
    """Does one thing after the other. `undisturbed` is held while the server must not lose workers."""

    def __init__(self, server: Server, truth: Truth, resolv_conf: Path, undisturbed: asyncio.Lock) -> None:
        self.done: Counter[str] = Counter()
        self.problems: list[str] = []
        self.down_for: list[float] = []
        self._server = server
        self._truth = truth
        self._resolv_conf = resolv_conf
        self._undisturbed = undisturbed
        self._latest = ""
        self._place = "a"
        self._revision = self._named = 0
        self._names = [f"r{self._named}"]  # what the renamed group may be called

    def write(self) -> None:
        """By renaming, so that the whole file changes at once."""
        new = self._server.config.with_suffix(".new")
        new.write_text(configuration(self._place, self._revision, self._named, str(self._server.admin)))
        new.rename(self._server.config)

    def write_resolv_conf(self, resolver: str) -> None:
        """In place, as the file is mounted, and in one write: both texts have the same length."""
        with self._resolv_conf.open("r+b" if self._resolv_conf.exists() else "wb") as file:
            os.write(file.fileno(), f"nameserver {RESOLVERS[resolver]}\n".encode())

    async def run(self, seconds: float) -> None:
        """To the end, or until something that was changed is not seen."""
        try:
            await self._run(seconds)
        except (RuntimeError, AdminError) as error:
            self.problems.append(str(error))

    async def _run(self, seconds: float) -> None:
        """Kills the server after half of the time, and at the end."""
        loop = asyncio.get_running_loop()
        for until in (loop.time() + seconds / 2, loop.time() + seconds):
            while loop.time() < until:
                for step in (self._rebind, self._spoil, self._resolver, self._reload, self._change):
                    if loop.time() < until:
                        await step()
                        await asyncio.sleep(random.uniform(0.2, 1))
            await self._restart()

    # The file

    async def _rebind(self) -> None:
        """Another file with other objects: it replaces what the API changed."""
        self._place = "b" if self._place == "a" else "a"
        self._named += 1
        facts = (
            (self._truth.moving, self._place),
            (self._truth.called, "a"),
            (self._truth.enabled, "on"),
            (self._truth.custom, "off"),
        )
        for fact, value in facts:
            fact.may_be(value)
        await self._load()
        for fact, value in facts:
            fact.is_now(value)
        self._names = [f"r{self._named}"]
        self.done["rebinds with their listener"] += 1

    async def _reload(self) -> None:
        """The same objects: what the API changed stays."""
        await self._load()
        self.done["reloads beside API changes"] += 1

    async def _load(self) -> None:
        self._revision += 1
        self.write()
        for _ in range(self._revision % 4):  # none: it is found by looking
            self._server.hang_up()
        await self._until(self._is_loaded, f"revision {self._revision} of the file is not served")
        # By one worker. The main process answers when all of them have acknowledged it (decision 10).
        await asyncio.to_thread(self._server.get, "/world")
        self.done["reloads"] += 1

    async def _is_loaded(self) -> bool:
        return await self._address_of(witness(self._revision, _label())) == FORWARDED[GOOD]

    async def _spoil(self) -> None:
        """Half a file, then none: the server keeps what it has."""
        config = self._server.config
        text = config.read_text()
        await self._refused(lambda: config.write_text(text[: len(text) // 2]))
        await self._refused(config.unlink)
        self.write()
        self.done["bad files"] += 2

    async def _refused(self, spoil: Callable[[], object]) -> None:
        def refusals() -> int:
            return self._server.log.read_text().count("Not reloaded")

        async def is_told() -> bool:
            return refusals() > before

        before = refusals()
        spoil()
        self._server.hang_up()
        await self._until(is_told, "a file that cannot be used was not refused")

    # resolv.conf

    async def _resolver(self) -> None:
        following = "y" if self._truth.resolver.value == "x" else "x"
        self._truth.resolver.may_be(following)
        self.write_resolv_conf(following)

        async def is_asked() -> bool:
            return await self._address_of(f"{_label()}.elsewhere.example") == FORWARDED[RESOLVERS[following]]

        await self._until(is_asked, f"resolv.conf's {RESOLVERS[following]} is not asked")
        await asyncio.sleep(2 * _TTL)  # until what the former one said has left the caches
        self._truth.resolver.is_now(following)
        self.done["resolv.conf changes"] += 1

    # The API

    async def _change(self) -> None:
        """Each of what the API changes once, in any order."""
        truth = self._truth
        place = "b" if truth.called.value == "a" else "a"
        switched = "off" if truth.enabled.value == "on" else "on"
        custom = "off" if truth.custom.value == "on" else "on"
        bind = {"vpc_id": f"vpc-{place}", "vswitch_id": f"vsw-{place}", "address": CALLED[place]}
        switch = "EnableVpcDomain" if switched == "on" else "DisableVpcDomain"
        domain_change = {"change": "AddCustomDomain" if custom == "on" else "RemoveCustomDomain"}
        steps: list[tuple[Any, str, dict[str, Any]]] = [
            (truth.called, place, {"change": "Bind", "instance_key": _KEY, **bind}),
            (truth.enabled, switched, {"change": switch, "group_id": group_id("0")}),
            (truth.custom, custom, {**domain_change, "group_id": group_id("e"), "name": CHANGED_DOMAIN}),
        ]
        random.shuffle(steps)
        for fact, value, change in steps:
            fact.may_be(value)
            await self._acknowledged(change)
            if fact is truth.custom:
                await asyncio.sleep(2 * _TTL)  # the name is forwarded when it is not ours
            fact.is_now(value)
        await asyncio.to_thread(self._rename)

    async def _acknowledged(self, change: dict[str, Any]) -> None:
        await asyncio.to_thread(self._server.change, change)
        self.done["API changes"] += 1

    def _rename(self) -> None:
        name = f"n{_label()}"
        self._names.append(name)
        self._server.change({"change": "RenameGroup", "group_id": _RENAMED, "name": name})
        self._names = [name]
        self.done["API changes"] += 1

    # Power cuts

    async def _restart(self) -> None:
        """Killed between API changes, and started again on the same ports and state."""
        async with self._undisturbed:
            before = await asyncio.to_thread(self._server.serial)
            renaming = asyncio.create_task(asyncio.to_thread(self._rename_until_it_fails))
            await asyncio.sleep(random.uniform(0.3, 0.6))
            started, self._truth.power_cut = time.monotonic(), float("inf")
            await asyncio.to_thread(self._server.kill)
            await renaming
            await asyncio.to_thread(self._server.start)
            self._truth.power_cut = time.monotonic()
            self.down_for.append(time.monotonic() - started)
            await asyncio.to_thread(self._compare, before)
            self.done["kills of the server"] += 1
            await asyncio.sleep(SECOND_TRY_AFTER + 3)  # whoever asks again must find a server

    def _rename_until_it_fails(self) -> None:
        try:
            while True:
                self._rename()
        except AdminError:
            pass  # the name that was not acknowledged may be there or not

    def _compare(self, serial_before: int) -> None:
        """With what was acknowledged."""
        found = self._server.json("/test/world")["configuration"]
        groups = {group["group_id"]: group for group in found["groups"]}
        instances = {instance["instance_id"]: instance for instance in found["instances"]}
        custom = CHANGED_DOMAIN in groups[group_id("e")].get("custom_domains", [])
        truth = self._truth
        expected: list[tuple[str, bool]] = [
            (f"a name of {self._names}", groups[_RENAMED]["name"] in self._names),
            ("the binding", instances["called"]["binding"]["vpc_id"] == f"vpc-{truth.called.value}"),
            ("the VPC domain", groups[group_id("0")]["vpc_domain"] == (truth.enabled.value == "on")),
            ("the custom domain", custom == (truth.custom.value == "on")),
            ("the serial", self._server.serial() >= serial_before),
        ]
        self._names = [groups[_RENAMED]["name"]]
        self.done["facts found again"] += sum(is_there for _, is_there in expected)
        self.problems += [
            f"{what} is not there after a restart" for what, is_there in expected if not is_there
        ]

    # What is served

    async def _until(self, condition: Callable[[], Any], problem: str) -> None:
        deadline = time.monotonic() + _SEEN_WITHIN
        while not await condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{problem}; the latest response was\n{self._latest}")
            await asyncio.sleep(0.05)

    async def _address_of(self, name: str) -> str:
        try:
            (octets,) = await asyncio.wait_for(
                over_tcp(_MYSELF, [dns.message.make_query(name, "A").to_wire()]), 5
            )
        except (OSError, EOFError, TimeoutError) as error:
            self._latest = repr(error)
            return ""  # a worker that is lost
        self._latest = str(dns.message.from_wire(octets))
        answer = dns.message.from_wire(octets).answer
        return next((str(rrset[0]) for rrset in answer if rrset.rdtype == dns.rdatatype.A), "")


def _label() -> str:
    """A name below which nobody has asked for yet."""
    return f"{random.getrandbits(64):016x}"
