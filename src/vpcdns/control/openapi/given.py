"""What a request gives an action: its parameters read, and the page of a list that it asks for.

Knows no State. A wrong parameter raises the product's error.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice, takewhile
from typing import Any, Final, Generic, TypeVar

from vpcdns.control.openapi import parameters
from vpcdns.control.openapi.errors import ApiError, Product, missing, wrong

T = TypeVar("T")

MAX_TAGS: Final = 20  # the cloud's own limit
MAX_TAG: Final = 128  # characters of a key or a value; the same
MAX_KEPT: Final = 1_024  # characters of a description and the like, where the cloud allows 180 to 256
MAX_PAGES: Final = 1_000_000
_PAGE_SIZES: Final = {Product.PVTZ: (20, 100)}  # what is taken when none is asked for, and the largest


@dataclass(frozen=True, slots=True)
class Runs(Generic[T]):
    """Very many items, of which one page is wanted: one after the other they are those of all runs."""

    runs: list[list[T]]

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def part(self, first: int, end: int) -> Iterator[T]:
        """Those from `first` up to `end`."""
        for run in self.runs:
            if end <= 0:
                return
            yield from run[max(0, first) : end]
            first, end = first - len(run), end - len(run)


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """Items whose number is known before they are looked at."""

    number: int
    items: Iterator[T]

    def __len__(self) -> int:
        return self.number

    def part(self, first: int, end: int) -> Iterator[T]:
        """Those from `first` up to `end`; may be called once."""
        return islice(self.items, first, end)


@dataclass(frozen=True, slots=True)
class Given:
    """The parameters of a request that an action takes; each is of its type already (`parameters`)."""

    product: Product
    parameters: Mapping[str, str]

    @property
    def dry_run(self) -> bool:
        """Whether the request is only to be checked."""
        return bool(self.flag("DryRun"))

    def required(self, name: str) -> str:
        value = self.parameters.get(name)
        if value is None:
            raise missing(name)
        return value

    def invalid(self, name: str, why: str) -> ApiError:
        return wrong(self.product, name, why)

    def one_of(self, name: str, words: Collection[str], default: str = "") -> str:
        """A word out of `words`, in any case; one that has no default must be there."""
        word = (self.parameters.get(name) or default or self.required(name)).upper()
        if word not in words:
            raise self.invalid(name, f"Write one of {', '.join(words)}.")
        return word

    def flag(self, name: str) -> bool | None:
        """A boolean, written in any case; None when it is absent."""
        value = self.parameters.get(name)
        read = None if value is None else parameters.flag(value)
        if value is not None and read is None:
            raise self.invalid(name, "Write true or false.")
        return read

    def number(self, name: str, default: int, most: int, least: int = 1) -> int:
        value = self.parameters.get(name)
        if value is None:
            return default
        read = parameters.integer(value)
        if read is None or not least <= read <= most:
            raise self.invalid(name, f"Write a number from {least} to {most}.")
        return read

    def numbered(self, name: str, most: int) -> list[str]:
        """`name.1`, `name.2` and so on."""
        names = takewhile(self.parameters.__contains__, (f"{name}.{number}" for number in count(1)))
        found = [self.parameters[one] for one in names]
        if len(found) > most:
            raise self.invalid(name, f"At most {most}.")
        return found

    def tags(self, name: str = "Tag") -> list[dict[str, str]]:
        """`Tag.N.Key` and `Tag.N.Value`; lists count from 1."""
        tags: dict[str, str] = {}
        for number in count(1):
            key, value = (self.parameters.get(f"{name}.{number}.{part}") for part in ("Key", "Value"))
            if key is None and value is None:
                return [{"Key": key, "Value": value} for key, value in tags.items()]
            if key is None:
                raise missing(f"{name}.{number}.Key")
            if key in tags:
                raise self.invalid(name, f"It has the key {key} twice.")
            if number > MAX_TAGS:
                raise self.invalid(name, f"At most {MAX_TAGS} tags.")
            tags[key] = value or ""
            if max(len(key), len(tags[key])) > MAX_TAG:
                raise self.invalid(name, f"Keys and values have at most {MAX_TAG} characters.")
        raise AssertionError  # `count` has no end

    def structures(self, name: str, *fields: str) -> list[dict[str, str]]:
        """`name.1.field`, `name.2.field` and so on: each with those of its fields that are there."""
        found: list[dict[str, str]] = []
        for number in count(1):
            names = {field: f"{name}.{number}.{field}" for field in fields}
            one = {field: self.parameters[at] for field, at in names.items() if at in self.parameters}
            if not one:
                break
            if max(map(len, one.values())) > MAX_KEPT:
                raise self.invalid(name, f"At most {MAX_KEPT} characters.")
            found.append(one)
        return found

    def kept(self, *names: str) -> dict[str, Any]:
        """Those of the parameters that are there, to be kept as they are; tags too."""
        found: dict[str, Any] = {name: self.parameters[name] for name in names if name in self.parameters}
        for name in (name for name, value in found.items() if len(value) > MAX_KEPT):
            raise self.invalid(name, f"At most {MAX_KEPT} characters.")
        if tags := self.tags():
            found["Tags"] = tags
        return found

    def page(
        self,
        items: Collection[T] | Runs[T] | Counted[T],
        outer: str,
        inner: str,
        render: Callable[[T], dict[str, Any]],
    ) -> dict[str, Any]:
        """One page of `items`, nested as the cloud nests lists; only what it shows is rendered."""
        number = self.number("PageNumber", 1, MAX_PAGES)
        size, total = self.number("PageSize", *_PAGE_SIZES.get(self.product, (10, 50))), len(items)
        first, end = (number - 1) * size, number * size
        parts = Runs([items]) if isinstance(items, list) else items
        shown = parts.part(first, end) if isinstance(parts, Runs | Counted) else islice(parts, first, end)
        counts = {"TotalCount": total}
        if self.product is Product.PVTZ:
            counts = {"TotalItems": total, "TotalPages": -(-total // size)}
        return {
            outer: {inner: [render(item) for item in shown]},
            "PageNumber": number,
            "PageSize": size,
            **counts,
        }
