"""What a run may cost without an approval, and whether its forecast is above that. Pure."""

from decimal import Decimal
from typing import NamedTuple

from conveyor.domain.plan import ValidatedDrop
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.money.forecast import Forecast
from conveyor.wording.bounds import forecast_words
from conveyor.wording.text import exact_dollars


class Limit(NamedTuple):
    """An amount above which a run waits for a person."""

    code: ReasonCode
    usd: Decimal
    words: str
    """Whose limit it is: a sentence without its end."""


def limits_of(run: Run, drop: ValidatedDrop) -> list[Limit]:
    """Return the limits of the stack and of the project, when the drop was validated."""
    limits, hold_above = [], Decimal(str(run.settings.hold_above_usd))
    if hold_above:
        words = f"the stack sends up to {exact_dollars(hold_above)} without an approval (HoldAboveUsd)"
        limits.append(Limit(ReasonCode.HOLD_ABOVE, hold_above, words))
    if drop.usd_per_drop is not None:
        words = f'a drop of the project "{run.project}" may cost {exact_dollars(drop.usd_per_drop)} (usd_per_drop)'
        limits.append(Limit(ReasonCode.CEILING, drop.usd_per_drop, words))
    return limits


def above_forecast(run: Run, drop: ValidatedDrop, forecast: Forecast, approved: Decimal | None = None) -> list[Reason]:
    """Return the limits that a run may be above, by the upper end of its forecast.

    `approved`: the amount that a person has approved, in place of the limits of stack and project; None if nobody has.
    """
    if approved is not None:
        words = f"{exact_dollars(approved)} was approved for the whole run"
        limits = [Limit(ReasonCode.OVER_APPROVED, approved, words)]
    else:
        limits = limits_of(run, drop)
    cost = f"it will cost {forecast_words(forecast)}"
    return [Reason(each.code, f"{cost}, and {each.words}") for each in limits if forecast.high_usd > each.usd]
