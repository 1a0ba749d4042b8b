"""What a run may cost without an approval, and what limits and approvals are compared with. Pure."""

from decimal import Decimal
from typing import NamedTuple

from conveyor.domain.drop import MAX_USD
from conveyor.domain.plan import Probe, ValidatedDrop
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.money.bounds import NoBound
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast
from conveyor.wording.bounds import forecast_words
from conveyor.wording.text import exact_dollars

_NONE = Decimal(0)
_UNPRICED = frozenset({NoBound.PRICE.value, NoBound.API.value})


class Limit(NamedTuple):
    """An amount above which a run waits for a person."""

    code: ReasonCode
    usd: Decimal
    words: str
    """Whose limit it is: a sentence without its end."""


def limits_of(run: Run, drop: ValidatedDrop) -> list[Limit]:
    """Return the limits of the stack, of the project when the drop was validated, and of the drop itself.

    All of them hold, so a drop can only lower what it may cost.
    """
    limits, hold_above = [], Decimal(str(run.settings.hold_above_usd))
    if hold_above:
        words = f"the stack sends up to {exact_dollars(hold_above)} without an approval (HoldAboveUsd)"
        limits.append(Limit(ReasonCode.HOLD_ABOVE, hold_above, words))
    if drop.usd_per_drop is not None:
        words = f'a drop of the project "{run.project}" may cost {exact_dollars(drop.usd_per_drop)} (usd_per_drop)'
        limits.append(Limit(ReasonCode.CEILING, drop.usd_per_drop, words))
    if run.max_usd is not None:
        words = f"the drop may cost {exact_dollars(run.max_usd)} (metadata {MAX_USD})"
        limits.append(Limit(ReasonCode.MAX_USD, run.max_usd, words))
    return limits


class Cost(NamedTuple):
    """What a run, or its probe, may cost."""

    text: str
    """In words, with its subject."""
    usd: Decimal
    """As far as it is known."""
    is_bound: bool = True
    """Whether it can cost no more. What has no bound is above each limit of a project, and of a drop."""
    is_out_of_sight: bool = False
    """Whether it has no bound for other reasons than prices: then it is above what the stack sends unasked, too.

    Models without a price are held only where a project or the drop has a limit.
    """


def cost_at_most(estimate: Estimate | None) -> Cost:
    """Return what a run can cost at most, as limits are compared with it."""
    if estimate is None:
        return Cost("its cost has no bound", _NONE, is_bound=False, is_out_of_sight=True)
    if estimate.at_most_usd is not None:
        return Cost(f"it may cost up to {exact_dollars(estimate.at_most_usd)}", estimate.at_most_usd)
    known = sum((each.at_most_usd or _NONE for each in estimate.models.values()), _NONE)
    is_unpriced = bool(estimate.no_bound) and _UNPRICED.issuperset(estimate.no_bound)
    return Cost("its cost has no bound", known, is_bound=False, is_out_of_sight=not is_unpriced)


def cost_of_probe(probe: Probe) -> Cost:
    """Return what a probe can cost at most. If it has no bound, only a limit of its project keeps it from being sent.

    What it costs shows what the run will cost.
    """
    if probe.at_most_usd is None:
        return Cost("the cost of its probe has no bound", _NONE, is_bound=False)
    return Cost(f"its probe may cost up to {exact_dollars(probe.at_most_usd)}", probe.at_most_usd)


def cost_of_forecast(forecast: Forecast) -> Cost:
    """Return what a run will cost, as the probe has shown: limits are compared with the upper end."""
    return Cost(f"it will cost {forecast_words(forecast)}", forecast.high_usd)


def above_limits(run: Run, drop: ValidatedDrop, cost: Cost) -> list[Reason]:
    """Return the limits that a run may be above."""
    above = {
        ReasonCode.HOLD_ABOVE: cost.is_out_of_sight,
        ReasonCode.CEILING: not cost.is_bound,
        ReasonCode.MAX_USD: not cost.is_bound,
    }
    limits = [limit for limit in limits_of(run, drop) if above[limit.code] or cost.usd > limit.usd]
    return [Reason(limit.code, f"{cost.text}, and {limit.words}") for limit in limits]


def above_approved(cost: Cost, up_to: Decimal | None) -> list[Reason]:
    """Return why a run may be above the amount that a person has approved, if it may. `up_to`: None for any amount."""
    if up_to is None or (cost.is_bound and cost.usd <= up_to):
        return []
    words = f"{exact_dollars(up_to)} was approved for the whole run"
    return [Reason(ReasonCode.OVER_APPROVED, f"{cost.text}, and {words}")]


def unasked_usd(run: Run, drop: ValidatedDrop) -> Decimal | None:
    """Return what a run may cost without an approval, by all of its limits; None if there is none."""
    return min((limit.usd for limit in limits_of(run, drop)), default=None)
