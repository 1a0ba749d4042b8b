"""Saying which run is meant by a name that several runs have."""

from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.runs.find import find_named, newest_run
from conveyor_cli.screen.screen import Screen

_MOST_IDS = 2


def to_read(screen: Screen, bucket: Bucket, called: str | None) -> Run:
    """Return the run that is read; of several of a name the newest, which a line says. None: the newest of all."""
    if called is None:
        return newest_run(bucket)
    run, others = find_named(bucket, called)
    if others:
        screen.note(". ".join(_said(called, run, others, counted="at least ")))
    return run


def warn_of_others(screen: Screen, called: str, run: Run, others: tuple[str, ...]) -> None:
    """Warn before something is decided about a run, or paid, if its name has older runs, too."""
    if others:
        screen.caution(*_said(called, run, others))


def _said(called: str, run: Run, others: tuple[str, ...], counted: str = "") -> tuple[str, str]:
    """Return which run is meant, and how to name another. `counted`: what stands before their number."""
    left = len(others) - _MOST_IDS
    more = f", and {left:,} more: see conveyor runs" if left > 0 else ""
    meant = f'"{called}" is the name of {counted}{len(others) + 1:,} runs; the newest is meant, {run.run}'
    return meant, f"To mean another, type its id: {', '.join(others[:_MOST_IDS])}{more}"
