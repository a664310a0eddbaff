"""vpcdns, BIND and Unbound side by side, from one configuration, with one upstream."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace

import dns.rdtypes.ANY.SOA
import pytest

from tests.conformance.dns_client import over_udp
from tests.conformance.names import CONFIG, SUFFIX
from tests.differential import peers, upstream
from tests.support.messages import query, read
from tests.support.nameserver import Nameserver
from vpcdns import __version__
from vpcdns.config import loads
from vpcdns.model.policy import ServerIdentity
from vpcdns.model.world import World
from vpcdns.testing import Server


@dataclass(frozen=True)
class Side:
    """The ports of the three."""

    vpcdns: int
    bind: int
    unbound: int


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    if not peers.found("named", "unbound"):
        pytest.skip("BIND and Unbound are not installed")
    folder = tmp_path_factory.mktemp("differential")
    with Nameserver(upstream.answer) as above:
        config = CONFIG.replace("upstreams: []", f'upstreams: ["127.0.0.1:{above.upstream.port}"]')
        with Server(config) as server:
            ours = server.dns[1]
            world = _served(config, ours)
            with (
                peers.bind(world, folder, above.upstream.port) as bind,
                peers.unbound(world, folder, above.upstream.port) as unbound,
            ):
                yield Side(ours, bind, unbound)


def _served(config: str, port: int) -> World:
    """The World that is served: the file's, with the serial that the running server counts from."""
    world = loads(config, "vpcdns.yaml").world
    response = over_udp(query(SUFFIX, "SOA").to_wire(), port)
    assert response is not None
    soa = read(response).answer[0][0]
    assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
    identity = ServerIdentity(f"vpcdns {__version__}", socket.gethostname())
    return replace(world, revision=soa.serial, identity=identity)
