"""Text of the configuration -> addresses, prefixes, endpoints, names; each with what an editor may check.

Knows how such text is written and what people get wrong; raises errors that pydantic collects, each with the
way out. Never changes a value silently: what may be meant otherwise is refused.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from vpcdns.config.mistakes import cut, mistyped
from vpcdns.errors import MalformedName
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.model.policy import Listen, Upstream, UpstreamName
from vpcdns.model.topology import Address, Prefix

DNS_PORT: Final = 53
REFUSED: Final = "vpcdns"  # the error type that carries our own `what` and `way_out`

_HOST_LABEL: Final = re.compile(rb"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")


def refused(what: str, way_out: str) -> PydanticCustomError:
    return PydanticCustomError(REFUSED, "refused", {"what": what, "way_out": way_out})


def text_of(value: object, expected: str) -> str:
    if not isinstance(value, str):
        raise refused(*mistyped(expected, value, "write it as text, in quotes when it holds a colon"))
    return value


def address(value: object, *, zone: bool = False) -> Address:
    """One address; refuses text that could mislead.

    `zone` says whether `%eth0` may stand behind a link-local one (RFC 4007 §11).
    """
    text = text_of(value, "an address")
    try:
        read = ip_address(text)
    except ValueError:
        raise refused(f"`{cut(text)}` is not an address", _address_way_out(text)) from None
    if isinstance(read, IPv6Address):
        if read.scope_id is not None and not (zone and read.is_link_local):
            raise refused(f"`{cut(text)}` has a zone", "take an address that means the same on any interface")
        if read.ipv4_mapped is not None:
            raise refused(f"`{text}` is an IPv4-mapped IPv6 address", f"write {read.ipv4_mapped}")
    return read


def _address_way_out(text: str) -> str:
    if "/" in text:
        return "write one address, without a prefix length"
    if re.search("[A-Za-z]", text) and ":" not in text:
        return "write an IP address: host names are not looked up here"
    return "write one such as 10.1.8.20"


def ipv4_address(value: object) -> IPv4Address:
    read = address(value)
    if isinstance(read, IPv4Address):
        return read
    raise refused(f"{read} is an IPv6 address", "write an IPv4 address: VPCs here have no others")


def prefix(value: object) -> Prefix:
    """A prefix without host bits, e.g. 10.1.0.0/16 or fd00::/8."""
    text = text_of(value, "a prefix such as 10.1.0.0/16")
    host, slash, length = text.partition("/")
    base = address(host)
    if not slash:
        raise refused(f"`{cut(text)}` is an address, not a prefix", f"write {text}/{base.max_prefixlen}")
    if not (length.isascii() and length.isdigit()) or len(length) > 3 or int(length) > base.max_prefixlen:
        what = f"`{cut(length)}` is not a prefix length" if length else "the prefix length is missing"
        raise refused(what, f"write 0 to {base.max_prefixlen} behind the slash")
    network = ip_network(f"{base}/{int(length)}", strict=False)
    if network.network_address != base:
        what = f"{base}/{length} has bits set behind the prefix"
        raise refused(what, f"write {network}, or {base}/{base.max_prefixlen} for the one address")
    return network


def ipv4_prefix(value: object) -> IPv4Network:
    read = prefix(value)
    if isinstance(read, IPv6Network):
        raise refused(f"{read} is IPv6", "write an IPv4 block: VPCs here have no others")
    return read


def endpoint(value: object, *, zone: bool = False) -> tuple[Address, int]:
    """`address`, `address:port` or `[address]:port`; the port is 53 unless given."""
    text = text_of(value, 'an address and a port such as "127.0.0.1:5300"')
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise refused(f"`{cut(text)}` has a bracket too few or too many", "write it like [::1]:5300")
        if ":" not in host:
            raise refused(f"`{cut(text)}` has brackets around what is not IPv6", f"write {cut(host + rest)}")
        return address(host, zone=zone), _port(rest[1:]) if rest else DNS_PORT
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        if not host:
            raise refused(f"`{cut(text)}` names no address", f"write 0.0.0.0{cut(text)} for all of them")
        return address(host, zone=zone), _port(port)
    return address(text, zone=zone), DNS_PORT


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65535:
        raise refused(f"`{cut(text)}` is not a port", "write 1 to 65535 behind the colon")
    return int(text)


def listen(value: object) -> Listen:
    """Where to listen; port 0 lets the system choose one."""
    return Listen(*endpoint(value))


def admin_listen(value: object) -> Listen | Path:
    """An address and a port, or the absolute path of a UNIX socket."""
    if isinstance(value, str) and "/" in value and not value.startswith("/"):
        raise refused(f"`{cut(value)}` is a relative path", "write an absolute one: /run/vpcdns/admin.sock")
    if not (isinstance(value, str) and value.startswith("/")):
        return listen(value)
    if len(value.encode()) > MAX_SOCKET_PATH:
        raise refused(f"`{cut(value)}` is longer than {MAX_SOCKET_PATH} octets", "take a shorter path")
    return Path(value)


def upstream(value: object) -> Upstream | UpstreamName:
    """An upstream: by its address, or by its host name (`dns.corp`, `unbound:53`)."""
    named = _upstream_name(value)
    if named is not None:
        if named.port == 0:
            raise refused("nobody answers on port 0", "write the upstream's port, or none for 53")
        return named
    host, port = endpoint(value, zone=True)
    if port == 0:
        raise refused("nobody answers on port 0", "write the upstream's port, or none for 53")
    if host.is_unspecified or host.is_multicast:
        raise refused(f"{host} is not the address of one host", "write the upstream's address")
    return Upstream(host, port)


def _upstream_name(value: object) -> UpstreamName | None:
    """None for what is no host name, or looks like an IPv4 address."""
    host, colon, port = value.partition(":") if isinstance(value, str) else ("", "", "")
    host = host.removesuffix(".")
    labels = host.encode("ascii", "replace").split(b".")
    # A host's last label is no number (RFC 1123 §2.1): 10.0.0.300 is a mistyped address.
    if not host or labels[-1].isdigit() or ":" in port or "[" in host:
        return None
    if not all(map(_HOST_LABEL.fullmatch, labels)):
        if "%" in host or "/" in host:  # meant as an address
            return None
        raise refused(f"`{cut(host)}` is no host name", "write one such as dns.corp, or an address")
    if len(host) > MAX_NAME - 2 or max(map(len, labels)) > MAX_LABEL:
        raise refused(f"`{cut(host)}` is longer than a host name can be", "write an address")
    return UpstreamName(host.lower(), _port(port) if colon else DNS_PORT)


def off(value: object) -> Literal[False]:
    """`false`, where a mapping could stand as well."""
    if value is not False:
        raise refused(*mistyped("false or a mapping", value, "write false, or a mapping"))
    return False


def path_or_mapping(value: object) -> str | dict[str, Any]:
    """A file's path, or what would be in the file."""
    if isinstance(value, str) and value and "\0" not in value:
        return value
    if isinstance(value, dict):
        return value
    raise refused(*mistyped("a file's path or a mapping", value, "write a path, or the keys themselves"))


