import pytest

from tests.support.example_world import DEDICATED, HZ
from vpcdns.model.gateway import Group, Instance, InstanceType, group_of_label
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name


def owned(*texts: str) -> NameTree[str]:
    return NameTree.of((Name.from_text(text), text) for text in texts)


def test_keys_and_labels() -> None:
    instance = Instance("api-1", HZ, InstanceType.DEDICATED)
    group = Group(DEDICATED, "api-1", HZ)
    assert instance.key == group.instance_key == (HZ, "api-1")
    assert group.vpc_domain_label == f"{DEDICATED}-{HZ}-vpc".encode()
    assert group_of_label(group.vpc_domain_label) == (DEDICATED, HZ)


@pytest.mark.parametrize(
    "label",
    [
        b"",
        b"-vpc",
        b"d" * 32 + b"-vpc",
        b"d" * 32 + b"--vpc",
        b"d" * 31 + b"-cn-hangzhou-vpc",
        b"d" * 33 + b"-cn-hangzhou-vpc",
        b"g" * 32 + b"-cn-hangzhou-vpc",
        b"D" * 32 + b"-cn-hangzhou-vpc",  # labels come folded
        b"d" * 32 + b"_cn-hangzhou-vpc",
        b"d" * 32 + b"-cn-hangzhou-vpx",
        b"d" * 32 + b"-cn-\xff-vpc",
    ],
)
def test_labels_of_no_group(label: bytes) -> None:
    assert group_of_label(label) is None


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        # RFC 4592 §2.2.1, with our names: what exists, or lies under something that does, is not synthesised.
        ("host3.example", "*.example"),
        ("host1.example", "host1.example"),
        ("HOST1.Example", "host1.example"),
        ("foo.bar.example", "*.example"),
        ("*.example", "*.example"),
        ("sub.host1.example", None),
        ("_ssh._tcp.host2.example", "_ssh._tcp.host2.example"),
        ("host2.example", None),  # an empty non-terminal exists
        ("_tcp.host2.example", None),
        ("x._tcp.host2.example", None),
        ("a.*.example", None),
        ("example", None),
        ("other", None),
        ("deep.in.sub.example", "*.in.sub.example"),
        ("in.sub.example", None),
        ("other.sub.example", None),
    ],
)
def test_wildcards(asked: str, source: str | None) -> None:
    domains = owned("*.example", "host1.example", "_ssh._tcp.host2.example", "*.in.sub.example")
    match = domains.match(Name.from_text(asked))
    assert (None if match is None else match[1]) == source


def test_the_longest_name_asks_for_a_wildcard_that_is_no_longer() -> None:
    encloser = Name((b"x" * 63,) * 3 + (b"y" * 59,))
    domains = NameTree.of([(encloser, "group")])
    assert encloser.size == 253
    asked = Name((b"a", *encloser.labels))
    assert domains.match(asked) is None
    wildcard = Name((b"*", *encloser.labels))
    assert domains.put(wildcard, "all").match(asked) == (wildcard, "all")
    assert domains.match(encloser) == (encloser, "group")


def test_adding_and_removing_keep_the_count_of_names_below() -> None:
    start = owned("a.b.example")
    added = start.put(Name.from_text("c.b.example"), "c")
    assert added.nodes[Name.from_text("b.example")] == 2
    assert added.remove(Name.from_text("C.B.example")) == start
    assert not added.remove(Name.from_text("c.b.example")).remove(Name.from_text("a.b.example")).nodes
    with pytest.raises(KeyError):
        start.remove(Name.from_text("b.example"))
