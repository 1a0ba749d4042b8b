"""What became of the requests, and why some failed."""

from collections.abc import Sequence

import msgspec

from conveyor.domain.outcome import Outcome
from conveyor.ledger.failure_counts import ErrorKind, Example
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.causes import Cause, without_quotes
from conveyor.verdict.headline import cut_off
from conveyor.verdict.kinds import KINDS

MOST_CAUSES = 20
"""Causes that are shown one by one, the largest first; the others are one row."""
MOST_EXAMPLES = 3


class OutcomeRow(msgspec.Struct):
    """Requests with one outcome."""

    outcome: str
    """`complete`, `cut_off`, `not_run`, or an outcome of the receipt."""
    requests: int


class CauseRow(msgspec.Struct):
    """Requests that failed for one reason."""

    type: str
    meaning: str
    """The type in our own words; empty if it is not known."""
    words: str
    """The provider's text, with numbers replaced; empty if nothing is known but the type."""
    lines: int
    is_retryable: bool
    examples: list[Example]


class OtherCauses(msgspec.Struct):
    """The causes that are not shown one by one."""

    causes: int = 0
    lines: int = 0


def outcomes_of(receipt: Receipt) -> list[OutcomeRow]:
    """Return the requests by outcome, without outcomes that did not occur; they add up to the drop."""
    cut = min(cut_off(receipt), receipt.results)
    counts = [("complete", receipt.results - cut), ("cut_off", cut)]
    counts += [(each.value, receipt.outcomes.get(each, 0)) for each in Outcome if each is not Outcome.SUCCEEDED]
    counts.append(("not_run", receipt.not_run))
    return [OutcomeRow(outcome, count) for outcome, count in counts if count > 0]


def cause_rows(receipt: Receipt, causes: Sequence[Cause]) -> tuple[list[CauseRow], OtherCauses]:
    """Return the largest causes with their examples, and what the others come to. `causes`: the largest first."""
    rows = [_row(receipt, cause) for cause in causes[:MOST_CAUSES]]
    left = causes[MOST_CAUSES:]
    return rows, OtherCauses(len(left), sum(cause.lines for cause in left))


def _row(receipt: Receipt, cause: Cause) -> CauseRow:
    kind = receipt.errors.get(cause.type, ErrorKind())
    same = [text for text in kind.words if without_quotes(text) == cause.words]
    words = same[0] if same else ""
    texts = same or [text for text in kind.examples if text not in kind.words]
    examples = [example for text in texts for example in kind.examples.get(text, [])]
    is_invalid = receipt.findings is not None and cause.type in receipt.findings.codes
    meaning = "left out as invalid" if is_invalid else KINDS.get(cause.type, "")
    return CauseRow(cause.type, meaning, words, cause.lines, cause.is_retryable, _chosen(examples))


def _chosen(examples: list[Example]) -> list[Example]:
    """Return the first, one from the middle, and the last, in the order of the drop."""
    if len(examples) <= MOST_EXAMPLES:
        return examples
    in_order = sorted(examples, key=lambda each: (each.line is None, each.line or 0))
    return [in_order[0], in_order[len(in_order) // 2], in_order[-1]]
