"""Find duplicate `custom_id` values in two passes, without holding all of them in memory.

The first pass keeps a 64-bit hash of each id, in the order of the drop. Only if some hashes are equal, a second pass
compares the ids with these hashes themselves: so two different ids are never taken for one, whatever their hashes.
"""

from array import array
from collections.abc import Callable, Sequence
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple, Protocol


class HashOptions(NamedTuple):
    """How ids are hashed."""

    hash_of: Callable[[str], int] = hash
    """Returns 64 bits. Python's own is keyed, so that nobody can choose ids with equal hashes."""
    max_ids: int = 1 << 15
    """Ids held as Python strings at any time. Most drops have no more."""
    max_characters: int = 1 << 23


class SeenIds(Protocol):
    """The ids of earlier lines, as far as one pass knows them."""

    def first_line(self, custom_id: str, line: int) -> int | None:
        """Return the line on which an id was used before, if this pass knows; otherwise add it."""
        ...

    def add_new(self, custom_ids: Sequence[str]) -> bool:
        """Add ids if none of them repeats an earlier one, as far as this pass knows; False if one may repeat."""
        ...


class IdHashes:
    """The first pass. Holds 8 bytes per id, and 4 more while it looks for duplicates."""

    def __init__(self, most: int, options: HashOptions) -> None:
        """Keep the hashes of the first `most` ids."""
        self._most = most
        self._options = options
        self._hashes = array("q")
        self._latest: list[str] = []
        self._characters = 0

    def first_line(self, custom_id: str, line: int) -> None:  # noqa: ARG002  # the second pass needs lines
        """Add an id."""
        if len(self._hashes) < self._most:
            self._latest.append(custom_id)
            self._characters += len(custom_id)
            self._hash_many()

    def add_new(self, custom_ids: Sequence[str]) -> bool:
        """Add ids in their order."""
        if len(self._hashes) < self._most:
            self._latest += custom_ids
            self._characters += len("".join(custom_ids))
            self._hash_many()
        return True

    def duplicates(self, limit: int | None) -> frozenset[int]:
        """Return the hashes of the first `limit` ids whose hash equals that of an earlier id."""
        if not self._hashes and len(set(self._latest)) == len(self._latest):
            return frozenset()
        self._hash()
        places = array("I", chain.from_iterable(map(self._duplicate_places, self._parts())))
        return frozenset(self._hashes[place] for place in (places if limit is None else nsmallest(limit, places)))

    def _hash_many(self) -> None:
        if len(self._latest) > self._options.max_ids or self._characters > self._options.max_characters:
            self._hash()

    def _hash(self) -> None:
        self._hashes.fromlist(list(map(self._options.hash_of, self._latest)))
        self._latest.clear()
        self._characters = 0

    def _parts(self) -> "list[array[int]]":
        """Divide all places into parts such that equal hashes are in the same part."""
        bits = (len(self._hashes) // self._options.max_ids).bit_length()
        parts = [array("I") for _ in range(1 << bits)]
        mask = len(parts) - 1
        put = [part.append for part in parts]
        for place, hashed in enumerate(self._hashes):
            put[hashed & mask](place)
        return parts

    def _duplicate_places(self, part: "array[int]") -> list[int]:
        """Return the places of a part whose hash also occurs at an earlier place."""
        hashes = [self._hashes[place] for place in part]
        if len(set(hashes)) == len(hashes):
            return []
        seen: set[int] = set()
        duplicates = []
        for place, hashed in zip(part, hashes, strict=True):
            if hashed in seen:
                duplicates.append(place)
            seen.add(hashed)
        return duplicates


class PossibleDuplicates:
    """The second pass. Compares the ids whose hash occurs more than once, and no others."""

    def __init__(self, hashes: frozenset[int], options: HashOptions) -> None:
        """Take the hashes that the first pass found more than once."""
        self._hashes = hashes
        self._hash_of = options.hash_of
        self._lines: dict[str, int] = {}
        self._seen: set[int] = set()
        self.has_collision = False
        """Whether two different ids had the same hash."""

    @property
    def has_any(self) -> bool:
        """Whether a second pass is needed at all."""
        return bool(self._hashes)

    def first_line(self, custom_id: str, line: int) -> int | None:
        """Return the line on which an id was used before."""
        hashed = self._hash_of(custom_id)
        if hashed not in self._hashes:
            return None
        first = self._lines.setdefault(custom_id, line)
        if first != line:
            return first
        self.has_collision |= hashed in self._seen
        self._seen.add(hashed)
        return None

    def add_new(self, custom_ids: Sequence[str]) -> bool:
        """Return whether none of the ids is a possible duplicate."""
        return self._hashes.isdisjoint(map(self._hash_of, custom_ids))
