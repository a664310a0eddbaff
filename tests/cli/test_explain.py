"""`vpcdns explain`: the decision of the server, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.command_line import vpcdns
from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME
from tests.support.repository import EXAMPLE as EXAMPLE_FILE
from vpcdns.cli.explain import steps_table
from vpcdns.forward.host_resolvers import host_upstreams
from vpcdns.model.decision import Step

WEATHER = "523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com"
EXAMPLE = ("explain", "--config", "config/vpcdns.yaml")


def explained(*arguments: str, config: Path | str = "config/vpcdns.yaml") -> Any:
    done = vpcdns("explain", "--config", str(config), "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_json_of_an_answer() -> None:
    said = explained("--from", "127.40.0.5", "API.example.com.")
    steps = said.pop("steps")
    assert said == {
        "name": "API.example.com",
        "type": "A",
        "client": {
            "address": "127.40.0.5",
            "vpc_id": "vpc-bp11w979o2s9rcr962w25",
            "network_id": "idc-shanghai",
            "matched": "source network 127.40.0.0/16 of idc-shanghai",
        },
        "outcome": "respond",
        "rcode": "NOERROR",
        "reason": "dedicated-bound-vpc",
        "extended_error": None,
        "answers": [
            {"name": "API.example.com", "type": "CNAME", "ttl": 60, "data": WEATHER},
            {"name": WEATHER, "type": "A", "ttl": 60, "data": "10.1.8.20"},
        ],
        "upstreams": [],
    }
    assert all(step.keys() == {"step", "detail"} for step in steps)
    assert steps[-1] == {"step": "answer", "detail": "A 10.1.8.20"}


def test_json_of_a_denial() -> None:
    said = explained("--from", "127.20.0.5", WEATHER)
    assert (said["rcode"], said["reason"], said["answers"]) == ("NXDOMAIN", "other-vpc", [])
    assert said["extended_error"]["info_code"] == 18


def test_types_and_their_data() -> None:
    soa = explained("--from", "127.0.0.1", "--type", "soa", "alicloudapi.com")["answers"][0]["data"]
    assert soa.startswith("vpcdns.internal hostmaster.vpcdns.internal ")
    assert explained("--from", "127.0.0.1", "--type", "TYPE65", WEATHER)["type"] == "HTTPS"
    whoami = explained("--from", "::1", "-t", "TXT", "whoami.vpcdns.internal")["answers"][0]["data"]
    assert whoami.startswith('"address=::1" ')


def test_listener_of_a_vpc() -> None:
    said = explained("--from", "127.0.0.1", "--listener", "vpc-bp11w979o2s9rcr962w25", WEATHER)
    assert said["reason"] == "dedicated-bound-vpc"
    assert said["client"]["matched"] == "the listener's vpc_id"


def test_forwarded_is_plain(tmp_path: Path) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text('forward: {upstreams: ["192.0.2.1"]}\n')
    said = explained("--from", "127.0.0.1", "www.example.org", config=config)
    assert (said["outcome"], said["rcode"], said["upstreams"]) == ("forward", None, ["192.0.2.1"])
    done = vpcdns("explain", "--config", str(config), "--from", "127.0.0.1", "www.example.org")
    assert "FORWARDED to 192.0.2.1" in done.stdout


def test_dropped_is_plain(tmp_path: Path) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text(EXAMPLE_FILE.read_text().replace("answers:\n", "answers:\n  denied: drop\n"))
    said = explained("--from", "127.20.0.5", WEATHER, config=config)
    assert (said["outcome"], said["rcode"]) == ("drop", None)
    done = vpcdns("explain", "--config", str(config), "--from", "127.20.0.5", WEATHER)
    assert "DROPPED" in done.stdout


def test_a_network_whose_queries_do_not_get_to_its_vpc_is_told_so(tmp_path: Path) -> None:
    """The answer is what the server gives to whoever asks."""
    config = tmp_path / "vpcdns.yaml"
    through = "resolves_through: {vpc_id: vpc-a, via: cut}"
    config.write_text(CONFIGURATION.replace("resolves_as: vpc-a", through))
    done = vpcdns("explain", "--config", str(config), "--from", "192.168.0.9", DEDICATED_NAME)
    assert done.returncode == 0
    assert "10.1.8.20" in done.stdout
    assert "but the connection is cut by which queries of idc got to vpc-a; restore it" in done.stderr


def test_text_is_plain_and_unbroken() -> None:
    done = vpcdns(*EXAMPLE, "--from", "127.10.0.5", "api.example.com")
    assert "\x1b" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []
    assert " 6  answer         A 10.1.8.20\n\nNOERROR (dedicated-bound-vpc)\n" in done.stdout
    assert f"{WEATHER}. 60 IN A 10.1.8.20" in done.stdout


def test_narrow_terminal_does_not_break_names() -> None:
    console = Console(width=80, color_system=None, force_terminal=True)
    with console.capture() as captured:
        console.print(steps_table((Step("custom domain", f"CNAME {WEATHER} [bold]"),), 80))
    assert [line.strip() for line in captured.get().splitlines()][1:] == [f"CNAME {WEATHER}", "[bold]"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "here", "a.example"), "no IP address"),
        (("--from", "10.0.0.1", "a..example"), "Invalid value for 'NAME'"),
        (("--from", "10.0.0.1", "münchen.example"), "xn--"),
        (("--from", "10.0.0.1", "--type", "XX", "a.example"), "no record type"),
        (("--from", "10.0.0.1", "--listener", "vpc-x", "a.example"), "there is no VPC vpc-x"),
        (("a.example",), "--from"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    done = vpcdns(*EXAMPLE, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_configuration_from_the_environment(tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("forward: {upstreams: []}\n")
    done = vpcdns("explain", "--from", "10.0.0.1", "x.example", environment={"VPCDNS_CONFIG": str(config)})
    assert "REFUSED (no-upstreams)" in done.stdout
    done = vpcdns("explain", "--from", "10.0.0.1", "x.example", environment={"VPCDNS_CONFIG": "missing.yaml"})
    assert (done.returncode, done.stderr.startswith("missing.yaml: there is no such file")) == (1, True)


def test_hosts_resolvers_count_as_they_do_for_the_server(tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("server: {}\n")
    said = explained("--from", "127.0.0.1", "www.example.org", config=config)
    hosts = [str(upstream) for upstream in host_upstreams()]
    assert said["upstreams"] == hosts
    assert said["reason"] == ("forwarded" if hosts else "no-upstreams")
