"""How a run has ended, for a person and for programs: from its receipt."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from conveyor.domain.findings import FirstFault
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.causes import MOST_CAUSES, Cause, causes_of
from conveyor.verdict.charges import NOT_CHARGED, cost_of, is_settled
from conveyor.verdict.checks import Check, checks_of
from conveyor.verdict.headline import cut_off, headline_of, is_half_way, is_unsent, seconds_of
from conveyor.verdict.steps import open_matters, steps_of
from conveyor.wording.mail import Step
from conveyor.wording.marks import Mark
from conveyor.wording.text import sentence

SETTLED = "Nothing is running, and nothing more is charged."
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
    status: Status
    as_json: dict[str, Any]
    checks: Sequence[Check] = ()
    causes: Sequence[Cause] = ()
    faults: Sequence[FirstFault] = ()
    """Of a drop that was refused for its lines: the first ones."""
    steps: Sequence[Step] = ()

    @property
    def main_causes(self) -> Sequence[Cause]:
        """The largest causes."""
        return self.causes[:MOST_CAUSES]


def verdict_of(receipt: Receipt, called: str | None = None) -> Verdict:
    """Return how a run has ended. The first sentences are those of its message.

    `called`: what commands call the run; by default its name.
    """
    headline = headline_of(receipt)
    causes = causes_of(receipt)
    return Verdict(
        _mark(receipt),
        headline.first.removesuffix("."),
        " ".join([*headline.rest, *_why(receipt), _cost(receipt), *_what_is_open(receipt)]),
        receipt.status,
        _as_json(receipt, causes),
        checks_of(receipt),
        causes,
        list(receipt.findings.first) if receipt.findings and is_unsent(receipt) else [],
        steps_of(receipt, called or receipt.name),
    )


def _mark(receipt: Receipt) -> Mark:
    if receipt.status is Status.COMPLETED and (receipt.failures or is_half_way(receipt)):
        return Mark.SOME_FAILED
    return _MARKS.get(receipt.status, Mark.ERROR)


def _cost(receipt: Receipt) -> str:
    if receipt.status is not Status.STUCK:
        return cost_of(receipt, says_time=receipt.status is not Status.STOPPED)
    whose = "It" if receipt.outcomes[Outcome.STUCK] == 1 else "They"
    return f"{whose} may have been charged. {cost_of(receipt).replace('It ', 'The run ', 1)}"


def _why(receipt: Receipt) -> list[str]:
    """Say why not all was sent, where the first sentences do not."""
    is_told = is_unsent(receipt) or receipt.code in {None, STOPPED, DECLINED}
    return [] if is_told or not receipt.reason else [sentence(f"Why: {receipt.reason}")]


def _what_is_open(receipt: Receipt) -> list[str]:
    if is_unsent(receipt):
        return []  # the sentence about its cost says so
    if receipt.status is Status.UNBALANCED:
        return ["Send nothing again."]
    if not is_settled(receipt):
        return open_matters(receipt)
    return [] if cost_of(receipt).lower().endswith(NOT_CHARGED) else [SETTLED]


def _as_json(receipt: Receipt, causes: list[Cause]) -> dict[str, Any]:
    """Return it for programs: money as `Decimal`, and times in seconds."""
    return {
        "status": receipt.status,
        "code": receipt.code,
        "requests": receipt.requests,
        "results": receipt.results,
        "failures": receipt.failures,
        "not_run": receipt.not_run,
        "cut_off": cut_off(receipt),
        "retryable": receipt.retryable,
        "cost_usd": receipt.cost_usd,
        "forecast_usd": receipt.forecast_usd,
        "at_most_usd": receipt.at_most_usd,
        "seconds": seconds_of(receipt),
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
