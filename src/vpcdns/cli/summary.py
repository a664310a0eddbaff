"""How much there is in a World, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Summary:
    vpcs: int
    networks: int
    connections: int
    instances: int
    groups: int
    custom_domains: int

    @classmethod
    def of(cls, world: World) -> Summary:
        topology = world.topology
        return cls(
            len(topology.vpcs),
            len(topology.networks),
            len(topology.connections),
            len(world.instances),
            len(world.groups),
            len(world.custom_domains.owners),
        )

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    def __str__(self) -> str:
        """`3 VPCs, 1 network, …`."""
        words = {"vpcs": "VPC", "custom_domains": "custom domain"}
        counted = ((words.get(key, key.removesuffix("s")), count) for key, count in asdict(self).items())
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counted)
