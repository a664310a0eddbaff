"""Asks an account for everything that `listings` has; what cannot be asked is said, and the rest goes on.

Knows pages, what is asked once for each object, and what a refusal means for the rest; not how calls are
made.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from vpcdns.errors import AccountError
from vpcdns.importing.cloud.account import Account, Fields, Objects, Unasked
from vpcdns.importing.cloud.listings import GLOBAL, PAGE_SIZE, Listing, Product, at, listings

T = TypeVar("T")

READINGS: Final = 3  # of all pages, until they have as many items as they say
WORKERS: Final = 8  # calls at a time; the cloud's limits are some tens a second for an account

# What is being listed, how many of how many things it is asked of have been.
Tell = Callable[[str, int, int], None]


class Refused(Exception):
    """A call that the cloud refuses, by its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code

    @property
    def is_gone(self) -> bool:
        """Whether what was asked about does not exist, or no more."""
        if self.is_absent or self.code.startswith("InvalidRegion"):
            return False
        ends = (".NotFound", ".NotExist", ".NotExists")
        return self.code.startswith("NotFound") or self.code.endswith(ends)

    @property
    def way_out(self) -> str:
        is_forbidden = self.code.startswith(("Forbidden", "NoPermission"))
        return "; docs/cloud-account.md has the RAM policy that is needed" if is_forbidden else ""

    @property
    def is_absent(self) -> bool:
        """Whether there is no such action there: vpcdns' own API has a part of the cloud's."""
        return self.code in ("UnsupportedOperation", "InvalidAction.NotFound", "InvalidVersion")


class Unreachable(Exception):
    """No answer at all: no route, no such host, nothing that is an answer."""


class Cloud(Protocol):
    """How a call is made. `region_id` is None where the product is in no region."""

    def call(
        self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
    ) -> dict[str, Any]:
        """What the cloud returns; raises Refused, Unreachable, or AccountError where no call can succeed."""
        ...


def ask(cloud: Cloud, regions: Iterable[str], tell: Tell) -> Account:
    """Everything that the account says; raises AccountError if that is nothing at all."""
    account = Account(tuple(dict.fromkeys(regions)))
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="asking")
    try:
        for scope in (*account.regions, GLOBAL):
            _Scope(account, scope, cloud, pool, tell).ask()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if not account.scopes:
        raise AccountError("\n".join(dict.fromkeys(f"{one.scope}: {one.why}" for one in account.unasked)))
    return account


