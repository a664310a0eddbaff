"""Asks libc, as applications do."""

import socket
import threading
from dataclasses import dataclass
from ipaddress import ip_address

from vpcdns.model.topology import Address


@dataclass(frozen=True, slots=True)
class LibcAnswer:
    """What getaddrinfo made of a name: addresses, or its error's text."""

    addresses: frozenset[Address] = frozenset()
    error: str = ""


def ask_libc(name: str, *, seconds: float = 5.0) -> LibcAnswer:
    """Calls getaddrinfo, which has no time-out of its own: after `seconds` nobody waits for it any more."""
    answers: list[LibcAnswer] = []

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.append(LibcAnswer(error=getattr(error, "strerror", None) or str(error)))
        else:
            texts = {str(entry[4][0]).partition("%")[0] for entry in entries}
            answers.append(LibcAnswer(frozenset(map(ip_address, texts))))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else LibcAnswer(error=f"no answer within {seconds:.0f} s")
