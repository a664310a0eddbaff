"""Values of records as the cloud's PrivateZone takes them -> as zone files have them.

Names are absolute without a final dot, a TXT value is plain text, and an MX value has its priority beside it.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.config.values import host_name
from vpcdns.model.dns import rdata_text

MAX_TEXT: Final = 255  # octets of a TXT value


def zone_file_text(kind: str, value: str, priority: int) -> str:
    """A value as zone files have it; raises ValueError with what is wrong."""
    match kind:
        case "A":
            return str(IPv4Address(value))
        case "AAAA":
            return str(IPv6Address(value))
        case "TXT":
            octets = value.encode()
            if len(octets) > MAX_TEXT:
                raise ValueError(f"a TXT value has at most {MAX_TEXT} octets")
            return value if value.startswith('"') else rdata_text((octets,))
        case "CNAME" | "PTR":
            return _host(value)
        case "MX":
            return f"{priority} {_host(value)}"
        case "SRV":
            *numbers, target = value.split(" ")
            if len(numbers) != 3 or not all(number.isascii() and number.isdecimal() for number in numbers):
                raise ValueError("write priority, weight, port and target, with a space between them")
            return f"{' '.join(numbers)} {_host(target)}"
        case _:
            return value


def _host(text: str) -> str:
    """A host's name as an absolute one."""
    name = host_name(text)
    if name.labels[-1].isdigit():
        raise ValueError(f"`{text}` is no host's name; an address belongs into an A record")
    return f"{name}."
