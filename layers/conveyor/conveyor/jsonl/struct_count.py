"""Counts the structs that msgspec makes while it decodes.

More structs than lines prove that a line gave a struct twice: msgspec keeps the last one and says nothing.
"""

from itertools import count
from typing import cast

import msgspec


class Ordinal:
    """The type of the field that counts. It has no form in JSON, so no line can give the field."""


class StructCount:
    """The number of structs made that have this count's `field`."""

    def __init__(self) -> None:
        self._numbers = count()
        self.field: Ordinal = msgspec.field(default_factory=cast("type[Ordinal]", self._numbers.__next__))

    def start(self) -> int:
        """Begin to count; hand the result to `since`."""
        return next(self._numbers)

    def since(self, start: int) -> int:
        """Return how many structs were made since `start`. Ends the count."""
        return next(self._numbers) - start - 1
