"""Whether an upstream is one of our own listeners."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from vpcdns.model.policy import Listen, Upstream, own_listener
from vpcdns.model.topology import Address

LOCAL = {ip_address(text) for text in ("127.0.0.1", "127.0.0.53", "127.0.0.11", "10.0.0.5", "::1")}


def is_local(address: Address) -> bool:
    return address in LOCAL


@pytest.mark.parametrize(
    ("upstream", "listens", "ours"),
    [
        ("127.0.0.1", ["0.0.0.0"], True),
        ("127.0.0.53", ["0.0.0.0"], True),
        ("10.0.0.5", ["0.0.0.0"], True),
        ("192.0.2.1", ["0.0.0.0"], False),
        ("127.0.0.11", ["0.0.0.0"], False),  # Docker's own, whoever listens
        ("127.0.0.11", ["127.0.0.11"], True),
        ("::ffff:127.0.0.1", ["127.0.0.1"], True),
        ("::1", ["0.0.0.0"], False),  # another family
        ("::1", ["::"], True),
        ("127.0.0.1", ["::"], True),  # [::] serves IPv4 too
        ("127.0.0.1", ["::", "10.0.0.5"], False),  # unless somebody else has its port for IPv4
        ("127.0.0.1", ["127.0.0.2"], False),
    ],
)
def test_own_listener(upstream: str, listens: list[str], ours: bool) -> None:
    listeners = [Listen(ip_address(address), 53) for address in listens]
    assert (own_listener(Upstream(ip_address(upstream)), listeners, is_local) is not None) is ours
    elsewhere = [Listen(ip_address(address), 5300) for address in listens]
    assert own_listener(Upstream(ip_address(upstream)), elsewhere, is_local) is None
