# dnslib 0.9.26, as much of it as vpcdns.wire calls.

from collections.abc import Sequence

class DNSLabel:
    label: tuple[bytes, ...]
    def __init__(self, label: Sequence[bytes]) -> None: ...

class DNSBuffer:
    data: bytearray
    offset: int
    names: dict[tuple[bytes, ...], int]
    def __init__(self, data: bytes = ...) -> None: ...
    def append(self, s: bytes) -> None: ...
    def get(self, length: int) -> bytes: ...
    def unpack(self, fmt: str) -> tuple[int, ...]: ...
    def pack(self, fmt: str, *args: int) -> None: ...
    def decode_name(self, last: int = ...) -> DNSLabel: ...
    def encode_name(self, name: DNSLabel) -> None: ...

class DNSHeader:
    bitmap: int
    q: int
    a: int
    auth: int
    ar: int
    def __init__(self, id_: int, bitmap: int, /) -> None: ...
    def pack(self, buffer: DNSBuffer) -> None: ...

class DNSQuestion:
    qname: DNSLabel
    qtype: int
    qclass: int
    def __init__(self, qname: DNSLabel, qtype: int, qclass: int) -> None: ...
    @classmethod
    def parse(cls, buffer: DNSBuffer) -> DNSQuestion: ...
    def pack(self, buffer: DNSBuffer) -> None: ...

class RD:
    def __init__(self, data: bytes) -> None: ...

class A(RD):
    def __init__(self, data: tuple[int, ...]) -> None: ...

class AAAA(RD):
    def __init__(self, data: tuple[int, ...]) -> None: ...

class CNAME(RD):
    def __init__(self, label: DNSLabel) -> None: ...

class SOA(RD):
    def __init__(self, mname: DNSLabel, rname: DNSLabel, times: tuple[int, int, int, int, int]) -> None: ...

class TXT(RD):
    def __init__(self, data: tuple[bytes, ...]) -> None: ...

class RR:
    def __init__(self, rname: DNSLabel, rtype: int, rclass: int, ttl: int, rdata: RD) -> None: ...
    def pack(self, buffer: DNSBuffer) -> None: ...

class EDNSOption:
    def __init__(self, code: int, data: bytes) -> None: ...

class EDNS0(RR):
    def __init__(
        self,
        *,
        ext_rcode: int = ...,
        flags: str = ...,
        udp_len: int = ...,
        opts: list[EDNSOption] | None = ...,
    ) -> None: ...

class DNSRecord:
    header: DNSHeader
    questions: list[DNSQuestion]
    rr: list[RR]
    auth: list[RR]
    def __init__(
        self,
        header: DNSHeader,
        questions: list[DNSQuestion],
        rr: list[RR],
        *,
        auth: list[RR],
    ) -> None: ...
