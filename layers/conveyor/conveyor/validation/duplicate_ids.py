"""Which `custom_id` of a drop repeats an earlier one, found in two passes that do not hold them.

The first pass keeps 64 bits of each id, in the order of the drop. Only if some of them are alike, a second pass over
the drop compares the ids themselves, and only those: so that no two ids are taken for one, whatever their bits.
"""

from array import array
from collections.abc import Callable, Sequence
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple, Protocol


class Recall(NamedTuple):
    """How ids are remembered."""

    hash_of: Callable[[str], int] = hash
    """What makes 64 bits of one: keyed, as Python's, so that nobody can choose ids that are alike."""
    at_once: int = 1 << 15
    """Ids held as Python's own objects at any moment; most drops have no more."""
    characters_at_once: int = 1 << 23


class Ids(Protocol):
    """What one pass knows of the ids before."""

    def first_line(self, custom_id: str, line: int) -> int | None:
        """Return the line on which an id was used before, as far as this pass knows; remember it otherwise."""
        ...

    def pass_over(self, custom_ids: Sequence[str]) -> bool:
        """Remember ids none of which repeats an earlier one, as far as this pass knows; False where one may."""
        ...


class Hashes:
    """The first pass: knows nothing yet. Holds 8 bytes an id, and 4 more while it looks for repeats."""

    def __init__(self, most: int, recall: Recall) -> None:
        """Take the number of ids after which no more are kept."""
        self._most = most
        self._recall = recall
        self._kept = array("q")
        self._latest: list[str] = []
        self._characters = 0

    def first_line(self, custom_id: str, line: int) -> None:  # noqa: ARG002  # the other pass knows lines
        """Remember an id."""
        if len(self._kept) < self._most:
            self._latest.append(custom_id)
            self._characters += len(custom_id)
            self._keep_many()

    def pass_over(self, custom_ids: Sequence[str]) -> bool:
        """Remember some ids, in their order."""
        if len(self._kept) < self._most:
            self._latest += custom_ids
            self._characters += len("".join(custom_ids))
            self._keep_many()
        return True

    def repeated(self, most: int | None) -> frozenset[int]:
        """Return the hashes of the first ids, `most` of them, that are or seem to be those of earlier ones."""
        if not self._kept and len(set(self._latest)) == len(self._latest):
            return frozenset()
        self._keep()
        places = chain.from_iterable(map(self._repeats, self._parts()))
        found = array("I", places)
        return frozenset(self._kept[place] for place in (found if most is None else nsmallest(most, found)))

    def _keep_many(self) -> None:
        if len(self._latest) > self._recall.at_once or self._characters > self._recall.characters_at_once:
            self._keep()

    def _keep(self) -> None:
        self._kept.fromlist(list(map(self._recall.hash_of, self._latest)))
        self._latest.clear()
        self._characters = 0

    def _parts(self) -> "list[array[int]]":
        """Return all places in such parts that equal hashes stand in the same one."""
        bits = (len(self._kept) // self._recall.at_once).bit_length()
        parts = [array("I") for _ in range(1 << bits)]
        mask = len(parts) - 1
        put = [part.append for part in parts]
        for place, hashed in enumerate(self._kept):
            put[hashed & mask](place)
        return parts

    def _repeats(self, part: "array[int]") -> list[int]:
        """Return the places of a part whose hash stands at an earlier one, too."""
        hashes = [self._kept[place] for place in part]
        if len(set(hashes)) == len(hashes):
            return []
        seen: set[int] = set()
        found = []
        for place, hashed in zip(part, hashes, strict=True):
            if hashed in seen:
                found.append(place)
            seen.add(hashed)
        return found


class Suspects:
    """The second pass: knows every id whose hash is not its own, and no other."""

    def __init__(self, hashes: frozenset[int], recall: Recall) -> None:
        """Take the hashes that the first pass found more than once."""
        self._hashes = hashes
        self._hash_of = recall.hash_of
        self._lines: dict[str, int] = {}
        self._seen: set[int] = set()
        self.misled = False
        """Whether the hashes of two different ids were alike."""

    @property
    def are_any(self) -> bool:
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
        self.misled |= hashed in self._seen
        self._seen.add(hashed)
        return None

    def pass_over(self, custom_ids: Sequence[str]) -> bool:
        """Tell whether none of some ids is suspected."""
        return self._hashes.isdisjoint(map(self._hash_of, custom_ids))
