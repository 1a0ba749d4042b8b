"""How a run has ended, for a person and for programs. Pure: from its receipt, or from its entry in the index."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from conveyor.domain.findings import FirstFault
from conveyor.domain.outcome import MAY_BE_BILLED
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.report.charges import cost_of
from conveyor.report.headline import headline_of, is_half_way, is_unsent
from conveyor.report.receipt import Receipt
from conveyor.spend.index_entry import IndexEntry
from conveyor.wording.text import sentence
from conveyor_cli.exits import Exit, exit_of
from conveyor_cli.screen.marks import Mark
from conveyor_cli.screen.words import money
from conveyor_cli.state import ended
from conveyor_cli.verdicts.causes import MOST_CAUSES, Cause, causes_of
from conveyor_cli.verdicts.checks import Check, checks_of, cut_off
from conveyor_cli.verdicts.steps import Step, open_matters, steps_of

SETTLED = "Nothing is running, and nothing more is charged."
ERASED = "What was in it was erased."
_UNREADABLE = "Its receipt cannot be read: it is of a project that is not yours, or was deleted."
_MARKS = {
    Status.COMPLETED: Mark.OK,
    Status.ESTIMATED: Mark.OK,
    Status.STOPPED: Mark.NOT_SENT,
    Status.DECLINED: Mark.NOT_SENT,
}
"""Of all others it is that of an error."""


class Verdict(NamedTuple):
    """How a run has ended."""

    mark: Mark
    first: str
    """What happened, without a full stop."""
    second: str
    """What it cost, and whether anything is open: sentences."""
    exit: Exit
    as_json: dict[str, Any]
    checks: Sequence[Check] = ()
    causes: Sequence[Cause] = ()
    faults: Sequence[FirstFault] = ()
    """Of a drop that was refused for its lines: the first ones."""
    steps: Sequence[Step] = ()

    @property
    def status(self) -> str:
        """As in the receipt, such as "completed"."""
        status: Status = self.as_json["status"]
        return status.value

    @property
    def main_causes(self) -> Sequence[Cause]:
        """The largest causes."""
        return self.causes[:MOST_CAUSES]


def verdict_of(receipt: Receipt, called: str | None = None) -> Verdict:
    """Return how a run has ended. The first sentences are those of its message.

    `called`: what commands call the run; by default its name.
    """
    first, *rest = headline_of(receipt).sentences
    ended_as = exit_of(receipt.status, receipt.failures)
    causes = causes_of(receipt)
    return Verdict(
        _mark(receipt),
        first.rstrip("."),
        " ".join([*rest, *_why(receipt), cost_of(receipt), *_what_is_open(receipt)]),
        ended_as,
        _as_json(receipt, ended_as, causes),
        checks_of(receipt),
        causes,
        list(receipt.findings.first) if receipt.findings and is_unsent(receipt) else [],
        steps_of(receipt, called or receipt.name),
    )


def verdict_by_entry(entry: IndexEntry, name: str, *, is_erased: bool = False) -> Verdict:
    """Return what a run's entry in the index says of its end, where its receipt cannot be read, or was erased."""
    state = ended(entry)
    status = Status(entry.status)
    counts = f"{entry.results:,} of {entry.requests:,} requests have an answer, {entry.failures:,} failed"
    cost = money(entry.usd, is_lower_bound=entry.is_lower_bound) if entry.usd is not None else "not known"
    second = f"{counts}; its cost is {cost}. {ERASED if is_erased else _UNREADABLE}"
    ended_as = exit_of(status, entry.failures)
    known: dict[str, Any] = {
        "status": status, "code": None, "exit": ended_as, "requests": entry.requests, "results": entry.results,
        "failures": entry.failures, "cut_off": None, "retryable": None, "cost_usd": entry.usd, "forecast_usd": None,
        "at_most_usd": None, "seconds": None, "causes": [], "files": {},
    }  # fmt: skip
    return Verdict(state.mark, f"{name} has ended: {state.words}", second, ended_as, known)


def is_settled(receipt: Receipt) -> bool:
    """Return whether it is certain that nothing runs, and nothing more is charged."""
    if receipt.status in {Status.STUCK, Status.UNBALANCED}:
        return False
    is_known = not any(receipt.outcomes[outcome] for outcome in MAY_BE_BILLED)
    return is_known and not receipt.unanswered and not any(batch.duplicates for batch in receipt.all_batches)


def _mark(receipt: Receipt) -> Mark:
    if receipt.status is Status.COMPLETED and (receipt.failures or is_half_way(receipt)):
        return Mark.SOME_FAILED
    return _MARKS.get(receipt.status, Mark.ERROR)


def _why(receipt: Receipt) -> list[str]:
    """Say why not all was sent, where the first sentences do not."""
    is_told = is_unsent(receipt) or receipt.code in {None, STOPPED, DECLINED}
    return [] if is_told or not receipt.reason else [sentence(f"Why: {receipt.reason}")]


def _what_is_open(receipt: Receipt) -> list[str]:
    if is_unsent(receipt):
        return []  # the sentence about its cost says so
    if receipt.status is Status.UNBALANCED:
        return ["Send nothing again."]
    return [SETTLED] if is_settled(receipt) else open_matters(receipt)


def _as_json(receipt: Receipt, ended_as: Exit, causes: list[Cause]) -> dict[str, Any]:
    """Return it for programs: money as `Decimal`, and times in seconds."""
    last = max((batch.split_at for batch in receipt.all_batches), default=None)
    return {
        "status": receipt.status,
        "code": receipt.code,
        "exit": ended_as,
        "requests": receipt.requests,
        "results": receipt.results,
        "failures": receipt.failures,
        "not_run": receipt.not_run,
        "cut_off": cut_off(receipt),
        "retryable": receipt.retryable,
        "cost_usd": receipt.cost_usd,
        "forecast_usd": receipt.forecast_usd,
        "at_most_usd": receipt.at_most_usd,
        "seconds": int((last - receipt.received_at).total_seconds()) if last else None,
        "settled": is_settled(receipt),
        "causes": [
            {"type": each.type, "words": each.words, "lines": each.lines, "retryable": each.is_retryable}
            for each in causes[:MOST_CAUSES]
        ],
        "faults": [
            {"line": each.line, "code": each.code, "message": each.message}
            for each in (receipt.findings.first if receipt.findings else [])
        ],
        "files": {
            file.key.rpartition("/")[2].partition(".")[0]: f"s3://{receipt.drop['bucket']}/{file.key}"
            for file in receipt.files
        },
    }
