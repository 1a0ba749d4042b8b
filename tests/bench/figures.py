"""What was measured: one line of the table each."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A value, and what it is held against: `ratio` is how many times better or worse, as the unit has it."""

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None


def cpu_seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the least processor time of some repetitions: what else the machine does only ever adds."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def median(measure: Callable[[], float], times: int) -> float:
    """Return the median of some measurements."""
    return statistics.median(measure() for _ in range(times))


def show(figures: list[Figure]) -> str:
    """Return a table for people."""
    rows = [("what", "value", "unit", "against", "ratio"), *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (map(str.ljust, row, widths) for row in rows)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _row(figure: Figure) -> tuple[str, ...]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return figure.name, f"{figure.value:,.4g}", figure.unit, figure.against, ratio


def write(figures: list[Figure], path: Path) -> None:
    """Write the same for machines."""
    path.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")
