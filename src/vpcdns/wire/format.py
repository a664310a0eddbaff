"""The numbers of the wire format that are used in several places: sizes, offsets, flags and option codes.

Whoever has to look at octets without a call (the hot path) imports them from here.
"""

import struct
from typing import Final

HEADER: Final = struct.Struct("!6H")  # RFC 1035 §4.1.1: id, flags, and four counts
HEADER_SIZE: Final = HEADER.size  # where the question begins
ID_SIZE: Final = 2
LENGTH_SIZE: Final = 2  # RFC 1035 §4.2.2: over TCP, before each message
# In a message without its id, which is how queries are looked up:
NAME_AT: Final = HEADER_SIZE - ID_SIZE  # behind flags and counts
TYPE_AND_CLASS_SIZE: Final = 4  # what follows the name in a question (RFC 1035 §4.1.2)

QR: Final = 0x8000
OPCODE: Final = 0x7800
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
RA: Final = 0x0080
AD: Final = 0x0020
CD: Final = 0x0010
DO: Final = 0x8000  # in the OPT record's flags (RFC 3225)

RECORD_HEAD: Final = struct.Struct("!HHIH")  # RFC 1035 §3.2.1: behind the owner name
OPT_SIZE: Final = 1 + RECORD_HEAD.size  # of an OPT record without options: its owner is the root
TTL_OFFSET: Final = 4  # in a record's head
TYPE: Final = struct.Struct("!H")
TTL: Final = struct.Struct("!I")
POINTER: Final = 0xC0  # RFC 1035 §4.1.4: the least first octet of a compression pointer
POINTER_SIZE: Final = 2
MAX_POINTER: Final = 0x3FFF
POINTER_TO_QUESTION: Final = b"\xc0\x0c"

MIN_UDP_PAYLOAD: Final = 512  # RFC 6891 §6.2.3: less counts as this
MAX_UDP_PAYLOAD: Final = 1232  # flag day 2020, RFC 9715: passes every path unfragmented; we advertise it too
MAX_TCP_PAYLOAD: Final = 65535
# What a query may cost to parse (security.md §3); also the largest size that resolvers ever announced.
MAX_QUERY: Final = 4_096

OPTION_NSID: Final = 3  # RFC 5001
OPTION_CLIENT_SUBNET: Final = 8  # RFC 7871
OPTION_COOKIE: Final = 10  # RFC 7873
OPTION_KEEPALIVE: Final = 11  # RFC 7828
OPTION_EXTENDED_ERROR: Final = 15  # RFC 8914
INFO_CODE_SIZE: Final = 2  # what its data begin with; the rest is text
