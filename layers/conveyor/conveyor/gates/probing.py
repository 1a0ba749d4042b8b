"""Whether a sample of a drop is answered before the rest is sent. Pure: it follows from the run and its plan alone."""

from decimal import Decimal

from conveyor.domain.drop import PROBE, PROBE_YES
from conveyor.domain.plan import ValidatedDrop
from conveyor.ledger.run_facts import Run
from conveyor.money.bounds import NoBound
from conveyor.money.estimate import Estimate

_WITHOUT_PRICE = {NoBound.PRICE, NoBound.API}
"""No reasons to hold a drop under `HoldAboveUsd`: a whole stack may have a provider whose prices nobody set."""


def is_probed(run: Run, drop: ValidatedDrop, requests: int) -> bool:
    """Tell whether a drop with so many valid requests is probed: it asks for it, is large, or may cost too much.

    A run of any size is probed where *at most* is above a limit: the forecast may show that it costs less.
    """
    if PROBE in run.drop.metadata:
        return run.drop.metadata[PROBE] == PROBE_YES
    above = run.settings.probe_above
    return above > 0 and (requests >= above or may_cost_too_much(run, drop))


def may_cost_too_much(run: Run, drop: ValidatedDrop) -> bool:
    """Tell whether what a run can cost at most is above the limit of the stack or of its project.

    What has no bound is above both, but for models without a price: these are only above the limit of a project.
    """
    hold_above = Decimal(str(run.settings.hold_above_usd))
    if hold_above and drop.estimate is not None and _priced_usd(drop.estimate) > hold_above:
        return True
    if hold_above and (drop.estimate is None or drop.estimate.no_bound.keys() - _WITHOUT_PRICE):
        return True
    at_most = drop.estimate.at_most_usd if drop.estimate else None
    return drop.usd_per_drop is not None and (at_most is None or at_most > drop.usd_per_drop)


def _priced_usd(estimate: Estimate) -> Decimal:
    """Return what the requests with a bound and a price can cost at most."""
    return sum((each.at_most_usd or Decimal(0) for each in estimate.models.values()), Decimal(0))
