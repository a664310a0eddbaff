"""The section `forward` as a typed tree: upstreams, rules, and how long answers may be kept.

Knows one value at a time, as `schema` does.
"""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag

from vpcdns.config.topology_schema import Part
from vpcdns.config.values import Id, OffText, PlainDomainText, UpstreamText
from vpcdns.model.cache_limits import DEFAULT_CACHE

# RFC 8767 §4 advises to cap TTLs at a week, RFC 2308 §5 negative ones at one to three hours.
MAX_TTL: Final = 604_800
MAX_NEGATIVE_TTL: Final = 10_800
MAX_MIN_TTL: Final = 86_400  # dnsmasq allows an hour, Unbound anything
MIN_CACHE: Final = 1 << 20  # octets
MAX_CACHE: Final = 16 << 30


def _cache_form(value: object) -> str:
    return "mapping" if isinstance(value, dict | Part) else "off"


_Off = Annotated[OffText, Tag("off")]


class TtlsPart(Part):
    """How long answers of upstreams may be kept, by the cache and by clients."""

    max_ttl: int | None = Field(default=None, ge=0, le=MAX_TTL)
    """no TTL is longer, in seconds; default: forward.cache.max_ttl"""
    min_ttl: int | None = Field(default=None, ge=0, le=MAX_MIN_TTL)
    """no TTL of a positive answer is shorter, in seconds; default: forward.cache.min_ttl"""
    negative_max_ttl: int | None = Field(default=None, ge=0, le=MAX_NEGATIVE_TTL)
    """no TTL of a negative answer is longer, in seconds; default: forward.cache.negative_max_ttl"""


class CachePart(Part):
    """The cache: how long answers of upstreams may be kept, by clients too, and how much it may take."""

    max_ttl: int = Field(default=DEFAULT_CACHE.max_ttl, ge=0, le=MAX_TTL)
    """no TTL is longer, in seconds: longer ones are lowered to it"""
    min_ttl: int = Field(default=DEFAULT_CACHE.min_ttl, ge=0, le=MAX_MIN_TTL)
    """no TTL of a positive answer is shorter, in seconds: shorter ones are raised to it, 0 too"""
    negative_max_ttl: int = Field(default=DEFAULT_CACHE.negative_max_ttl, ge=0, le=MAX_NEGATIVE_TTL)
    """no TTL of a negative answer is longer, in seconds"""
    size: int = Field(default=DEFAULT_CACHE.size, ge=MIN_CACHE, le=MAX_CACHE)
    """octets of memory for answers of upstreams, in all processes together"""


class ForwardRulePart(Part):
    """A domain with upstreams of its own."""

    domain: PlainDomainText
    """the rule is for this name and all below it; of several rules the longest domain wins"""
    upstreams: list[UpstreamText] = Field(min_length=1)
    """DNS servers to ask"""
    vpcs: list[Id] | None = Field(default=None, min_length=1)
    """the rule is for clients in these VPCs; default: for everybody"""
    cache: Annotated[_Off | Annotated[TtlsPart, Tag("mapping")], Discriminator(_cache_form)] | None = None
    """false keeps nothing; or limits of its own; default: forward.cache"""


class Forward(Part):
    """Upstreams for all other names."""

    upstreams: list[UpstreamText] | None = None
    """DNS servers to ask; default: those of the host's resolv.conf; [] forwards nothing"""
    rules: list[ForwardRulePart] = Field(default=[])
    """domains with upstreams of their own"""
    otherwise: Literal["refused", "nxdomain"] = "refused"
    """the answer to a name that has no upstream; musl's search lists go on after nxdomain only"""
    cache: Annotated[_Off | Annotated[CachePart, Tag("mapping")], Discriminator(_cache_form)] = Field(
        default_factory=CachePart
    )
    """limits of the cache; false keeps nothing"""
