"""What was promised of a run, each with its measured value."""

from enum import StrEnum
from typing import NamedTuple

from conveyor.domain.outcome import Outcome
from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import cut_off, is_unsent
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import money, number, rounded_up, share


class About(StrEnum):
    """What a check measures; its name for people may change."""

    LINES = "lines"
    FAILURES = "failures"
    LOST = "lost"
    ANSWERS = "answers"
    COST = "cost"


class Check(NamedTuple):
    """A promise, whether it was kept, and what was measured."""

    mark: Mark
    name: str
    value: str
    note: str
    about: About


def checks_of(receipt: Receipt) -> list[Check]:
    """Return the checks of a run of which anything was sent; none for others."""
    if is_unsent(receipt):
        return []
    checks = [_every_line(receipt)]
    if failed := receipt.failures - receipt.outcomes[Outcome.STUCK]:
        note = f"failed, {share(failed, receipt.requests)}"
        checks.append(Check(Mark.ERROR, "all answered", number(failed), note, About.FAILURES))
    if lost := receipt.outcomes[Outcome.STUCK]:
        note = "have no results, and may have been charged"
        checks.append(Check(Mark.UNKNOWN, "results came", number(lost), note, About.LOST))
    if receipt.results:
        checks.append(_whole_answers(receipt))
    return [*checks, _cost(receipt)]


def _every_line(receipt: Receipt) -> Check:
    parts = [(receipt.results, "results"), (receipt.failures, "failures"), (receipt.not_run, "not run")]
    note = " + ".join(f"{count:,} {what}" for count, what in parts if count)
    if receipt.status != Status.UNBALANCED:
        note = note if "+" in note else note.split()[-1]
        return Check(Mark.OK, "every line once", number(receipt.requests), note, About.LINES)
    counted = receipt.results + receipt.failures + receipt.not_run
    note = f"of {receipt.requests:,}: {note or 'none'}"
    return Check(Mark.ERROR, "every line once", number(counted), note, About.LINES)


def _whole_answers(receipt: Receipt) -> Check:
    if cut := cut_off(receipt):
        words = "was" if cut == 1 else "were"
        note = f"{words} cut off at max_tokens, {share(cut, receipt.results)}"
        return Check(Mark.LOOK, "answers complete", number(cut), note, About.ANSWERS)
    if not receipt.stop_reasons:
        return Check(Mark.UNKNOWN, "answers complete", "-", "the answers do not say why they ended", About.ANSWERS)
    return Check(Mark.OK, "answers complete", number(receipt.results), "0 reached max_tokens", About.ANSWERS)


def _cost(receipt: Receipt) -> Check:
    bounds = [("forecast", receipt.forecast_usd, money), ("at most", receipt.at_most_usd, rounded_up)]
    notes = [f"{what} {shown(usd)}" for what, usd, shown in bounds if usd is not None]
    is_more = bool(receipt.money.unpriced)
    if receipt.cost_usd is None:
        return Check(Mark.UNKNOWN, "cost", "-", ", ".join(["not known", *notes]), About.COST)
    most = receipt.at_most_usd
    mark = Mark.LOOK if is_more or (most is not None and receipt.cost_usd > most) else Mark.OK
    return Check(mark, "cost", money(receipt.cost_usd, is_lower_bound=is_more), ", ".join(notes), About.COST)
