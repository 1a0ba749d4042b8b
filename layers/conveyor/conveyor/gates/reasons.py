"""Why the gate after validation is closed. Pure: it follows from the run and its plan alone."""

from collections.abc import Iterator
from decimal import Decimal

from conveyor.domain.drop import HOLD
from conveyor.domain.plan import ValidatedDrop
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.wording.text import counted, exact_dollars, one_line

_MOST_MODELS = 5
_LONGEST_MODEL = 60


def reasons_of(run: Run, drop: ValidatedDrop) -> list[Reason]:
    """Return why a run waits for a person before anything is paid; empty if it does not."""
    return [*_asked(run), *_of_config(run, drop), *_above(run, drop), *_of_models(run, drop)]


def _asked(run: Run) -> Iterator[Reason]:
    if HOLD in run.drop.metadata:
        yield Reason(ReasonCode.ASKED, f"the drop asks for an approval (metadata {HOLD}={run.drop.metadata[HOLD]})")


def _of_config(run: Run, drop: ValidatedDrop) -> Iterator[Reason]:
    """Name the faults of when the run began, and of when the drop was validated, which may be hours later."""
    for fault in dict.fromkeys((*run.config_faults, *drop.config_faults)):
        yield Reason(ReasonCode.CONFIG, f"a file with limits or prices is wrong: {fault}")


def _above(run: Run, drop: ValidatedDrop) -> Iterator[Reason]:
    """Compare what the run may cost at most with the limits of the stack and of the project."""
    hold_above = Decimal(str(run.settings.hold_above_usd))
    if hold_above and _exceeds(drop.estimate, hold_above):
        limit = f"the stack sends up to {exact_dollars(hold_above)} without an approval (HoldAboveUsd)"
        yield Reason(ReasonCode.HOLD_ABOVE, f"{_cost(drop.estimate)}, and {limit}")
    if drop.usd_per_drop is not None and _exceeds(drop.estimate, drop.usd_per_drop):
        limit = f'a drop of the project "{run.project}" may cost {exact_dollars(drop.usd_per_drop)} (usd_per_drop)'
        yield Reason(ReasonCode.CEILING, f"{_cost(drop.estimate)}, and {limit}")


def unasked_usd(run: Run, drop: ValidatedDrop) -> Decimal | None:
    """Return what a run may cost without an approval, by the limits of stack and project; None if there is none."""
    limits = [Decimal(str(run.settings.hold_above_usd)) or None, drop.usd_per_drop]
    return min((limit for limit in limits if limit is not None), default=None)


def _exceeds(estimate: Estimate | None, limit: Decimal) -> bool:
    return estimate is None or estimate.at_most_usd is None or estimate.at_most_usd > limit


def _cost(estimate: Estimate | None) -> str:
    if estimate is None or estimate.at_most_usd is None:
        return "its cost has no bound"
    return f"it may cost up to {exact_dollars(estimate.at_most_usd)}"


def _of_models(run: Run, drop: ValidatedDrop) -> Iterator[Reason]:
    """Compare the models that the drop names with those that its project may use."""
    if drop.models is None or drop.estimate is None:
        return
    others = [model for model in drop.estimate.models if model not in drop.models]
    if drop.estimate.has_too_many_models:
        others.append("more models than are looked at")
    if others:
        named = ", ".join(one_line(model, _LONGEST_MODEL) or '""' for model in others[:_MOST_MODELS])
        more = len(others) - _MOST_MODELS
        rest = f" and {counted(more, 'more model')}" if more > 0 else ""
        yield Reason(ReasonCode.MODEL, f'the project "{run.project}" may not use {named}{rest} (models)')
