"""Measured figures; each is one line of the table."""

import gc
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.targets import mark


@dataclass(frozen=True)
class Figure:
    """A value and what it is compared with; depending on the unit, a higher `ratio` is better or worse."""

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None


@dataclass(frozen=True)
class Rounds:
    """Measurements taken in turns, by name; each round has one of each."""

    rounds: list[dict[str, float]]

    def pair(self, ours: str, theirs: str) -> tuple[float, float]:
        """Return both measurements of the round with the median ratio; they were taken one after the other."""
        rounds = sorted(self.rounds, key=lambda measured: measured[theirs] / measured[ours])
        middle = rounds[len(rounds) // 2]
        return middle[ours], middle[theirs]


def interleaved(measures: Mapping[str, Callable[[], float]], times: int = 5) -> Rounds:
    """Measure several things in turns.

    The clock of a shared processor may change by a factor of 1.7 and then stay so. Separate series are therefore not
    comparable, nor are their minima, if only one series had the faster clock.
    """
    gc.collect()
    gc.freeze()  # earlier objects must not affect the measurements
    return Rounds([{name: measure() for name, measure in measures.items()} for _ in range(times)])


def cpu(work: Callable[[], object]) -> Callable[[], float]:
    """Return a function that measures the CPU time of some work in this process."""
    return lambda: _once(work)


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def show(figures: list[Figure]) -> str:
    """Return the figures as a text table."""
    rows = [("what", "value", "unit", "against", "ratio", "target"), *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (map(str.ljust, row, widths) for row in rows)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _row(figure: Figure) -> tuple[str, ...]:
    large = 1000
    value = f"{figure.value:,.0f}" if figure.value >= large else f"{figure.value:.4g}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return figure.name, value, figure.unit, figure.against, ratio, mark(figure.name, figure.ratio)


def write(figures: list[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
