"""The configuration as a typed tree (DESIGN §2): what may be written where, and the JSON Schema of it.

Knows one value at a time. Rules about several values are the model's, and `build` asks them. Field names
are the cloud's own.
"""

from ipaddress import IPv4Address
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from vpcdns.config.forward_schema import MAX_NEGATIVE_TTL, MAX_TTL, Forward
from vpcdns.config.topology_schema import CenPart, IpsecPart, NetworkPart, Part, VpcPart
from vpcdns.config.values import (
    AddressText,
    AdminListenText,
    DomainText,
    GroupId,
    Id,
    Line,
    ListenText,
    OwnerText,
    PlainDomainText,
    PrefixText,
    RecordText,
    RegionId,
)
from vpcdns.model.policy import LOOPBACK, PRIVATE_SPACE, Answers, Listen, QueryLogging
from vpcdns.model.private_zones import RECORD_IDS

_DEFAULTS: Final = Answers()
_LOG_DEFAULTS: Final = QueryLogging()
# Port 5300 needs no privilege, and nobody else has it; 53 is often systemd-resolved's.
DEFAULT_LISTEN: Final = Listen(IPv4Address("127.0.0.1"), 5300)
MAX_RECORD_TTL: Final = 0x7FFFFFFF  # RFC 2181 §8
RecordId = Annotated[int, Field(ge=0, lt=RECORD_IDS)]


class ListenEntry(Part):
    """A listener whose clients all count as one VPC's, or whose address may come later."""

    address: ListenText
    """address and port to listen on; without a port it is 53"""
    vpc_id: Id | None = None
    """clients that ask there count as inside this VPC: for clients hidden by NAT, or overlapping VPCs"""
    wait: bool = False
    """whether the host may have the address later, as a container's or a VPN's; the others serve meanwhile"""


FORMS: Final = frozenset({"text", "mapping", "off"})  # tags of what may be written in two forms


def _listen_form(value: object) -> str:
    """Which of the two forms an entry has; also that of a default."""
    return "text" if isinstance(value, str | Listen) else "mapping"


def _default_listen() -> list[Listen | ListenEntry]:
    return [DEFAULT_LISTEN]


class QueryLogPart(Part):
    """The query log: one JSON object a line. Read at start, not at a reload."""

    queries: Literal["off", "sampled", "full"] = "off"
    """which queries are logged: none, every `sample`th, or all"""
    sample: int = Field(default=_LOG_DEFAULTS.sample, ge=1, le=1_000_000)
    """with `queries: sampled`, log every Nth query"""
    file: Line = Field(default=_LOG_DEFAULTS.file, min_length=1)
    """a file, relative to this one and opened anew on SIGHUP; - is standard output"""


class Server(Part):
    """Where to listen, and who may ask."""

    listen: list[
        Annotated[
            Annotated[ListenText, Tag("text")] | Annotated[ListenEntry, Tag("mapping")],
            Discriminator(_listen_form),
        ]
    ] = Field(
        default_factory=_default_listen, min_length=1, json_schema_extra={"default": [str(DEFAULT_LISTEN)]}
    )
    """addresses and ports to listen on, UDP and TCP"""
    clients: list[PrefixText] = Field(default=list(PRIVATE_SPACE), min_length=1)
    """who may ask at all; anyone else gets REFUSED"""
    trusted_peers: list[PrefixText] = Field(default=list(LOOPBACK))
    """peers believed when they name the real client, by EDNS Client Subnet or PROXY protocol v2"""
    responses_per_second: int | None = Field(default=None, ge=1, le=1_000_000)
    """responses over UDP to each client network (/24, /56) but those of trusted peers; default: no limit"""
    log: QueryLogPart = Field(default_factory=QueryLogPart)
    """the query log"""


class AnswersPart(Part):
    """How answers look."""

    suffix: PlainDomainText = Field(
        default_factory=lambda: _DEFAULTS.suffix, json_schema_extra={"default": str(_DEFAULTS.suffix)}
    )
    """the zone that VPC domains lie in"""
    ttl: int = Field(default=_DEFAULTS.ttl, ge=0, le=MAX_TTL)
    """TTL of positive answers, in seconds"""
    negative_ttl: int = Field(default=_DEFAULTS.negative_ttl, ge=0, le=MAX_NEGATIVE_TTL)
    """TTL of negative answers and MINIMUM of the SOA, in seconds: how soon a rebind shows"""
    denied: Literal["nxdomain", "nodata", "refused", "drop"] = "nxdomain"
    """what a client gets for a VPC domain that is closed to it"""
    explain: Literal["full", "code", "off"] = "full"
    """extended DNS errors: code and text, the code alone, or none"""


