"""Which attributes stay when the World is another one."""

from __future__ import annotations

from dataclasses import replace

from tests.support.example_world import DEDICATED, HZ, VPC_A, example
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.state.api_attributes import Attributes, KeptKey, Kind, object_key, of_objects_in


def test_what_belongs_to_an_object_goes_with_it_and_what_belongs_to_a_region_stays() -> None:
    world = example()
    of = {
        KeptKey(Kind.API, DEDICATED, "a"): True,
        KeptKey(Kind.API, "9" * 32, "b"): False,
        KeptKey(Kind.VPC_ACCESS, VPC_A, "c"): True,
        KeptKey(Kind.VPC_ACCESS, "vpc-none", "d"): False,
        KeptKey(Kind.ACL, HZ, "e"): True,
        KeptKey(Kind.PRIVATE_DNS, "eu-central-1", "A db.corp.example"): True,
    }
    kept: FrozenMap[str, Attributes] = FrozenMap((object_key(key), {}) for key in of)
    stays = of_objects_in(kept, world)
    assert {key: object_key(key) in stays for key in of} == of
    without = replace(world, topology=world.topology.without_vpc(VPC_A))
    assert object_key(KeptKey(Kind.VPC_ACCESS, VPC_A, "c")) not in of_objects_in(kept, without)
