"""What stands before the rest of a message: its id, and over TCP its length (RFC 1035 §4.1.1, §4.2.2)."""

from vpcdns.wire.format import ID_SIZE, LENGTH_SIZE


def with_id(identity: int, message: bytes) -> bytes:
    """The message with that id; `message` is without one."""
    return identity.to_bytes(ID_SIZE, "big") + message


def id_of(message: bytes) -> int:
    return int.from_bytes(message[:ID_SIZE], "big")


def length_prefix(length: int) -> bytes:
    """What is sent over TCP before a message of so many octets, at most MAX_TCP_PAYLOAD."""
    return length.to_bytes(LENGTH_SIZE, "big")


def length_at(octets: bytes, at: int) -> int:
    """The length that stands there."""
    return octets[at] << 8 | octets[at + 1]


def count_complete(octets: bytes) -> int:
    """How many complete messages `octets` begin with, each after its length."""
    at, count, size = 0, 0, len(octets)
    while at + LENGTH_SIZE <= size:
        at += LENGTH_SIZE + (octets[at] << 8 | octets[at + 1])
        count += 1
    return count if at <= size else count - 1