class AdminPart(Part):
    """HTTP: health, metrics, explanations, and the cloud's own API."""

    listen: AdminListenText | None = None
    """address and port of the HTTP server, or the path of a UNIX socket; default: none"""
    access_keys_file: Line | None = Field(default=None, min_length=1)
    """a file of `access key id: secret` lines, relative to this file"""
    region_id: RegionId | None = None
    """what an API request that names no region is about; default: the only region there is"""
    hosts: list[PlainDomainText] = Field(default_factory=list)
    """names that clients call this server by, beside its addresses and `localhost`; others are refused"""


class BindingPart(Part):
    """The one VPC that reaches a dedicated instance."""

    vpc_id: Id
    """the VPC, in the instance's region"""
    vswitch_id: Id
    """the vSwitch that the private endpoint lies in"""
    address: AddressText | None = None
    """the private endpoint; default: the lowest free address of the vSwitch"""


class ServerlessPart(Part):
    """A serverless instance: every VPC of its region reaches it."""

    instance_id: Id
    """the instance's id, unique in its region"""
    type: Literal["serverless"]
    """serverless: shared by a region; dedicated: bound to one VPC"""
    region_id: RegionId
    """the region that it is in"""
    addresses: list[AddressText] = Field(min_length=1)
    """its shared addresses, in 100.64.0.0/10"""


class DedicatedPart(Part):
    """A dedicated instance: only the VPC that it is bound to reaches it."""

    instance_id: Id
    """the instance's id, unique in its region"""
    type: Literal["dedicated"]
    """serverless: shared by a region; dedicated: bound to one VPC"""
    region_id: RegionId
    """the region that it is in"""
    binding: BindingPart | None = None
    """its VPC, vSwitch and private endpoint; default: not bound yet"""


class GroupPart(Part):
    """An API group."""

    group_id: GroupId
    """the group's id, 32 lower-case hexadecimal digits"""
    name: Line = ""
    """a name for people"""
    instance_id: Id
    """the gateway instance that it lives on"""
    region_id: RegionId | None = None
    """the instance's region, needed only where several regions have an instance of that id"""
    vpc_domain: bool = False
    """whether its VPC second-level domain is enabled"""
    custom_domains: list[DomainText] = Field(default=[])
    """names of your own that lead to its VPC domain, on dedicated instances only; *. may lead"""


class ZoneRecordPart(Part):
    """Records of one name and type."""

    name: OwnerText
    """whose they are, relative to the zone unless it ends in a dot; @ is the zone itself; *. may lead"""
    type: Line
    """A, AAAA, CNAME, TXT, MX, SRV, HTTPS, … or TYPE and a number (RFC 3597)"""
    values: list[RecordText] = Field(min_length=1)
    """the data of each, as in a zone file"""
    ttl: int | None = Field(default=None, ge=0, le=MAX_RECORD_TTL)
    """their TTL, in seconds; default: answers.ttl"""
    enabled: bool = True
    """whether they are served"""
    record_ids: list[RecordId] | None = None
    """their ids in the cloud's API; default: made of what they say"""


class PrivateZonePart(Part):
    """A private zone: names that only the VPCs that it is bound to see."""

    zone: PlainDomainText
    """its name"""
    zone_id: Id | None = None
    """its id in the cloud's API; default: made of its name"""
    vpcs: list[Id] = Field(default=[])
    """the VPCs that it is bound to"""
    fall_through: bool = False
    """whether names that it lacks are resolved as if it were not there; if not, they do not exist"""
    rrset_order: Literal["cyclic", "fixed"] = "cyclic"
    """whether the records of a name and type take turns at the head of answers"""
    records: list[ZoneRecordPart] = Field(default=[])
    """its records"""
    file: Line | None = Field(default=None, min_length=1)
    """a zone file with more records, relative to this file"""


class Configuration(Part):
    """The configuration of vpcdns, a private DNS resolver that answers as API Gateway's VPC domains do."""

    server: Server = Field(default_factory=Server)
    """where to listen, and who may ask"""
    answers: AnswersPart = Field(default_factory=AnswersPart)
    """how answers look"""
    forward: Forward = Field(default_factory=Forward)
    """upstreams for all other names"""
    admin: AdminPart | None = None
    """HTTP: health, metrics, explanations, and the cloud's own API"""
    vpcs: list[VpcPart] = Field(default=[])
    """VPCs"""
    networks: list[NetworkPart] = Field(default=[])
    """on-premises networks"""
    connections: list[Annotated[IpsecPart | CenPart, Discriminator("type")]] = Field(default=[])
    """what joins VPCs and on-premises networks"""
    instances: list[Annotated[ServerlessPart | DedicatedPart, Discriminator("type")]] = Field(default=[])
    """gateway instances"""
    groups: list[GroupPart] = Field(default=[])
    """API groups"""
    private_zones: list[PrivateZonePart] = Field(default=[])
    """private zones"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration, for editors: `vpcdns schema`."""
    schema = Configuration.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "vpcdns configuration"}
    return {**head, **{key: value for key, value in schema.items() if key not in head}}
