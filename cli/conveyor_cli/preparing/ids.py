"""The `custom_id` of each request: of a column, or by the number of the row."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from conveyor.domain.findings import CustomId
from conveyor.validation.duplicate_ids import HashOptions, IdHashes, PossibleDuplicates
from conveyor.validation.rules import LARGEST_CUSTOM_ID, LONGEST_CUSTOM_ID
from conveyor_cli.tables.values import as_text, plain

_OPTIONS = HashOptions()
_MOST = 1 << 40
"""Ids that are looked at: all of them."""
MOST_NAMED = 10
"""Repeated ids that are named."""


class BadId(Exception):
    """A value that is no id. Quotes no cell."""


def id_of(value: Any) -> CustomId:  # noqa: ANN401 - a cell may hold anything
    """Return the id in a cell. Raises BadId.

    A whole number comes back as a number. Beyond 2^53 - 1, which other programs change, it is text.
    """
    value = plain(value)
    if isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    match value:
        case bool() | float() | Decimal() | list() | dict() | bytes():
            raise BadId("is no id: it must be text or a whole number")
        case int():
            return value if abs(value) <= LARGEST_CUSTOM_ID else str(value)
    text = str(as_text(value))
    if not text.strip():
        raise BadId("is empty")
    if len(text) > LONGEST_CUSTOM_ID:
        raise BadId(f"has {len(text):,} characters; an id has {LONGEST_CUSTOM_ID} at most")
    return text


class Ids:
    """The ids of a table, by 8 bytes each."""

    def __init__(self) -> None:
        self._hashes = IdHashes(_MOST, _OPTIONS)

    def add(self, custom_id: CustomId, row: int) -> None:
        """Add the id of a row. 7 and "7" are one id."""
        self._hashes.first_line(str(custom_id), row)

    def may_repeat(self) -> PossibleDuplicates | None:
        """Return what finds the repeated ids in a second reading of the rows; None if no id is repeated."""
        found = PossibleDuplicates(self._hashes.duplicates(None), _OPTIONS)
        return found if found.has_any else None


def repeated(found: PossibleDuplicates, ids: Iterable[tuple[int, CustomId]]) -> list[tuple[int, int]]:
    """Return the rows with an id that an earlier row has, each with that row. `ids`: of all rows once more."""
    return [(row, first) for row, each in ids if (first := found.first_line(str(each), row)) is not None]
