"""What every import ends with."""

from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory


def test_what_is_only_named_is_there() -> None:
    inventory = Inventory()
    binding = {"vpc_id": "vpc-a", "vswitch_id": "vsw-a"}
    part = {"instance_id": "gw", "type": "dedicated", "region_id": "eu-west-1", "binding": binding}
    inventory.add("instances", part, "somewhere")
    finish(inventory)
    document = inventory.document()
    assert document["vpcs"][0]["vswitches"] == [{"vswitch_id": "vsw-a", "cidr_block": "10.255.255.0/24"}]
    assert document["vpcs"][0]["region_id"] == "eu-west-1"
