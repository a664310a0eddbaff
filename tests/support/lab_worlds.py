"""Worlds of the verdicts that chance seldom finds, for the proof to start with."""

from __future__ import annotations

from tests.support.hybrid_cloud import CONFIGURATION, hybrid
from vpcdns.model.world import World


def _edited(*edits: tuple[str, str]) -> World:
    text = CONFIGURATION
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return hybrid(text)


_ROUTE = "{destination: 10.1.0.0/16, via: vpn-1}"
_SERVICE = "{host: 100.64.0.0/10, host_vpc_id: vpc-c, access: [idc]}"

NOT_ATTACHED = _edited(
    (_ROUTE, "{destination: 10.1.0.0/16, via: cen-1}"), ("[vpc-a, vpc-b, idc]", "[vpc-b, idc]")
)
NO_RETURN_ROUTE = _edited(
    (_ROUTE, "{destination: 10.0.0.0/8, via: vpn-1}"),
    ("local_subnets: [10.1.0.0/16]", "local_subnets: [10.0.0.0/8]"),
    ("resolves_as: vpc-a", "resolves_as: vpc-b"),
    ("{vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}", "{vpc_id: vpc-b, vswitch_id: vsw-b}"),
    ("[vpc-a, vpc-b, idc]", "[vpc-a, vpc-b]"),
)
REGION_MISMATCH = _edited(
    (_ROUTE, "{destination: 100.64.0.0/10, via: cen-1}"),
    ("[vpc-a, vpc-b, idc], service_routes: []", f"[vpc-c, idc], service_routes: [{_SERVICE}]"),
    ("type: cen,", "type: cen, edition: basic,"),
)
