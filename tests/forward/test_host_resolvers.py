"""Whom to forward to: the host's resolvers, never ourselves."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from vpcdns.forward.host_resolvers import is_ours, with_upstreams
from vpcdns.model.policy import Listen, Upstream
from vpcdns.model.world import World

EVERYWHERE = [Listen(ip_address("0.0.0.0"), 53)]


@pytest.mark.parametrize(
    ("address", "listen", "ours"),
    [
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.53", "0.0.0.0", True),
        ("127.0.0.11", "0.0.0.0", False),  # Docker's own, whoever listens
        ("127.0.0.11", "127.0.0.11", True),
        ("192.0.2.1", "0.0.0.0", False),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
    ],
)
def test_is_ours(address: str, listen: str, ours: bool) -> None:
    assert is_ours(Upstream(ip_address(address)), [Listen(ip_address(listen), 53)]) is ours


def test_in_a_docker_network_its_resolver_is_asked(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
    world = with_upstreams(World(), EVERYWHERE, given=False, resolv_conf=tmp_path / "resolv.conf")
    assert world.forwarding.upstreams == (Upstream(ip_address("127.0.0.11")),)