def domain(value: object) -> Name:
    """A host name; never converted: IDNA 2003 would change names silently."""
    text = text_of(value, "a domain name")
    way_out = "write a domain name such as corp.example"
    if "/" in text or ":" in text:
        raise refused(f"`{cut(text)}` is not a domain name", f"{way_out}, without scheme, port or path")
    if not text.isascii():
        what = f"`{cut(text)}` is not a domain name (it has characters outside ASCII)"
        raise refused(what, "write its A-label (xn--…)")
    try:
        name = Name.from_text(text)
    except MalformedName as error:
        reason = "it has an unfinished escape" if "escape" in str(error) else str(error)
        raise refused(f"`{cut(text)}` is not a domain name ({reason})", way_out) from None
    if not name.labels:
        raise refused("the root is not a name to give here", way_out)
    labels = name.labels[1:] if name.is_wildcard else name.labels
    if not all(map(_HOST_LABEL.fullmatch, labels)):
        raise refused(f"`{cut(text)}` is not a domain name (letters, digits, `-` and `_` only)", way_out)
    return name


def custom_domain(text: str) -> Name:
    """A custom domain that does not come from a file, read as strictly; raises MalformedName."""
    return _strictly(domain, text)


def host_name(text: str) -> Name:
    """A name that is no wildcard and does not come from a file, likewise."""
    return _strictly(plain_domain, text)


