"""Lists that come in pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from conveyor.provider.protocol import Trouble
from conveyor.provider.transport import Transport


class Item(Protocol):
    """An element of a list."""

    id: str


class Page[E: Item](Protocol):
    """A page of a list."""

    @property
    def has_more(self) -> bool | None:
        """Whether another page follows."""
        ...

    @property
    def items(self) -> Sequence[E]:
        """Its elements."""
        ...


def read_list[E: Item](  # noqa: PLR0913  # one for each thing in which lists differ
    transport: Transport, path: str, page_of: Callable[[bytes], Page[E]], parameters: Mapping[str, str | int], *,
    cursor: str,
    until: Callable[[Sequence[E]], bool],
) -> list[E] | Trouble:  # fmt: skip
    """Return the elements of a list, page by page, up to the page at which `until` is true.

    An incomplete list is trouble: a batch that is missing from it would count as absent.
    """
    elements: list[E] = []
    seen = set[str]()
    query = dict(parameters)
    while True:
        answer = transport.ask("GET", path, query)
        if isinstance(answer, Trouble):
            return answer
        try:
            page = page_of(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Trouble(f"the list at {path} could not be decoded")
        elements += page.items
        if not page.has_more or (page.items and until(page.items)):
            return elements
        last = page.items[-1].id if page.items else ""
        if not last or last in seen:
            return Trouble(f"the list at {path} does not end")
        query[cursor] = last
        seen.add(last)
