"""What is said about zone files that are wrong: where it is, what it is, and the way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vpcdns.config import loads
from vpcdns.errors import ConfigurationError

CONFIG = """vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]
private_zones: [{zone: corp.test, vpcs: [vpc-a], file: z.zone}]
"""
TTL = "$TTL 60\n"


def said(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loads(CONFIG, "c.yaml", folder=folder)
    return [str(problem).replace(f"{folder}/", "") for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h A 10.0.0\n", "2:5: `10.0.0` cannot stand there"),
        ("h MX mail\n", "2:6: `mail` is no number"),
        ("h A\n", "2:3: the line ends too early"),
        ("h\n", "2:1: the line ends too early"),
        ("h A 10.0.0.1 10.0.0.2\n", "2:14: `10.0.0.2` is one too many"),
        ("h FOO bar\n", "2:3: `FOO` is neither a record type nor a TTL"),
        ("h CH A 10.0.0.1\n", "2:3: `CH` is no class of a private zone: they are IN"),
        ("h 2147483648 A 10.0.0.1\n", "2:1: A record h.corp.test of private zone corp.test: a TTL of"),
        ("$TTL 4294967296\nh A 10.0.0.1\n", "2:6: `4294967296` is no TTL: 0 to 2147483647 seconds"),
        ("$TTL x\n" + "h A 10.0.0.1\n" * 9, "2:6: `x` is no TTL"),
        ("$INCLUDE /etc/passwd\n", "2:1: `$INCLUDE` is not allowed: put the records here"),
        ("$FOO\n", "2:1: there is no such directive: $ORIGIN, $TTL and $GENERATE are read"),
        ("$ORIGIN a.org.\nh A 10.0.0.1\n", "3:1: A record h.a.org of private zone corp.test: it lies"),
        ("$GENERATE 1-x h$ A 10.0.0.$\n", "2:11: `1-x` cannot stand there"),
        ("$GENERATE 1-2147483647 h$ A 10.0.0.1\n", "2:29: `10.0.0.1`: more than 65536 records by $GENERATE"),
        (
            "$GENERATE 1-60000 h$ A 10.0.0.1\n$GENERATE 1-9000 k$ A 10.0.0.1\nm A 10.0.0.1\n",
            "3:23: `10.0.0.1`: more than 65536 records by $GENERATE",
        ),
        ("h TXT ( a\nk A 10.0.0.1\n", "3:5: a parenthesis or a quote is not closed"),
        ('h TXT "a\nk A 10.0.0.1\n', "2:7: a quote is not closed in its line"),
        ("h A 10.0.0.1\nh CNAME x\n", "3:1: CNAME record h.corp.test of private zone corp.test: a name"),
        ("a CNAME b\nb CNAME a\n", "2:1: CNAME records go round: a.corp.test → b.corp.test → a.corp.test"),
        ("h TYPE65280 \\# 3 0a00\n", "2:18: generic rdata hex data has wrong length"),
        ("a..b A 10.0.0.1\n", "2:1: `a..b`: A DNS label is empty"),
        ("; nothing\n", "1:1: it has no records; write some, or leave `file` out"),
        ("h DNAME x.\n", "2:1: DNAME record h.corp.test of private zone corp.test: DNAME is not supported"),
        ("h NS x.\n", "2:1: NS record h.corp.test of private zone corp.test: NS stands at"),
    ],
)  # fmt: skip
def test_a_line_that_is_wrong(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "z.zone").write_text(TTL + text)
    found = said(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"z.zone:{expected}")


def test_a_file_without_ttls(tmp_path: Path) -> None:
    (tmp_path / "z.zone").write_text("h A 10.0.0.1\n")
    assert said(tmp_path)[0].startswith("z.zone:1:5: it has no TTL: write one, or `$TTL 60` at the top")


@pytest.mark.parametrize(("octets", "place"), [(b"$TTL 60\nh TXT \xe9\n", "2:7"), (b"\xff\xfeh\0", "1:1")])
def test_what_is_no_text(tmp_path: Path, octets: bytes, place: str) -> None:
    (tmp_path / "z.zone").write_bytes(octets)
    (found,) = said(tmp_path)
    assert found.startswith(f"z.zone:{place}: octet 0x")
    assert found.endswith(r"save it as UTF-8; write other octets as \DDD")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: None, "there is no such file"),
        (lambda file: file.symlink_to("gone"), "there is no such file"),
        (lambda file: file.mkdir(), "it is a directory"),
        (os.mkfifo, "it is no regular file"),
        (lambda file: file.symlink_to("/dev/zero"), "it is no regular file"),
    ],
)
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], object], reason: str) -> None:
    """At once, even a pipe that nobody writes to; the place is that of `file`."""
    make(tmp_path / "z.zone")
    (found,) = said(tmp_path)
    assert found.startswith(f"c.yaml:2:56: private_zones[0].file: z.zone cannot be read: {reason}")
