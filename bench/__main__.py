"""`make bench`: measure, print one table, and write it to bench.json."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from bench import PROJECT, coldstart, cost, endtoend, memory, rivals, splitting, validating
from bench.children import compiled
from bench.drops import write_drop
from bench.figures import Figure, show, write
from local.process import interruptible

BYTES_PER_REQUEST = 2_000
INTERRUPTED = 130


class Bench:
    """All groups of measurements by name, with the sizes from the command line."""

    def __init__(self, work: Path, requests: int, sizes: Sequence[str]) -> None:
        """Create the groups; some share a drop, which is written into `work`."""
        self._work = work
        self._requests = requests
        self.groups: dict[str, Callable[[], Iterator[Figure]]] = {
            "validate": lambda: validating.figures(self._drop, requests),
            "split": lambda: splitting.figures(self._drop, requests),
            "coldstart": coldstart.figures,
            "memory": lambda: memory.figures(sizes),
            "sdk": lambda: rivals.figures(requests // 2),
            "endtoend": lambda: endtoend.figures(requests),
            "cost": lambda: cost.figures(requests),
        }

    @cached_property
    def _drop(self) -> Path:
        path = self._work / "drop.jsonl"
        write_drop(path, BYTES_PER_REQUEST * self._requests, self._requests)
        return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen groups; return the exit code, which does not depend on the figures."""
    options = _parse(arguments)
    measured: list[Figure] = []
    try:
        with interruptible(), compiled(), TemporaryDirectory(prefix="conveyor-bench-") as work:
            _measure(Bench(Path(work), options.requests, options.sizes), options.groups, measured)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:  # keep what was measured before an error
        if measured:
            print(show(measured))
            write(measured, PROJECT / "bench.json")
    return 0


def _measure(bench: Bench, groups: Sequence[str], measured: list[Figure]) -> None:
    start = monotonic()
    for name, figures in bench.groups.items():
        if name in (groups or bench.groups):
            for figure in figures():
                print(f"{monotonic() - start:6.1f} s  {figure.name}", file=sys.stderr)
                measured.append(figure)


def _parse(arguments: Sequence[str] | None) -> Namespace:
    names = list(Bench(Path(), 0, ()).groups)
    parser = ArgumentParser(prog="python -m bench", description="Measure, print a table, and write bench.json.")
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(names)}; all without any")
    parser.add_argument("--requests", type=int, default=100_000, help="of the drops, where they have no size (100000)")
    parser.add_argument(
        "--sizes", nargs="+", choices=memory.SIZES, default=list(memory.SIZES), help="of memory's drops"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - set(names):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
