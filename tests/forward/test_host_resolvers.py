"""Whom to forward to: the host's resolvers, never ourselves."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from vpcdns.forward.host_resolvers import host_upstreams, with_upstreams
from vpcdns.model.policy import Listen, Upstream
from vpcdns.model.world import World

EVERYWHERE = [Listen(ip_address("0.0.0.0"), 53)]


def test_in_a_docker_network_its_resolver_is_asked(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
    world = with_upstreams(World(), EVERYWHERE, given=False, resolv_conf=tmp_path / "resolv.conf")
    assert world.forwarding.upstreams == (Upstream(ip_address("127.0.0.11")),)


def test_a_resolver_of_another_family_is_not_ourselves(tmp_path: Path) -> None:
    """0.0.0.0 has no IPv6 address, so `::1` is somebody else."""
    (tmp_path / "resolv.conf").write_text("nameserver ::1\nnameserver 127.0.0.1\n")
    world = with_upstreams(World(), EVERYWHERE, given=False, resolv_conf=tmp_path / "resolv.conf")
    assert world.forwarding.upstreams == (Upstream(ip_address("::1")),)


@pytest.mark.parametrize("what", ["fifo", "zero", "folder", "missing", "large", "many"])
def test_whatever_lies_in_its_place_costs_little(tmp_path: Path, what: str) -> None:
    """It is read whenever it has changed, in a thread that nobody could end."""
    path = tmp_path / "resolv.conf"
    match what:
        case "fifo":
            os.mkfifo(path)
        case "zero":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "large":
            path.write_text("nameserver 192.0.2.1\n" + "#" * 5_000_000)
        case "many":
            path.write_text(
                "".join(f"nameserver 192.0.2.{n % 250}\nnameserver 192.0.2.1\n" for n in range(1_000))
            )
    found = host_upstreams(path)
    assert len(found) == {"large": 1, "many": 16}.get(what, 0)
