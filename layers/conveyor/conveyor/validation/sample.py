"""Choose lines that are spread over a drop, while it is checked: of a length that is not known before. Pure.

Only the places of lines are kept, and few of them. The requests are divided into cells of equal length, and one request
of each is kept. When there are too many cells, two neighbours become one, and one of their two requests is kept. All
choices follow from the run's id: the same drop and run have the same sample, however the drop was read.
"""

from collections.abc import Callable, Collection, Iterable
from hashlib import shake_128
from itertools import pairwise
from struct import unpack
from typing import NamedTuple

from conveyor.money.estimate import LONGEST_MODEL, MOST_MODELS

FEWEST, MOST = 50, 200
"""Requests of a sample, besides those for models."""
SHARE = 20
"""One of so many requests is in the sample, between these limits."""
OF_A_MODEL = 3
"""Requests of each model, if the drop has them: fewer say nothing about the model."""
MOST_BYTES = 10_000_000
"""Of all lines of a sample."""
_MOST_CELLS = 2 * MOST


class Place(NamedTuple):
    """Where a request is in the drop."""

    line: int
    start: int
    end: int
    """The offset after its last byte, without the line feed."""
    model: str
    """Empty for a model that the estimate does not keep apart."""

    @property
    def size(self) -> int:
        """Its bytes, with a line feed."""
        return self.end - self.start + 1


class Sample:
    """Requests of one drop, added in their order, and a choice of them. Its memory does not grow with their number."""

    def __init__(self, run: str) -> None:
        """`run`: the id from which the choice follows."""
        self._run = run.encode()
        self._places: list[Place] = []
        """One of each cell."""
        self._step = 1
        """Requests of a cell: a power of 2."""
        self._in_cell = self._numbers(b"cell", self._step, _MOST_CELLS)
        """For each cell, the one of its requests that is kept, as a number of any size."""
        self._next = 0
        """The next request to keep, counted from 0."""
        self._first: dict[str, list[Place]] = {}
        """The first requests of each model that the estimate keeps apart."""
        self._requests = 0

    def add(self, count: int, models: Collection[str], place_of: Callable[[int], Place]) -> None:
        """Add requests on consecutive lines. `models`: theirs; `place_of`: returns a place, counted from 0."""
        while self._next < self._requests + count:
            self._keep(place_of(self._next - self._requests))
        if any(map(self._is_wanted, models)):
            self._keep_first(map(place_of, range(count)))
        self._requests += count

    def choose(self) -> list[Place]:
        """Return the chosen places in the order of the drop; empty if each line alone is too large."""
        chosen = self._spread(min(self._requests, MOST, max(FEWEST, self._requests // SHARE)))
        lines = {place.line for place in chosen}
        for model, first in self._first.items():
            missing = OF_A_MODEL - sum(place.model == model for place in chosen)
            chosen += [place for place in first if place.line not in lines][: max(0, missing)]
        return sorted(self._fitting([self._named(place) for place in chosen]))

    def _keep(self, place: Place) -> None:
        """Keep the request of a cell, and find out which one of the next cell to keep."""
        self._places.append(place if len(place.model) <= LONGEST_MODEL else place._replace(model=""))
        if len(self._places) == _MOST_CELLS:
            self._step *= 2
            halves = self._numbers(b"half", self._step, _MOST_CELLS // 2)
            self._places = [self._places[2 * cell + half % 2] for cell, half in enumerate(halves)]
            self._in_cell = self._numbers(b"cell", self._step, _MOST_CELLS)
        cell = len(self._places)
        self._next = cell * self._step + self._in_cell[cell] % self._step

    def _is_wanted(self, model: str) -> bool:
        """Tell whether more requests of a model are kept. The estimate keeps the same models apart."""
        if (first := self._first.get(model)) is not None:
            return len(first) < OF_A_MODEL
        return len(self._first) < MOST_MODELS and len(model) <= LONGEST_MODEL

    def _keep_first(self, places: Iterable[Place]) -> None:
        for place in places:
            if self._is_wanted(place.model):
                self._first.setdefault(place.model, []).append(place)

    def _spread(self, count: int) -> list[Place]:
        """Return so many of the kept places, one of each stretch of them."""
        ends = [number * len(self._places) // count for number in range(count + 1)] if count else []
        numbers = self._numbers(b"spread", 0, count)
        stretches = zip(numbers, pairwise(ends), strict=True)
        return [self._places[begin + number % (end - begin)] for number, (begin, end) in stretches]

    def _named(self, place: Place) -> Place:
        return place if place.model in self._first else place._replace(model="")

    def _fitting(self, places: list[Place]) -> list[Place]:
        """Return the places whose lines are not too large together: one of each model before all others.

        The others are taken in a random order, so that large lines are not left out only because they are large.
        """
        smallest: dict[str, Place] = {}
        for place in sorted(places, key=lambda place: (place.size, place.line)):
            smallest.setdefault(place.model, place)
        others = sorted(set(places) - {*smallest.values()})
        shuffled = sorted(zip(self._numbers(b"fit", 0, len(others)), others, strict=True))
        fitting: list[Place] = []
        left = MOST_BYTES
        for place in (*smallest.values(), *(place for _, place in shuffled)):
            if place.size <= left:
                fitting.append(place)
                left -= place.size
        return fitting

    def _numbers(self, purpose: bytes, step: int, count: int) -> tuple[int, ...]:
        """Return random numbers of 64 bits that follow from the run and the purpose, whatever Python is used."""
        return unpack(f"<{count}Q", shake_128(b"%b %b %d" % (self._run, purpose, step)).digest(8 * count))
