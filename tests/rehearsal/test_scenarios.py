"""Scenarios: the examples hold, failures are told, and the reports stand by themselves."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, hybrid
from tests.support.repository import REHEARSALS
from vpcdns.errors import ConfigurationError
from vpcdns.model.names import Name
from vpcdns.model.routing import path, source_of
from vpcdns.rehearsal.drawing import svg
from vpcdns.rehearsal.junit import junit
from vpcdns.rehearsal.report import report
from vpcdns.rehearsal.run import Result, run
from vpcdns.rehearsal.scenario import read_scenario

FILES = sorted(file for file in REHEARSALS.glob("*.yaml") if file.stem != "hybrid")


def result_of(file: Path) -> Result:
    rehearsal = read_scenario(file)
    return Result(rehearsal, tuple(run(rehearsal)))


def failing(tmp_path: Path, **parts: Any) -> Result:
    story = yaml.safe_load((REHEARSALS / "rebind.yaml").read_text())
    story["configuration"] = yaml.safe_load((REHEARSALS / "hybrid.yaml").read_text())
    file = tmp_path / "story.yaml"
    file.write_text(yaml.safe_dump({**story, **parts}))
    return result_of(file)


def test_the_examples_are_found() -> None:
    stems = [
        "cen-two-regions",
        "migrate-to-dedicated",
        "one-route-table",
        "overlapping-blocks",
        "rebind",
        "routes-of-vpcs",
        "shared-address-over-ipsec",
        "transit-router",
        "ways-of-queries",
        "whose-address",
    ]
    assert [file.stem for file in FILES] == stems


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_an_example_holds(file: Path) -> None:
    result = result_of(file)
    failures = [check.failures for step in result.steps for check in step.checks if check.failures]
    assert result.passed, [failures, [step.failures for step in result.steps]]


def test_an_expectation_that_fails_says_what_is_instead(tmp_path: Path) -> None:
    wrong = {"from": "vpc-orders", "name": "api.example.com", "answers": ["10.9.9.9"], "rcode": "NXDOMAIN"}
    unknown = {"from": "vpc-nowhere", "name": "api.example.com"}
    lost = {"from": "idc-hangzhou", "name": "api.example.com", "verdict": "no_route"}
    result = failing(tmp_path, steps=[{"title": "wrong", "expect": [wrong, unknown, lost]}])
    assert not result.passed
    assert [check.failures for check in result.steps[0].checks] == [
        ("resolves to 10.1.8.20, expected 10.9.9.9", "the response is NOERROR, expected NXDOMAIN"),
        ("there is no source vpc-nowhere",),
        ("it is reachable, expected no_route",),
    ]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"title": "x", "changes": ["fly away"]}, "is not a change; the changes are: bind"),
        ({"title": "x", "changes": ["bind apigateway-hz-1"]}, "write: bind INSTANCE VPC VSWITCH [ADDRESS]"),
        ({"title": "x", "changes": ["unbind apigateway-hz-1"]}, "rule 6"),
        ({"title": "x", "changes": ["cut vpn-1"], "refused": "no"}, "expected to be refused"),
        (
            {"title": "x", "changes": ["cut vpn-9"], "refused": "rule 4"},
            "expected to be refused with 'rule 4'",
        ),
    ],
)
def test_changes_that_fail_are_told_and_leave_the_world(tmp_path: Path, step: Any, said: str) -> None:
    result = failing(tmp_path, steps=[step])
    assert said in result.steps[0].failures[0]
    assert result.steps[0].after is result.steps[0].before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "a scenario is a mapping"),
        ("about: x", "configuration"),
        ("configuration: nowhere.yaml\nsteps: [{title: x}]", "there is no such file"),
        ("configuration: {}\nsteps: [{title: x, expcet: []}]", "steps[0]"),
        ("configuration: {vpcs: 1}\nsteps: [{title: x}]", "vpcs"),
        ("configuration: {}\nsteps: []", "steps"),
    ],
)
def test_a_broken_file_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_scenario(file)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_junit_counts_what_failed(tmp_path: Path) -> None:
    bad = {"title": "wrong <", "changes": ["cut vpn-9"], "expect": []}
    root = ET.fromstring(  # noqa: S314 - our own
        junit([result_of(REHEARSALS / "rebind.yaml"), failing(tmp_path, steps=[bad])])
    )
    assert [(suite.get("tests"), suite.get("failures")) for suite in root] == [("11", "0"), ("1", "1")]
    failure = root.find(".//failure")
    assert failure is not None
    assert "vpn-9" in (failure.get("message") or "")


class Page(HTMLParser):
    """What a browser would fetch, and whether what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("rect", "circle", "path")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_the_report_is_one_file(file: Path) -> None:
    text, page = report([result_of(file)]), Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert "url(" not in text
    assert text.count("<svg") == len(read_scenario(file).scenario.steps)


def test_the_report_escapes_what_comes_from_files(tmp_path: Path) -> None:
    result = failing(tmp_path, about="<script>alert(1)</script>", steps=[{"title": "<b>"}])
    text = report([result])
    assert "<script>" not in text
    assert "<b>" not in text.replace("<b class", "")


def test_a_drawing_of_a_large_world_shows_what_is_concerned() -> None:
    more = "".join(
        f"  - {{vpc_id: vpc-{number}, region_id: cn-beijing, cidr_blocks: [10.{number}.0.0/16]}}\n"
        for number in range(50, 150)
    )
    world = hybrid(CONFIGURATION.replace("\nnetworks:", f"\n{more}networks:"))
    source = source_of("idc", world)
    assert source is not None
    text = svg(world, [path(source, Name.from_text(DEDICATED_NAME), world)])
    assert "vpc-a" in text
    assert "vpn-1" in text
    assert "vpc-77" not in text