def _strictly(read: Callable[[object], Name], text: str) -> Name:
    try:
        return read(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise MalformedName(f"{context.get('what')}; {context.get('way_out')}") from None


def plain_domain(value: object) -> Name:
    """A domain name that is no wildcard."""
    name = domain(value)
    if name.is_wildcard:
        way_out = f"write {str(name)[2:]}: it covers what lies below it" if len(name) > 1 else "write a name"
        raise refused(f"{name} is a wildcard", way_out)
    return name


def _written(read: Callable[[object], object], pattern: str, *examples: str) -> tuple[Any, ...]:
    """What makes a type of this module into a field: its reader, its text, its JSON Schema."""
    check = {"format": pattern} if pattern == "ipv4" else {"pattern": f"^{pattern}$"}
    schema = WithJsonSchema({"type": "string", **check, "examples": list(examples)})
    return PlainValidator(read), PlainSerializer(str, return_type=str), schema


_V4: Final = r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}"
_ENDPOINT: Final = rf"(({_V4}|\[[0-9A-Fa-f:.]+\])(:\d{{1,5}})?|[0-9A-Fa-f.]*(:[0-9A-Fa-f.]*){{2,7}})"
_ENDPOINTS: Final = ("127.0.0.1:5300", "[::1]:5300")
_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*\.?"

AddressText = Annotated[IPv4Address, *_written(ipv4_address, "ipv4", "10.1.8.20")]
PrefixText = Annotated[Prefix, *_written(prefix, rf"({_V4}|[0-9A-Fa-f:.]+)/\d{{1,3}}", "10.0.0.0/8")]
BlockText = Annotated[IPv4Network, *_written(ipv4_prefix, rf"{_V4}/([12]?\d|3[0-2])", "10.1.0.0/16")]
AdminListenText = Annotated[
    Listen | Path, *_written(admin_listen, rf"(/.*|{_ENDPOINT})", "127.0.0.1:5380", "/run/vpcdns/admin.sock")
]
OffText = Annotated[Literal[False], PlainValidator(off), WithJsonSchema({"const": False})]
PathOrMapping = Annotated[str | dict[str, Any], PlainValidator(path_or_mapping)]
ListenText = Annotated[Listen, *_written(listen, _ENDPOINT, *_ENDPOINTS)]
UpstreamText = Annotated[
    Upstream | UpstreamName,
    *_written(upstream, rf"({_ENDPOINT}|{_DOMAIN}(:\d{{1,5}})?)", "192.0.2.1", "unbound:53"),
]
DomainText = Annotated[Name, *_written(domain, rf"(\*\.)?{_DOMAIN}", "api.example.com")]
PlainDomainText = Annotated[Name, *_written(plain_domain, _DOMAIN, "corp.example")]

ID_PATTERN: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"
REGION_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
GROUP_PATTERN: Final = r"^[0-9a-f]{32}$"
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f]*$"

MAX_ID: Final = 128
MAX_SOCKET_PATH: Final = 107  # unix(7): sun_path has 108 octets, one of them for the end
MAX_LINE: Final = 255
MAX_OWNER: Final = 1_020  # RFC 1035 §2.3.4: 255 octets, each of which may be written as \DDD
MAX_RECORD_TEXT: Final = 262_144  # every octet of 64 KiB written as \DDD
MAX_REGION: Final = 26  # RFC 1035 §2.3.4: with a group_id, two hyphens and "vpc", one label of 63 octets


def is_region_id(text: str) -> bool:
    return len(text) <= MAX_REGION and re.fullmatch(REGION_PATTERN, text) is not None


Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=MAX_ID)]
RegionId = Annotated[str, Field(pattern=REGION_PATTERN, max_length=MAX_REGION, examples=["cn-hangzhou"])]
GroupId = Annotated[str, Field(pattern=GROUP_PATTERN)]
OwnerText = Annotated[str, Field(pattern=LINE_PATTERN, max_length=MAX_OWNER)]
RecordText = Annotated[str, Field(pattern=LINE_PATTERN, max_length=MAX_RECORD_TEXT)]
Line = Annotated[str, Field(pattern=LINE_PATTERN, max_length=MAX_LINE)]
