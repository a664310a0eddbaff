"""`vpcdns check`: every problem on a line of its own, and what is there when there is none."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.command_line import vpcdns

BROKEN = "vpcs: [{vpc_id: vpc-a, region_id: r, cidr_blocks: [10.1.0.0/33]}]\ngroup: []\n"


def test_good_file() -> None:
    done = vpcdns("check", "config/vpcdns.yaml")
    shown = "3 VPCs, 1 network, 1 connection, 2 instances, 3 groups, 1 custom domain, 0 private zones"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"config/vpcdns.yaml: {shown}\n", "")


def test_good_file_as_json() -> None:
    said = json.loads(vpcdns("check", "--json", "config/vpcdns.yaml").stdout)
    assert said["ok"] is True
    assert said["problems"] == []
    assert (said["vpcs"], said["groups"], said["custom_domains"]) == (3, 3, 1)


def test_all_problems_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BROKEN)
    done = vpcdns("check", "bad.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    places = [line.split(" ")[0] for line in done.stderr.splitlines()]
    assert [place.split(":")[:2] for place in places] == [["bad.yaml", "1"], ["bad.yaml", "2"]]


def test_all_problems_as_json(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BROKEN)
    done = vpcdns("check", "--json", "bad.yaml", cwd=tmp_path)
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], done.stderr) == (1, False, "")
    assert [problem["line"] for problem in said["problems"]] == [1, 2]
    assert said["more"] == 0


def test_a_hundred_problems_and_the_number_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("".join(f"k{number}: 1\n" for number in range(150)))
    lines = vpcdns("check", "bad.yaml", cwd=tmp_path).stderr.splitlines()
    assert (len(lines), lines[-1]) == (101, "and 50 more")
    said = json.loads(vpcdns("check", "--json", "bad.yaml", cwd=tmp_path).stdout)
    assert (len(said["problems"]), said["more"]) == (100, 50)


def test_what_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "empty").touch()
    (tmp_path / "list").write_text("- 1\n")
    for name in ("binary", "empty", "list", "missing", "."):
        done = vpcdns("check", name, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, ""), name
        assert len(done.stderr.splitlines()) == 1, name
        assert "Traceback" not in done.stderr


def test_a_source_network_outside_the_clients_is_warned_of(tmp_path: Path) -> None:
    """Else its clients get REFUSED without a word."""
    (tmp_path / "vpcdns.yaml").write_text(
        "server: {clients: [10.0.0.0/8, 127.0.0.0/8]}\n"
        "vpcs:\n"
        "  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}\n"
        "  - {vpc_id: vpc-b, region_id: cn-hangzhou, cidr_blocks: [172.16.0.0/12]}\n"
    )
    done = vpcdns("check", "vpcdns.yaml", cwd=tmp_path)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("vpcdns.yaml: warning: VPC vpc-b: server.clients (10.0.0.0/8, 127.0.0.0/8)")
    assert "172.16.0.0/12" in warning
    said = json.loads(vpcdns("check", "--json", "vpcdns.yaml", cwd=tmp_path).stdout)
    assert (said["ok"], len(said["warnings"])) == (True, 1)
    assert vpcdns("check", "config/vpcdns.yaml").stderr == ""


def test_an_upstream_that_does_not_resolve_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    config = tmp_path / "vpcdns.yaml"
    config.write_text("forward: {upstreams: [dns.corp, 'unbound:5353']}\n")
    done = vpcdns("check", str(config))
    assert done.returncode == 0
    why = "does not resolve here: Temporary failure in name resolution"
    assert sorted(done.stderr.splitlines()) == [
        f"{config}: warning: upstream dns.corp {why}",
        f"{config}: warning: upstream unbound {why}",
    ]
