"""Resources and changes of them, as any of Terraform's documents has them."""

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Resource:
    """One instance of a resource, or what a data source read.

    `module` is its module's address, `where` its place in the file. `unknown` says which attributes are known
    after the apply only.
    """

    address: str
    type: str
    name: str
    values: dict[str, Any]
    where: Path
    module: str = ""
    index: str | int | None = None
    provider: str = ""
    is_data: bool = False
    unknown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a plan does to one instance of a resource."""

    address: str
    type: str
    actions: tuple[str, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    unknown: dict[str, Any]
    replaced_for: tuple[str, ...]
    reason: str = ""

    @property
    def replaces(self) -> bool:
        return "delete" in self.actions and "create" in self.actions

    @property
    def unbinds(self) -> bool:
        """Whether a gateway instance's ingress_vpc_id is removed and nothing takes its place."""
        name = "ingress_vpc_id"
        kept = self.after.get(name) or self.unknown.get(name)
        return self.actions == ("update",) and bool(self.before.get(name)) and not kept