class _Scope:
    """One region, or what is in none."""

    def __init__(
        self, account: Account, scope: str, cloud: Cloud, pool: ThreadPoolExecutor, tell: Tell
    ) -> None:
        self._account, self._scope, self._tell = account, scope, tell
        self._cloud, self._pool = cloud, pool
        self._region = None if scope == GLOBAL else scope
        self._found: dict[str, Objects] = {}

    def ask(self) -> None:
        waiting = list(listings(self._scope))
        while waiting:
            listing = waiting.pop(0)
            try:
                self._found[listing.kind] = self._objects(listing)
            except Refused as refused:
                lost = {listing.kind}
                for other in waiting:
                    lost |= {other.kind} if other.of in lost else set()
                waiting = [other for other in waiting if other.kind not in lost]
                self._give_up(
                    lost, f"{listing.action}: {refused}{refused.way_out}", is_absent=refused.is_absent
                )
            except Unreachable as error:
                lost = {listing.kind, *(one.kind for one in waiting if one.product is listing.product)}
                waiting = [other for other in waiting if other.kind not in lost]
                self._give_up(lost, str(error))
        if self._found:
            self._account.scopes[self._scope] = self._found

    def _give_up(self, kinds: Iterable[str], why: str, *, is_absent: bool = False) -> None:
        self._account.unasked.append(Unasked(self._scope, tuple(sorted(kinds)), why, is_absent))

    def _objects(self, listing: Listing) -> Objects:
        parents: list[Fields] = list(self._found[listing.of].values()) if listing.of else [{}]
        if listing.without:
            parents = [one for one in parents if one.get("Type") != listing.without]
        found: Objects = {}
        for items in self._each(listing, partial(self._items, listing), parents):
            for own, item in items:
                found[own] = item
        if listing.detail:
            details = self._each(listing, partial(self._detail, listing), found.values())
            pairs = zip(list(found), details, strict=True)
            found = {own: fields for own, fields in pairs if fields is not None}
        return found

    def _each(self, listing: Listing, asks: Callable[[Fields], T], subjects: Iterable[Fields]) -> Iterator[T]:
        waiting, what = list(subjects), f"{self._scope}: {listing.kind}"
        self._tell(what, 0, len(waiting))
        for done, result in enumerate(self._pool.map(asks, waiting), start=1):
            self._tell(what, done, len(waiting))
            yield result

    def _items(self, listing: Listing, parent: Fields) -> list[tuple[str, Fields]]:
        """All of them, asked for again if pages change meanwhile. What does not exist any more has none."""
        found: dict[str, Fields] = {}
        total = 0
        try:
            for _ in range(READINGS):
                found, total = self._reading(listing, parent)
                if len(found) >= total:
                    return list(found.items())
        except Refused as refused:
            if not parent or not refused.is_gone:
                raise
            return []
        raise Refused("", f"of {total:,} it tells {len(found):,}: they change while they are asked for")

    def _reading(self, listing: Listing, parent: Fields) -> tuple[dict[str, Fields], int]:
        """What all pages have, and how many there are by what the last one says."""
        found: dict[str, Fields] = {}
        total = 0
        for page, told in self._pages(listing, parent):
            known, total = len(found), told or 0
            for item in page:
                fields = listing.kept(item, parent) if isinstance(item, dict) else {}
                if (own := listing.identity(fields)) is None:
                    raise Refused("", f"one of the items has no {' or '.join(listing.own)}")
                found[own] = fields
            if len(found) == known:  # an empty page, or the same one again
                break
        return found, total

    def _pages(self, listing: Listing, parent: Fields) -> Iterator[tuple[list[Any], int | None]]:
        """Pages, each with the number of all items where it tells that."""
        asked = {name: str(parent[name]) for name in listing.given if name in parent}
        asked |= dict(listing.filters)
        size, number, token, seen = str(PAGE_SIZE), 1, "", 0
        while True:
            if listing.has_tokens:
                page = {"MaxResults": size} | ({"NextToken": token} if token else {})
            else:
                page = {"PageNumber": str(number), "PageSize": size}
            told = self._call(listing, listing.action, asked | page)
            items, total = at(told, listing.items), told.get("TotalCount")
            total = total if isinstance(total, int) else None
            if not isinstance(items, list):
                if total or (total is None and not listing.has_tokens):
                    raise Refused("", f"its answer has no {listing.items}")
                items = []
            yield items, total
            number, token, seen = number + 1, str(told.get("NextToken") or ""), seen + len(items)
            is_last = total is not None and seen >= total  # pages may be smaller than what was asked for
            if not token if listing.has_tokens else is_last:
                return

    def _detail(self, listing: Listing, fields: Fields) -> Fields | None:
        """The same with what `detail` tells; None if it has been deleted meanwhile."""
        try:
            told = self._call(listing, listing.detail, {listing.own[0]: str(fields[listing.own[0]])})
        except Refused as refused:
            if refused.is_gone:
                return None
            raise
        return fields | listing.kept(told, {})

    def _call(self, listing: Listing, action: str, parameters: dict[str, str]) -> dict[str, Any]:
        if self._region is not None:  # the endpoint tells it, and vpcdns' own API has one for all regions
            parameters = {"RegionId": self._region, **parameters}
        return self._cloud.call(listing.product, self._region, action, parameters)
