"""The compose example agrees with itself, and gives the answers that its README promises."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from tests.support.repository import ROOT
from vpcdns.config import load
from vpcdns.model.clients import identify
from vpcdns.model.dns import Question, RRType
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve

FOLDER = ROOT / "examples" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
README = (FOLDER / "README.md").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CLIENTS = sorted(set(SERVICES) - {"vpcdns"})
LOADED = load(FOLDER / "config" / "vpcdns.yaml")
WORLD = LOADED.world

_PROMISE = re.compile(r"^\| `(\w+)` \| `([\w.-]+)` \| ([\d.]+|none) \|$", re.MULTILINE)
_PLACE = re.compile(r"^\| `(\w+)` \| `([\w-]+)`[^|]*\| ([\d./]+) \|$", re.MULTILINE)
PROMISES = _PROMISE.findall(README)
PLACES = _PLACE.findall(README)


def subnet(network: str) -> str:
    (config,) = COMPOSE["networks"][network]["ipam"]["config"]
    return str(config["subnet"])


def address_of(service: str) -> str:
    """A client's address, in its only network."""
    (endpoint,) = SERVICES[service]["networks"].values()
    return str(endpoint["ipv4_address"])


def test_keys() -> None:
    assert set(COMPOSE) == {"services", "networks"}, "`version` is obsolete, Compose warns of it"
    for service in SERVICES.values():
        assert "ports" not in service, "a published port hides who asks"
        assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_addresses() -> None:
    """Each in its network, none twice, none of the gateway's."""
    addresses = []
    for service in SERVICES.values():
        for network, endpoint in service["networks"].items():
            address, block = ip_address(endpoint["ipv4_address"]), ip_network(subnet(network))
            assert address in block
            assert address != next(block.hosts())
            addresses.append(address)
    assert len(addresses) == len(set(addresses))
    blocks = [ip_network(subnet(network)) for network in COMPOSE["networks"]]
    assert not any(a.overlaps(b) for a in blocks for b in blocks if a is not b)


def test_vpcdns() -> None:
    service = SERVICES["vpcdns"]
    assert set(service["networks"]) == set(COMPOSE["networks"]), "it is in every network"
    dockerfile = (FOLDER / service["build"] / "Dockerfile").read_text()
    (volume,) = service["volumes"]
    source, target, mode = volume.split(":")
    assert (FOLDER / source / "vpcdns.yaml").is_file()
    assert (target, mode) == ("/etc/vpcdns", "ro")
    assert "command" not in service
    assert f'CMD ["serve", "--config", "{target}/vpcdns.yaml", "--listen", "0.0.0.0:53"]' in dockerfile


def test_listens_where_it_is_asked() -> None:
    """resolv.conf has no ports, so 53; and the health check asks where it listens."""
    assert [str(listen) for listen in LOADED.listens] == ["0.0.0.0:53"]
    assert SERVICES["vpcdns"]["healthcheck"]["test"] == [
        "CMD",
        "vpcdns",
        "health",
        "--server",
        "127.0.0.1:53",
    ]


@pytest.mark.parametrize("client", CLIENTS)
def test_client(client: str) -> None:
    """It asks vpcdns by its address in the client's own network, and waits until it is there."""
    service = SERVICES[client]
    (network,) = service["networks"]
    assert service["dns"] == SERVICES["vpcdns"]["networks"][network]["ipv4_address"]
    assert service["depends_on"] == {"vpcdns": {"condition": "service_healthy"}}
    assert service["image"] == SERVICES["vpcdns"]["image"] or ":" in service["image"]


def test_places() -> None:
    assert {client for client, _, _ in PLACES} == set(CLIENTS) - {"doctor"}
    for client, vpc_id, block in PLACES:
        (network,) = SERVICES[client]["networks"]
        assert subnet(network) == block
        assert identify(ip_address(address_of(client)), WORLD).vpc_id == vpc_id
    assert COMPOSE["networks"]["office"]["internal"] is True
    assert f"vpcdns sees {address_of('doctor')}" in README


@pytest.mark.parametrize(("client", "name", "promised"), PROMISES)
def test_promise(client: str, name: str, promised: str) -> None:
    asking = identify(ip_address(address_of(client)), WORLD)
    resolution = resolve(Question(Name.from_text(name), RRType.A), asking, WORLD)
    found = [str(record.rdata) for record in resolution.answers if record.rtype == RRType.A]
    assert found == ([] if promised == "none" else [promised])


def test_every_client_is_promised_something() -> None:
    assert {client for client, _, _ in PROMISES} == {client for client, _, _ in PLACES}
    assert len(PROMISES) == README.count("alicloudapi.com` |") + README.count("`api.example.com` |")
