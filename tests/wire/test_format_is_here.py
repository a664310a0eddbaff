"""Only `wire` knows how DNS messages lie in octets: the law of its `__init__`, checked in every other room.

Each rule below is one way to show that knowledge. An exception is a place that deals with something else,
and says with what; one that is no longer needed fails too. Other rooms may take a message apart at offsets
that `wire/format.py` names.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import vpcdns
from vpcdns.wire import format as fmt

SOURCE: Final = Path(vpcdns.__file__).parent
SIZES: Final = {fmt.HEADER_SIZE, fmt.MIN_UDP_PAYLOAD, fmt.MAX_UDP_PAYLOAD, fmt.MAX_QUERY, fmt.MAX_TCP_PAYLOAD}
POINTERS: Final = {fmt.POINTER, fmt.POINTER << 8, fmt.MAX_POINTER}
STRUCT: Final = {"pack", "pack_into", "unpack", "unpack_from", "iter_unpack", "calcsize"}
Rule = Callable[[ast.AST], Iterator[ast.AST]]


def is_octet(node: ast.AST) -> bool:
    """Whether this may read one octet: something at a place that is no text."""
    if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Slice | ast.Tuple):
        return False
    return not (isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str))


def bits_of_octets(tree: ast.AST) -> Iterator[ast.AST]:
    """An octet is shifted, or one of its bits is looked at."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.RShift | ast.BitAnd):
            yield from [node] if is_octet(node.left) or is_octet(node.right) else []


def numbers_in_octets(tree: ast.AST) -> Iterator[ast.AST]:
    """Octets become a number, or a number becomes octets."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="from_bytes" | "to_bytes"):
                yield node
            case ast.Call(func=ast.Attribute(attr=name)) if name in STRUCT:
                yield node
            case ast.Call(func=ast.Name(id="bytes"), args=[ast.Tuple() | ast.List() as made]) if any(
                isinstance(part, ast.Name) and part.id == "len" for part in ast.walk(made)
            ):
                yield node


def walks(tree: ast.AST) -> Iterator[ast.AST]:
    """Where octets are read depends on an octet read before, of the same: labels, lengths, pointers."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        read = [node for node in ast.walk(function) if isinstance(node, ast.Subscript)]
        for octets in {ast.unparse(node.value) for node in read} - {"dict", "list", "tuple", "type"}:
            names = _names_out_of(octets, function)
            for node in read:
                if ast.unparse(node.value) == octets and _is_out_of(octets, names, node.slice):
                    yield node


def _names_out_of(octets: str, function: ast.AST) -> set[str]:
    """The names whose values were made of single octets of these."""
    names: set[str] = set()
    while True:
        known = len(names)
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=targets, value=value):
                    pass
                case (
                    ast.AugAssign(target=target, value=value)
                    | ast.NamedExpr(target=target, value=value)
                    | ast.AnnAssign(target=target, value=ast.expr() as value)
                ):
                    targets = [target]
                case _:
                    continue
            if _is_out_of(octets, names, value):
                parts = [part for target in targets for part in ast.walk(target)]
                # What is stored to, as `x` in `x[i] = …` is not.
                names |= {
                    part.id
                    for part in parts
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                }
        if len(names) == known:
            return names


def _is_out_of(octets: str, names: set[str], value: ast.AST) -> bool:
    return any(
        part.id in names
        if isinstance(part, ast.Name)
        else isinstance(part, ast.Subscript) and is_octet(part) and ast.unparse(part.value) == octets
        for part in ast.walk(value)
    )


def numbers_as_offsets(tree: ast.AST) -> Iterator[ast.AST]:
    """A part of something is taken at an offset, or in a size, that is a number."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Slice):
            numbers = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            if any(isinstance(number, int) and number > 1 for number in numbers):
                yield node.lower or node.upper or node


def sizes_as_numbers(tree: ast.AST) -> Iterator[ast.AST]:
    """A number of `wire/format.py` once more."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in SIZES | POINTERS:
            yield node


