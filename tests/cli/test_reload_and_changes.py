"""A file that is read again, and the changes that were made since it was read before."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import EXAMPLE
from vpcdns.testing import Server

GROUP = "c4a1e9d07b5f4e28936ad0f1b2c3d4e5"
NAME = f"{GROUP}-cn-hangzhou-vpc.alicloudapi.com"
VPC = "vpc-bp11w979o2s9rcr962w25"


def test_what_a_file_replaces_is_told(tmp_path: Path) -> None:
    file = tmp_path / "vpcdns.yaml"
    file.write_text(EXAMPLE.read_text())
    with Server(file) as server:
        client = server.client
        client.change({"change": "EnableVpcDomain", "group_id": GROUP})
        file.write_text(file.read_text().replace("  ttl: 60", "  ttl: 61"))
        assert server.wait_for("answers.ttl: 60 -> 61")
        client.assert_resolves(NAME, VPC)
        file.write_text(file.read_text().replace("name: maps", "name: atlas"))
        assert server.wait_for("(replacing 1 changes made since)")
        assert server.wait_for("vpc_domain: True -> False")
        client.assert_denied(NAME, VPC)
        client.change(
            {
                "change": "CreateVpc",
                "vpc": {
                    "vpc_id": "vpc-new",
                    "region_id": "cn-hangzhou",
                    "cidr_blocks": ["10.70.0.0/16"],
                    "source_networks": ["10.70.0.0/16"],
                },
            }
        )
        network = "  - {network_id: lan, cidr_blocks: [10.70.0.0/16]}\n"
        file.write_text(file.read_text().replace("networks:\n", f"networks:\n{network}"))
        assert server.wait_for("10.70.0.0/16 is already a source network of VPC vpc-new")
        client.assert_resolves(NAME.replace(GROUP, "8f0c2b6a4d9e47f1a3c5e7b9d1f30a2c"), "10.70.0.5")
