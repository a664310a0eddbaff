"""Addresses of upstreams that are given by host name, as the host's own resolver says them.

Knows getaddrinfo(3), whose patience nobody here shares: it is asked in threads that are left behind when they
take too long, and never where it would ask this very server.
"""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from vpcdns.forward.host_resolvers import RESOLV_CONF, host_upstreams, is_ourselves, read_hosts
from vpcdns.model.policy import Listen, Upstream, UpstreamName
from vpcdns.model.topology import Address

log = logging.getLogger("vpcdns.forward")

LOOKED_UP_WITHIN: Final = 2.0  # seconds; who starts or reloads waits no longer
HOSTS: Final = Path("/etc/hosts")
_THREADS_AT_MOST: Final = 16
_HOSTS_OCTETS: Final = 1 << 20


class UpstreamNames:
    """What is known of each host: `addresses`, and `problems` of those that did not resolve the last time.

    A host that does not resolve any more keeps its last addresses. Changes are said, once each, to `say`.
    """

    def __init__(
        self,
        resolv_conf: Path = RESOLV_CONF,
        hosts: Path = HOSTS,
        say: Callable[[int, str], object] = log.log,
    ) -> None:
        self.addresses: dict[str, tuple[Address, ...]] = {}
        self.problems: dict[str, str] = {}
        self._resolv_conf, self._hosts, self._say = resolv_conf, hosts, say
        self._asking: set[str] = set()
        self._changed = threading.Condition()

    def look_up(
        self, names: Iterable[UpstreamName], listens: Sequence[Listen], within: float = LOOKED_UP_WITHIN
    ) -> None:
        """Returns when all are looked up, or the time is over; what comes later is known from then on.

        For a thread: it waits.
        """
        ports: dict[str, set[int]] = {}
        for name in names:
            ports.setdefault(name.host, set()).add(name.port)
        if not ports:
            return
        if any(is_ourselves(upstream, listens) for upstream in host_upstreams(self._resolv_conf)):
            self._look_into_hosts(ports)
            return
        with self._changed:
            waiting = deque(host for host in ports if host not in self._asking)
            self._asking.update(waiting)
        try:
            for _ in range(min(_THREADS_AT_MOST, len(waiting))):
                run = (waiting, ports, listens)
                threading.Thread(target=self._ask_all, args=run, name="upstream names", daemon=True).start()
        except RuntimeError:  # there is no thread to be had: they are looked up next time
            with self._changed, suppress(IndexError):
                while True:
                    self._asking.discard(waiting.pop())
        deadline = time.monotonic() + within
        with self._changed:
            self._changed.wait_for(lambda: self._asking.isdisjoint(ports), deadline - time.monotonic())
            for host in self._asking & ports.keys():
                self._know(host, (), f"no answer within {within:g} s")

    def _ask_all(self, waiting: deque[str], ports: dict[str, set[int]], listens: Sequence[Listen]) -> None:
        with suppress(IndexError):  # another thread has taken the last
            while True:
                host = waiting.popleft()
                found, problem = _addresses(host)
                others = tuple(
                    address
                    for address in found
                    if not any(is_ourselves(Upstream(address, port), listens) for port in ports[host])
                )
                if found and not others:
                    problem = f"{_text(found)} is this server itself"
                with self._changed:
                    self._know(host, others, problem)
                    self._asking.discard(host)
                    self._changed.notify_all()

    def _look_into_hosts(self, ports: dict[str, set[int]]) -> None:
        """Without a resolver that is another."""
        known: dict[str, list[Address]] = {}
        with suppress(OSError), self._hosts.open(errors="replace") as file:
            known = read_hosts(file.read(_HOSTS_OCTETS))
        why = f"{self._resolv_conf} names this server, which cannot look up its own upstreams"
        for host in ports:
            found = tuple(known.get(host, ()))
            with self._changed:
                self._know(
                    host, found, "" if found else f"{why}; write its address, or put it into {self._hosts}"
                )

    def _know(self, host: str, found: tuple[Address, ...], problem: str) -> None:
        """Takes in what a look-up came to, and says what is new."""
        before, former = self.addresses.get(host, ()), self.problems.get(host, "")
        if problem:
            if problem != former:
                then = f"its last addresses are asked: {_text(before)}" if before else "it is tried again"
                self._say(logging.WARNING, f"Upstream {host} does not resolve: {problem}; {then}")
            self.problems = {**self.problems, host: problem}
            return
        self.problems = {one: why for one, why in self.problems.items() if one != host}
        if former or set(before) != set(found):
            self._say(logging.INFO, f"Upstream {host} is {_text(found)}")
        if set(before) != set(found):  # resolvers give them in turn; that is no change
            self.addresses = {**self.addresses, host: found}


def _addresses(host: str) -> tuple[tuple[Address, ...], str]:
    """Those that the host's resolver gives, each once; or why there are none."""
    try:
        # As octets: Python would convert text by IDNA 2003.
        entries = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_DGRAM)
        found = tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in entries))
    except (OSError, ValueError) as error:
        return (), getattr(error, "strerror", None) or str(error)
    return found, "" if found else "it has no address"


def _text(addresses: tuple[Address, ...]) -> str:
    return ", ".join(map(str, addresses))
