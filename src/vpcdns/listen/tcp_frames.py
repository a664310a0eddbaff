"""Messages in a TCP stream: each with its length, two octets, before it (RFC 1035 §4.2.2)."""

from typing import Final

# A DNS header (RFC 1035 §4.1.1), and what a query may cost to parse (security.md §3).
SHORTEST: Final = 12
LONGEST: Final = 4_096
LONGEST_RESPONSE: Final = 0xFFFF


def complete(octets: bytes) -> int:
    """How many complete messages `octets` begin with."""
    at, count, size = 0, 0, len(octets)
    while at + 2 <= size:
        at += 2 + (octets[at] << 8 | octets[at + 1])
        count += 1
    return count if at <= size else count - 1
