"""Whether a sample of a drop is answered before the rest is sent. Pure: it follows from the run and its plan alone."""

from decimal import Decimal

from conveyor.domain.drop import PROBE, PROBE_YES
from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.limits import above_limits, cost_at_most
from conveyor.ledger.run_facts import Run


def is_probed(run: Run, drop: ValidatedDrop, requests: int, usd_per_day: Decimal | None = None) -> bool:
    """Tell whether a drop with so many valid requests is probed: it asks for it, is large, or may cost too much.

    A run of any size is probed where *at most* is above a limit: the forecast may show that it costs less.
    `usd_per_day`: what its project may spend in a day.
    """
    if PROBE in run.drop.metadata:
        return run.drop.metadata[PROBE] == PROBE_YES
    above, cost = run.settings.probe_above, cost_at_most(drop.estimate)
    is_above_day = usd_per_day is not None and (not cost.is_bound or cost.usd > usd_per_day)
    return above > 0 and (requests >= above or is_above_day or bool(above_limits(run, drop, cost)))
