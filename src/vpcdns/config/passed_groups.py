"""What rules found nothing wrong with need not be asked again of what is alike.

Knows of each rule what it looks at, not what it says: a million groups differ in a few ways only. A test
holds it to what the rules say of every single one.
"""

from vpcdns.model.gateway import VPC_LABEL_END, Group
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name


class Usual:
    """The kinds of groups and of custom domains that were found good in one World with this suffix."""

    def __init__(self, suffix: Name) -> None:
        # Custom domains may not lie under these, nor be them.
        self._taken = {taken.folded[0] for taken in (suffix, VPCDNS_INTERNAL) if taken.folded}
        self._groups: set[tuple[str, str, bool, bool]] = set()
        self._parents: set[tuple[bytes, ...]] = set()

    def knows(self, group: Group) -> bool:
        """Whether a group whose group_id is well formed is like one that was found good."""
        kind = group.region_id, group.instance_id, group.vpc_domain, not group.custom_domains
        return kind in self._groups

    def meet(self, group: Group) -> None:
        """Remembers a group that `group_refusals` found nothing wrong with."""
        self._groups.add((group.region_id, group.instance_id, group.vpc_domain, not group.custom_domains))

    def knows_domain(self, name: Name) -> bool:
        """Whether a custom domain is the sibling of one found good, with an ordinary first label."""
        return name.folded[1:] in self._parents and self._is_ordinary(name)

    def meet_domain(self, name: Name) -> None:
        """Remembers a custom domain that `custom_domain_refusals` found nothing wrong with."""
        if self._is_ordinary(name):
            self._parents.add(name.folded[1:])

    def _is_ordinary(self, name: Name) -> bool:
        """Whether the rules look at nothing of the first label but that it is there."""
        first = name.folded[0] if name.folded else b"*"
        return first != b"*" and first not in self._taken and not first.endswith(VPC_LABEL_END)
