"""Lists of answers, a page at a time, in the cloud's two-storey form."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from vpcdns.control.openapi.call import Call

T = TypeVar("T")

MAX_PAGE_SIZE: Final = 50
MAX_PAGES: Final = 1_000_000


def page(
    call: Call,
    items: Sequence[T],
    outer: str,
    inner: str,
    render: Callable[[T], dict[str, Any]] | None = None,
    *,
    page_size: int = 10,
) -> dict[str, Any]:
    """One page of `items`; only those that it shows are rendered."""
    number = call.number("PageNumber", 1, MAX_PAGES)
    size = call.number("PageSize", page_size, MAX_PAGE_SIZE)
    shown: Sequence[Any] = items[(number - 1) * size : number * size]
    if render is not None:
        shown = [render(item) for item in shown]
    return {
        outer: {inner: list(shown)},
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": len(items),
    }
