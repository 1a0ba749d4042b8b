"""How a run has ended, with the exit code of the command; also where its receipt cannot be read."""

from typing import Any, Self

from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.spend.index_entry import IndexEntry
from conveyor.verdict.verdict import Verdict, verdict_of
from conveyor.wording.numbers import money
from conveyor_cli.exits import Exit, exit_of
from conveyor_cli.state import ended

ERASED = "What was in it was erased."
_UNREADABLE = "Its receipt cannot be read: it is of a project that is not yours, or was deleted."


class EndOfRun(Verdict):
    """The verdict of a run, and the exit code that says the same."""

    __slots__ = ()

    @property
    def exit(self) -> Exit:
        """The exit code of a command that followed the run."""
        return exit_of(self.status, self.as_json["failures"])

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Add the exit code, to what programs read, too."""
        end = cls(*verdict)
        return cls(*verdict._replace(as_json=verdict.as_json | {"exit": end.exit}))


def end_of(receipt: Receipt, called: str | None = None) -> EndOfRun:
    """Return how a run has ended. `called`: what commands call it; by default its name."""
    return EndOfRun.of(verdict_of(receipt, called))


def end_by_entry(entry: IndexEntry, name: str, *, is_erased: bool = False) -> EndOfRun:
    """Return what a run's entry in the index says of its end, where its receipt cannot be read, or was erased."""
    state = ended(entry)
    status = Status(entry.status)
    counts = f"{entry.results:,} of {entry.requests:,} requests have an answer, {entry.failures:,} failed"
    cost = money(entry.usd, is_lower_bound=entry.is_lower_bound) if entry.usd is not None else "not known"
    second = f"{counts}; its cost is {cost}. {ERASED if is_erased else _UNREADABLE}"
    known: dict[str, Any] = {
        "status": status, "code": None, "requests": entry.requests, "results": entry.results,
        "failures": entry.failures, "cut_off": None, "retryable": None, "cost_usd": entry.usd, "forecast_usd": None,
        "at_most_usd": None, "seconds": None, "causes": [], "files": {},
    }  # fmt: skip
    return EndOfRun.of(Verdict(state.mark, f"{name} has ended: {state.words}", second, status, known))
