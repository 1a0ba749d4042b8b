"""Lists that come in pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from conveyor.provider.protocol import Trouble
from conveyor.provider.transport import Transport


class Entry(Protocol):
    """What a list holds."""

    id: str


class Page[E: Entry](Protocol):
    """A part of a list."""

    @property
    def has_more(self) -> bool | None:
        """Whether there is another."""
        ...

    @property
    def entries(self) -> Sequence[E]:
        """What stands on it."""
        ...


def read_list[E: Entry](  # noqa: PLR0913  # one for each thing in which lists differ
    transport: Transport, path: str, page_of: Callable[[bytes], Page[E]], question: Mapping[str, str | int], *,
    cursor: str,
    until: Callable[[Sequence[E]], bool],
) -> list[E] | Trouble:  # fmt: skip
    """Return what stands in a list, as far as a page after which nothing more is wanted.

    Half a list is trouble: what is not on it would be taken for absent.
    """
    found: list[E] = []
    seen = set[str]()
    asked = dict(question)
    while True:
        answer = transport.ask("GET", path, asked)
        if isinstance(answer, Trouble):
            return answer
        try:
            page = page_of(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Trouble(f"the list at {path} could not be decoded")
        found += page.entries
        if not page.has_more or (page.entries and until(page.entries)):
            return found
        last = page.entries[-1].id if page.entries else ""
        if not last or last in seen:
            return Trouble(f"the list at {path} goes on without an end")
        asked[cursor] = last
        seen.add(last)
