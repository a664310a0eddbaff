"""The rules by name, and the Refusal of what breaks one.

The checks are in `gateway_rules` and `topology_rules`.
"""

from dataclasses import dataclass
from enum import Enum


class Rule(Enum):
    """The rules by name; those of DESIGN §1 with their number."""

    ONE_INSTANCE = (1, "a group lives on one gateway instance, which is in one region")
    DOMAIN_NAME = (2, "a VPC domain is <group_id>-<region_id>-vpc.<suffix>")
    SHARED_ADDRESS = (3, "a serverless instance has addresses in 100.64.0.0/10 only")
    BINDING = (4, "a binding is one vSwitch of one VPC in the instance's region")
    BOUND_BEFORE_ENABLED = (6, "a dedicated instance must be bound before its groups' VPC domains are on")
    BOUND_BEFORE_MIGRATED = (8, "a group whose VPC domain is on can move to a bound instance only")
    CUSTOM_DOMAIN = (9, "custom domains reach groups on dedicated instances only")
    HYBRID = (10, "an on-premises network asks as the VPC that it resolves through")
    PRIVATE_ZONE = (11, "a private zone holds its own names, for the VPCs that it is bound to")
    REFERENCE = (None, "what is named must exist")
    UNIQUE = (None, "ids, addresses and domains belong to one object")
    ADDRESS_PLAN = (None, "blocks lie in each other, or apart, as in the cloud")
    VSWITCH_ROUTE = (None, "no route of a VPC leads into a vSwitch of its own")
    SERVICE_SPACE = (None, "no route of a VPC or its VPN gateway leads into 100.64.0.0/10")
    EDITION = (None, "a CEN has what its edition has")
    SOURCE_NETWORK = (None, "a source network belongs to one VPC or network")

    def __init__(self, number: int | None, statement: str) -> None:
        self.slug = self.name.lower().replace("_", "-")
        self.number, self.statement = number, statement

    def __str__(self) -> str:
        return f"rule {self.number}, {self.slug}" if self.number else f"rule {self.slug}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is refused: the rule, the object, and the way out.

    `where` leads from the object to the field that is at fault, e.g. ("binding", "vswitch_id").
    """

    rule: Rule
    subject: str
    problem: str
    way_out: str
    where: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}; {self.way_out} ({self.rule})"


def missing(rule: Rule, subject: str, what: str, section: str, where: tuple[str | int, ...]) -> Refusal:
    """A reference to something that is not there."""
    return Refusal(
        rule, subject, f"there is no {what}", f"add it under `{section}`, or correct the id", where
    )


def duplicate(what: str, where: tuple[str | int, ...]) -> Refusal:
    """A second object under an id that must be unique."""
    return Refusal(Rule.UNIQUE, what, "it is there twice", "give each its own id, or remove one", where)
