"""`vpcdns state`: out of a state file and into it, and what `serve --state` goes on with."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from tests.support.command_line import vpcdns
from tests.support.repository import EXAMPLE
from tests.support.server_process import COMMAND, running
from vpcdns.config import load
from vpcdns.errors import StartupError
from vpcdns.testing import AdminError, Server

GROUP = "c4a1e9d07b5f4e28936ad0f1b2c3d4e5"
NAME = f"{GROUP}-cn-hangzhou-vpc.alicloudapi.com"
VPC = "vpc-bp11w979o2s9rcr962w25"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state in which one VPC domain was switched on, left by a server that was killed."""
    path = tmp_path / "vpcdns.state"
    with Server(EXAMPLE, state=path) as server:
        server.client.assert_denied(NAME, VPC)
        server.client.change({"change": "EnableVpcDomain", "group_id": GROUP})
        server.kill()
    return path


def test_a_change_survives_the_server(state: Path) -> None:
    with Server(EXAMPLE, state=state) as server:
        server.client.assert_resolves(NAME, VPC, to="100.100.80.10")


def test_the_history(state: Path) -> None:
    done = vpcdns("state", "history", "--state", str(state))
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.endswith("file  configuration read")
    assert second.endswith(f'test  EnableVpcDomain group_id="{GROUP}"')
    told = json.loads(vpcdns("state", "history", "--json", "--state", str(state)).stdout)
    assert told[1]["changes"] == [{"change": "EnableVpcDomain", "group_id": GROUP}]
    assert told[1]["time"].endswith("Z")


def test_no_client_writes_lines_of_its_own_into_the_history(tmp_path: Path) -> None:
    """Without keys a client may call itself anything."""
    path, who = tmp_path / "vpcdns.state", "me\n2026-01-01  revision 9  root  \x1b[31mforged\u202e"
    query = {"Action": "CreateVpc", "Version": "2016-04-28", "AccessKeyId": who, "Signature": "x"}
    with Server({"admin": {"region_id": "cn-hangzhou"}}, state=path) as server:
        request = urllib.request.Request(f"{server.url}/?{urlencode(query)}", method="POST")  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - ours
            assert response.status == 200
    said = vpcdns("state", "history", "--state", str(path)).stdout
    assert len(said.splitlines()) == 2
    assert said.replace("\n", "").isprintable()
    assert r"me\n2026-01-01  revision 9  root  \x1b[31mforged\u202e  CreateVpc" in said
    assert json.loads(vpcdns("state", "history", "--json", "--state", str(path)).stdout)[1]["who"] == who


def test_export_is_a_configuration(state: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported.yaml"
    exported.write_text(vpcdns("state", "export", "--state", str(state)).stdout)
    world = load(exported).world
    assert world.groups[GROUP].vpc_domain
    assert len(world.topology.networks) == 1
    assert "forward" not in yaml.safe_load(exported.read_text())
    around = vpcdns("state", "export", "--state", str(state), "--config", str(EXAMPLE))
    exported.write_text(around.stdout)
    assert load(exported).listens == load(EXAMPLE).listens
    assert load(exported).world.groups == world.groups


def test_when_both_have_changed_the_operator_decides(state: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(EXAMPLE.read_text().replace("name: maps", "name: atlas"))
    with pytest.raises(StartupError, match="vpcdns state import"), Server(changed, state=state):
        pass
    done = vpcdns("state", "import", "--state", str(state), str(changed))
    assert (done.returncode, done.stdout) == (0, f"{state}: holds what {changed} says\n")
    with Server(changed, state=state) as server:
        server.client.assert_denied(NAME, VPC)
        assert "atlas" in str(server.client.world())
        done = vpcdns("state", "import", "--state", str(state), str(changed))
        assert done.returncode == 1
        assert "another vpcdns has it open" in done.stderr


def test_a_file_that_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("hello")
    for command in (("export",), ("history",), ("import", str(EXAMPLE))):
        done = vpcdns("state", command[0], "--state", str(path), *command[1:])
        assert done.returncode == 1
        assert "no state file of vpcdns" in done.stderr
        assert path.read_text() == "hello"
    with pytest.raises(StartupError, match="no state file"), Server(EXAMPLE, state=path):
        pass
    done = vpcdns("state", "export", "--state", str(tmp_path / "none"))
    assert done.returncode == 1


def serving(config: Path, state: Path, *more: str) -> list[str]:
    ports = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    return [*COMMAND, "serve", "--config", str(config), *ports, "--state", str(state), *more]


def damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE journal SET text = '{}' WHERE number = 2")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_dns_is_served_without_a_state_that_is_damaged_if_it_is_optional(state: Path, workers: str) -> None:
    damage(state)
    left = state.read_bytes()
    refused = subprocess.run(serving(EXAMPLE, state), capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "ways out:" in refused.stderr
    assert "--state-optional" in refused.stderr
    command = serving(EXAMPLE, state, "--state-optional", "--workers", workers)
    with running(command, r"Listening on \S+:(\d+)") as server:
        assert "damaged" in server.await_log("DNS is served from the configuration; changes are refused")
        client = server.client
        # What the configuration says, and nothing of what the state had.
        client.assert_denied(NAME, VPC)
        client.assert_resolves("523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com", VPC)
        with pytest.raises(AdminError) as raised:
            client.change({"change": "EnableVpcDomain", "group_id": GROUP})
        assert raised.value.status == 503
        client.assert_denied(NAME, VPC)
        ready = json.loads(urllib.request.urlopen(f"{server.url}/ready", timeout=10).read())  # noqa: S310 - ours
        assert "damaged" in ready["state_problem"]
        assert ready["ready"] is True
    assert state.read_bytes() == left


def test_a_disk_without_room_names_the_ways_out_and_holds_up_no_dns_if_told_so(
    state: Path, tmp_path: Path
) -> None:
    """No file may grow: the start writes an entry."""
    limited = ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash"]
    command = [*limited, *serving(EXAMPLE, state)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert "make room on its disk" in refused.stderr
    assert "--state-optional" in refused.stderr
    command = [*limited, *serving(EXAMPLE, state, "--state-optional")]
    with running(command, r"Listening on \S+:(\d+)") as server:
        server.client.assert_denied(NAME, VPC)
    with Server(EXAMPLE, state=state) as server_again:
        server_again.client.assert_resolves(NAME, VPC, to="100.100.80.10")


def test_a_state_that_is_not_there_is_not_optional() -> None:
    done = vpcdns("serve", "--config", str(EXAMPLE), "--state-optional")
    assert done.returncode == 1
    assert "add --state PATH" in done.stderr
