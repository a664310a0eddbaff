"""What a million groups need: read one by one, understood as the schema understands them, in linear work."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vpcdns.cli.output import reading
from vpcdns.config import document, json_stream, loads, schema
from vpcdns.config.build_gateway import GatewayBuilder
from vpcdns.config.groups import GroupReader, group_of
from vpcdns.config.json_stream import WINDOW
from vpcdns.config.mistakes import Mistakes
from vpcdns.errors import ConfigurationError, MalformedName
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.gateway_rules import custom_domain_refusals
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.topology import Topology

SUFFIX = Name.from_text("alicloudapi.com")
HEAD: dict[str, Any] = {
    "instances": [{"instance_id": "s", "type": "serverless", "region_id": "r", "addresses": ["100.64.0.1"]}]
}
LABELS = st.sampled_from(
    [
        "a",
        "B",
        "*",
        "-a",
        "x_1",
        "a" * 63,
        "a" * 64,
        "",
        "é",
        "alicloudapi",
        "com",
        "x-vpc",
        "vpcdns",
        "internal",
    ]
)
TEXTS = st.one_of(
    st.lists(LABELS, max_size=6).map(".".join), st.sampled_from(["a.b\n", "a\\.b", ".", "a..b"])
)
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(0, 3), st.just([]), st.just({}))
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "group_id": st.one_of(st.sampled_from(["0" * 32, "0" * 31, "A" * 32, "0" * 32 + "\n"]), VALUES),
        "name": st.one_of(st.sampled_from(["weather", "a\tb", "\ud800", "é", "x" * 256, "\x85"]), VALUES),
        "instance_id": st.one_of(st.sampled_from(["s", "s-", "x" * 129]), VALUES),
        "region_id": st.one_of(st.sampled_from(["r", "R", "r" * 27]), VALUES),
        "vpc_domain": VALUES,
        "custom_domains": st.one_of(st.lists(VALUES, max_size=2), VALUES),
        "more": VALUES,
    },
)


def text_of(groups: list[dict[str, Any]]) -> str:
    return json.dumps(HEAD | {"groups": groups})


def group(number: int) -> dict[str, Any]:
    return {"group_id": f"{number:032x}", "instance_id": "s", "name": f"é {number}", "vpc_domain": True}


@given(st.lists(ITEMS, max_size=3))
def test_a_group_is_what_the_schema_takes_it_for(items: list[dict[str, Any]]) -> None:
    reader = GroupReader()
    expected = []
    for item in items:
        reader.take(item)
        try:
            expected.append(group_of(schema.GroupPart.model_validate(item)))
        except ValidationError:
            assert reader.found_invalid
    assert reader.groups == expected
    assert [one.custom_domains for one in reader.groups] == [one.custom_domains for one in expected]


def test_a_usual_host_name_is_read_as_one() -> None:
    assert Name.of_host("api.example.com") == Name.from_text("api.example.com")


@given(TEXTS)
def test_a_host_name_is_the_name_that_its_text_is(text: str) -> None:
    name = Name.of_host(text)
    if name is not None:
        plain = Name.from_text(text)
        assert (name.labels, name.folded, hash(name)) == (plain.labels, plain.folded, hash(plain))


@given(st.lists(st.lists(LABELS, min_size=1, max_size=5).map(".".join), max_size=8))
def test_custom_domains_like_good_ones_are_good(texts: list[str]) -> None:
    """The rules are not asked about each of them: what is wrong is found all the same."""
    mistakes = Mistakes()
    gateway = GatewayBuilder(Topology(), SUFFIX, mistakes)
    instance = Instance("i", "r", InstanceType.DEDICATED)
    gateway.instances[instance.key] = instance
    names = []
    for text in texts:
        with suppress(MalformedName):
            names.append(Name.from_text(text))
    gateway.add_groups(Group(f"{n:032x}", "i", "r", custom_domains=(name,)) for n, name in enumerate(names))
    wrong = {n for n, name in enumerate(names) if name in names[:n]}
    wrong |= {n for n, name in enumerate(names) if list(custom_domain_refusals(name, "it", SUFFIX, None))}
    assert {mistake.path[1] for mistake in mistakes} == wrong


@given(st.sets(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)))
def test_custom_domains_at_once_are_those_one_by_one(texts: set[str]) -> None:
    one_by_one: NameTree[str] = NameTree()
    for text in texts:
        one_by_one = one_by_one.put(Name.from_text(text), "g")
    assert NameTree.of((Name.from_text(text), "g") for text in texts) == one_by_one


@given(
    st.recursive(
        VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=9
    ),
    st.sampled_from([None, 1]),
    st.integers(1, 9),
)
def test_streamed_text_is_what_it_is_as_a_whole(value: object, indent: int | None, window: int) -> None:
    """Whatever the window is: what is read by and by is what is read at once, or it is not read at all."""
    text = json.dumps(
        {"groups": [{"a": value}, [value]], "vpcs": [{}, {"b": value}], "server": {"c": value}}, indent=indent
    )
    for octets in (
        text.encode(),
        json.dumps({"x": value}).encode(),
        text.encode()[:-window],
        text.encode() + b"{",
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_stream, "WINDOW", window)
            groups: list[object] = []
            try:
                rest = json_stream.read(octets, {"groups": groups.append})
            except ValueError:
                continue
        whole = document.read(octets.decode())
        assert not whole.mistakes
        assert whole.value == (rest | {"groups": groups} if groups else rest)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": [], "a": []}', "given twice"),
        ('{"groups": [], "groups": []}', "given twice"),
        ('{"a": {"b": 1, "b": 2}}', "given twice"),
        ('{"a": [1]}', "another shape"),
        ('{"a": {"b": NaN}}', "NaN"),
        ('{"a": {"\\ud800": 1}}', "surrogate"),
        ('{"a": {}} {', "behind the end"),
        ("{}", "another shape"),
        ("a: {}", "another shape"),
        ("", "another shape"),
    ],
)
def test_what_is_unusual_is_left_to_the_whole(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        json_stream.read(text.encode(), {"groups": lambda _: None})


def test_a_file_of_many_windows() -> None:
    count = 3 * WINDOW // 100
    world = loads(text_of([group(number) for number in range(count)])).world
    assert len(world.groups) == count
    one = world.groups[f"{5:032x}"]
    assert (one.name, one.region_id, one.instance_id) == ("é 5", "r", "s")
    assert one.instance_id is world.groups[f"{count - 1:032x}"].instance_id
    assert world == loads(text_of([group(number) for number in range(count)])).world


def calls(work: Callable[[], object]) -> int:
    """How many Python functions are called: what the work is, on however slow a machine."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("dump", [json.dumps, lambda value: "# YAML\n" + json.dumps(value)])
