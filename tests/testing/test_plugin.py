"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import EXAMPLE

pytest_plugins = ["pytester"]

TESTS = """
NAME = "523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com"
BOUND, OTHER = "vpc-bp11w979o2s9rcr962w25", "vpc-bp1xk2f7q0hd8s3m5tzc4"

def test_only_the_bound_vpc_resolves_it(vpcdns):
    vpcdns.assert_resolves(NAME, from_vpc=BOUND, to="10.1.8.20")
    vpcdns.assert_denied(NAME, from_vpc=OTHER)
    vpcdns.change({"change": "DisableVpcDomain", "group_id": NAME[:32]})
    vpcdns.add_fault("servfail")

def test_each_test_begins_afresh(vpcdns):
    assert vpcdns.queries() == []
    vpcdns.assert_resolves(NAME, from_vpc=BOUND)
"""


def test_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\nvpcdns_config = {EXAMPLE}\n")
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_a_configuration_of_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.fixture(scope='session')\n"
        "def vpcdns_config():\n"
        "    return {'vpcs': [{'vpc_id': 'vpc-1', 'region_id': 'cn-x', 'cidr_blocks': ['10.9.0.0/16']}]}\n"
    )
    pytester.makepyfile("def test_it(vpcdns):\n    assert vpcdns.world()['vpcs'][0]['vpc_id'] == 'vpc-1'\n")
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_example_of_the_documentation(pytester: pytest.Pytester) -> None:
    text = (EXAMPLE.parents[1] / "docs" / "testing.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    pytester.makeini("[pytest]\n")  # else the root is above, where anybody's pyproject.toml lies
    pytester.makefile(".yaml", vpcdns=EXAMPLE.read_text())
    pytester.makepyfile(block)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=4)