def octets_as_literals(tree: ast.AST) -> Iterator[ast.AST]:
    """Octets that are no text."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=bytes() as octets) if not octets.decode("latin-1").isprintable():
                yield node


# By rule, the rooms and modules that break it, or their lines with a text, and what they deal with instead.
EXCEPTIONS: Final[dict[Rule, dict[str, str]]] = {
    bits_of_octets: {"net/recvmmsg.py": "flags of a struct msghdr"},
    numbers_in_octets: {
        "net/recvmmsg.py": "sockaddr_in and sockaddr_in6, as the kernel has them",
        "net/bind_errors.py": "addresses in /proc/net",
        "process/privileges.py": "capset(2)",
        "process/workers.py": "a struct timeval, and lengths of messages between our processes",
        "recall/views.py: IPv4Address(peer.to_bytes": "an IPv4 address as the kernel has it",
        "state/sqlite_file.py": "the header of an SQLite file",
    },
    walks: {},
    numbers_as_offsets: {
        "config/": "paths in a configuration, and texts",
        "control/": "texts of requests",
        "doctor/": "lists for people",
        "importing/": "paths in a configuration, texts and hashes",
        "rehearsal/": "texts for people",
        "model/clients.py": "a list for people",
        "model/dns.py": "TYPE65280 as a text",
        "model/gateway.py": "the parts of a VPC domain's label",
        "model/resolution.py": "texts, cut to what a TXT record's string may have",
        "model/topology.py": "keys",
        "net/": "the kernel's structures, and /proc/net",
        "forward/attempt.py: getsockname()[:2]": "host and port of a socket's address",
        "observe/query_counts.py: key = ": "a key",
        "server/pending.py: *origin[:2]": "a tuple",
        "state/sqlite_file.py": "the header of an SQLite file",
    },
    sizes_as_numbers: {
        "config/read.py": "MiB",
        "config/values.py": "the highest port",
        "control/openapi/vpc_accesses.py: MAX_PORT": "the highest port",
        "doctor/server_checks.py": "what musl takes, which is a finding for people",
        "lab/": "mount(2), and reads of as much as comes",
        "model/dns.py": "the number of a type",
        "net/recvmmsg.py": "a word of a struct msghdr",
        "observe/query_counts.py": "a histogram's bounds",
        "observe/recent_decisions.py": "a bound on texts",
        "recall/: _AT_MOST": "how many octets, answers and routes are remembered",
        "recall/vpc_answers.py: MAX_SHAPES": "how many answers are remembered",
        "rehearsal/drawing.py": "pixels",
        "server/faults.py": "a number of slots",
    },
    octets_as_literals: {
        "lab/": "lines, and the command line in /proc",
        "observe/querylog.py": "lines",
        "state/": "the header of an SQLite file; what stands between the parts of a digest",
    },
}


def found(rule: Rule) -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE)
        if where.parts[0] != "wire":
            text = path.read_text()
            for node in rule(ast.parse(text)):
                at = getattr(node, "lineno", 0)
                yield f"{where}:{at}: {text.splitlines()[at - 1].strip()}"


def is_at(line: str, place: str) -> bool:
    where, _, text = place.partition(": ")
    return line.startswith(where) and text in line


@pytest.mark.parametrize("rule", EXCEPTIONS)
def test_no_other_room_knows_the_wire_format(rule: Rule) -> None:
    lines, exceptions = list(found(rule)), EXCEPTIONS[rule]
    assert not [line for line in lines if not any(is_at(line, place) for place in exceptions)]
    assert not [place for place in exceptions if not any(is_at(line, place) for line in lines)]


LABEL_WALKERS = (
    """
def find(query, routes):
    end = 10
    while query[end]:
        end += 1 + query[end]
        if query[end:] in routes:
            return routes[query[end:]]
""",
    """
def labels(message, at):
    while (length := message[at]) != 0:
        start = at + 1
        at = start + length
        yield message[start:at]
""",
    """
def suffix(query, size):
    first, *_ = query[NAME_AT], 0
    return query[NAME_AT + 1 + first : size]
""",
    """
async def frames(self):
    size: int = self.octets[0]
    return self.octets[1 : 1 + size]
""",
)


@pytest.mark.parametrize("walker", LABEL_WALKERS)
def test_a_label_walker_would_be_found(walker: str) -> None:
    assert list(walks(ast.parse(walker)))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (bits_of_octets, "target = m[at + 1] << 8 | m[at + 2]"),
        (bits_of_octets, "is_response = message[FLAGS_AT] & 0x80"),
        (numbers_in_octets, "identity = int.from_bytes(octets[:ID_SIZE])"),
        (numbers_in_octets, "length = len(message).to_bytes(LENGTH_SIZE, 'big')"),
        (numbers_in_octets, "fields = HEADER.unpack_from(octets)"),
        (numbers_in_octets, "name = bytes((len(label),)) + label"),
        (numbers_as_offsets, "query[10:]"),
        (numbers_as_offsets, "query[2:]"),
        (numbers_as_offsets, "octets[end - 4 : end]"),
        (sizes_as_numbers, "_LONGEST: Final = 0xFFFF"),
        (sizes_as_numbers, "len(message) < 12"),
        (octets_as_literals, "x = b'\\xc0\\x0c'"),
    ],
)
def test_what_else_would_be_found(rule: Rule, fault: str) -> None:
    assert list(rule(ast.parse(fault)))