def test_ten_times_the_groups_are_ten_times_the_work(dump: Callable[[object], str]) -> None:
    texts = [dump(HEAD | {"groups": [group(number) for number in range(count)]}) for count in (300, 3_000)]
    few, many = (calls(lambda text=text: loads(text)) for text in texts)  # type: ignore[misc]
    assert many < 10.5 * few


def test_one_change_of_many_copies_no_more_than_of_few() -> None:
    """A change of 100,000 objects may cost some times as much as one of 1,000, not a hundred times."""

    def cost(count: int) -> float:
        version = FrozenMap((f"{number}", number) for number in range(count))
        best = float("inf")
        for _ in range(5):
            started = time.process_time()
            for number in range(300):
                version = version.set(f"{number}", -1)
            best = min(best, time.process_time() - started)
        return best

    assert cost(100_000) < 20 * cost(1_000)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_hears_of_what_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, terminal = [0.0], Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with reading(tmp_path, lambda: now[0]) as tell:
        tell(1_000)
        assert terminal.getvalue() == ""
        now[0] = 1.1
        tell(240_000)
        tell(241_000)
    assert terminal.getvalue() == f"\r\x1b[KReading {tmp_path}: 240,000 groups\r\x1b[K"


@pytest.mark.parametrize("pipe", [io.StringIO(), None])
def test_a_pipe_hears_nothing(
    pipe: io.StringIO | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", pipe)
    with reading(tmp_path, iter((0.0, 2.0, 2.0)).__next__) as tell:
        tell(1_000)
    assert pipe is None or pipe.getvalue() == ""


def test_custom_domains_of_one_group_cost_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in names that are compared: four times the domains are at most four times the comparisons."""
    compared, equal = 0, Name.__eq__

    def counting(self: Name, other: object) -> bool:
        nonlocal compared
        compared += 1
        return equal(self, other)

    monkeypatch.setattr(Name, "__eq__", counting)
    costs = []
    for count in (500, 2_000):
        before = compared
        domains = "".join(f"\n    - d{number}.example.com" for number in range(count))
        loads(with_one_group(f"\n    custom_domains:{domains}"))
        costs.append(compared - before)
    assert costs[1] <= 4 * costs[0] + 100


def test_a_custom_domain_that_one_group_names_twice_is_refused() -> None:
    for domains in ("[a.example.com, a.example.com]", "[b.example.com, a.example.com, B.example.com]"):
        with pytest.raises(ConfigurationError, match="it is there twice"):
            loads(with_one_group(f"\n    custom_domains: {domains}"))


def with_one_group(more: str) -> str:
    return (
        "vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],"
        " vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]}]\n"
        "instances: [{instance_id: i-1, type: dedicated, region_id: cn-hangzhou,"
        " binding: {vpc_id: vpc-a, vswitch_id: vsw-a}}]\n"
        f"groups:\n  - group_id: '{1:032x}'\n    instance_id: i-1{more}\n"
    )
