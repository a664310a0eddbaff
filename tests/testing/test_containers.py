"""`vpcdns.testing.containers` on a real engine: `docker build -t vpcdns .` first; skipped without."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.example_world import DEDICATED_NAME, VPC_A, VPC_B, example
from vpcdns.config import written
from vpcdns.testing import AdminError

# Testcontainers' reaper is another image; this container is stopped by its test.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
containers = pytest.importorskip(
    "vpcdns.testing.containers", reason="needs pip install vpcdns[testcontainers]"
)


def image_is_there() -> bool:
    """Whether an engine answers and has the image."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    asking = [docker, "image", "inspect", "vpcdns:latest"]
    return subprocess.run(asking, capture_output=True, timeout=20, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not image_is_there(), reason="needs a Docker engine that has the image vpcdns:latest"
)


@pytest.fixture(scope="module")
def container() -> Iterator[Any]:
    plain = written(example())
    plain["forward"] = {"upstreams": []}
    plain["server"] = {
        # The host's queries come from the bridge's gateway, whatever the bridge has.
        "clients": ["0.0.0.0/0"],
        "trusted_peers": ["172.16.0.0/12", "192.168.0.0/16"],
    }
    with containers.VpcdnsContainer(plain) as running:
        yield running


def test_it_answers_as_a_client_in_a_vpc(container: Any) -> None:
    client = container.client
    client.assert_resolves(DEDICATED_NAME, VPC_A, to="10.1.8.20")
    client.assert_denied(DEDICATED_NAME, VPC_B)


def test_it_is_changed_and_put_back_over_http(container: Any) -> None:
    client = container.client
    group_id = DEDICATED_NAME.partition("-")[0]
    client.change({"change": "DisableVpcDomain", "group_id": group_id})
    client.assert_denied(DEDICATED_NAME, VPC_A)
    client.reset()
    client.assert_resolves(DEDICATED_NAME, VPC_A, to="10.1.8.20")
    assert client.queries(name=DEDICATED_NAME)


def test_whoever_has_no_token_changes_nothing(container: Any) -> None:
    from vpcdns.testing import Client

    stranger = Client(container.client.url, container.client.dns)
    with pytest.raises(AdminError) as raised:
        stranger.reset()
    assert raised.value.status == 401
