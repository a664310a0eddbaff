"""An upstream whose address is link-local: it has a zone, the interface behind which it is (RFC 4007 §11)."""

from __future__ import annotations

import shutil

import pytest

from tests.support.namespaces import IN_A, SERVER, Namespaces, serving

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig (bind9-dnsutils)"),
]
# A special-use name is forwarded by a rule for it alone, and every vpcdns answers it.
FORWARDER = """\
server: {listen: ["127.0.0.1:53"]}
forward: {upstreams: [], rules: [{domain: localhost, upstreams: ["fe80::53%eth0"]}]}
"""


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_a_link_local_upstream_is_reached(namespaces: Namespaces, transport: str) -> None:
    for where, address, device in ((SERVER, "fe80::53", "to-a"), (IN_A, "fe80::5", "eth0")):
        namespaces.run(where, "ip", "address", "replace", f"{address}/64", "dev", device, "nodad")
    with serving(namespaces, IN_A, FORWARDER):
        found = namespaces.dig(IN_A, transport, "@127.0.0.1", "a.localhost", "+short")
    assert found.split() == ["127.0.0.1"]
