"""Clients that ask one question after the other and count what becomes of each."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import dns.message
import dns.rcode

LOST_AFTER = 5.0  # seconds; stub resolvers give up then


class Load:
    """Asks while it is entered, from a thread for each of `sources`, as fast as answers come.

    `answers` counts RCODEs and addresses, `lost` the queries that had no answer in time.
    """

    def __init__(self, port: int, name: str, sources: tuple[str, ...] = ("127.10.0.5", "127.20.0.5")) -> None:
        self.answers: dict[tuple[str, str], int] = {}
        self.lost = 0
        self._address = ("127.0.0.1", port)
        self._name = name
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(source,)) for source in sources]

    @property
    def count(self) -> int:
        with self._lock:
            return sum(self.answers.values())

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(2 * LOST_AFTER)

    def _run(self, source: str) -> None:
        number = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.connect(self._address)
            sock.settimeout(LOST_AFTER)
            while not self._ending.is_set():
                number = (number + 1) % 65_536
                found = self._ask(sock, number)
                with self._lock:
                    if found is None:
                        self.lost += 1
                    else:
                        self.answers[found] = self.answers.get(found, 0) + 1

    def _ask(self, sock: socket.socket, number: int) -> tuple[str, str] | None:
        sock.send(dns.message.make_query(self._name, "A", id=number).to_wire())
        try:
            message = dns.message.from_wire(sock.recv(4_096))
        except OSError:
            return None
        address = str(message.answer[-1][0]) if message.answer else ""
        return (dns.rcode.to_text(message.rcode()), address) if message.id == number else None
