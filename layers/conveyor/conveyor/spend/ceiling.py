"""The ceiling of a day that a batch is under, and what the batch needs of it."""

from decimal import Decimal
from typing import NamedTuple

from conveyor.config import Config
from conveyor.context import RunContext
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.schedule import BatchName
from conveyor.gates.gate import is_approved_for, latest_gate
from conveyor.gates.spending import Spending
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.state import RunState
from conveyor.wording.text import exact_dollars


class Ceiling(NamedTuple):
    """What the runs of a project may spend in one day, together."""

    log: str
    """Whose log it is: the project's, or that of all projects that have no limits of their own."""
    usd: Decimal


class Need(NamedTuple):
    """What a batch needs of a day."""

    usd: Decimal
    is_alone: bool = False
    """Whether it needs a day on which nothing else is spent: it may cost more than a whole day's ceiling."""

    def fits(self, taken: Decimal, ceiling: Decimal) -> bool:
        """Return whether there is room for it. `taken`: of the day so far."""
        return not taken if self.is_alone else taken + self.usd <= ceiling


def ceiling_of(config: Config, project: str) -> Ceiling | None:
    """Return the ceiling of a project's day; None if it has none."""
    usd = config.budgets.of(project).usd_per_day
    if usd is None:
        return None
    return Ceiling(config.budgets.counted_as(project), usd)


def faults_of(config: Config) -> list[Reason]:
    """Return why nobody knows the ceiling, if nobody does: that is not the same as none."""
    if config.knows_projects:
        return []
    return [Reason(ReasonCode.BUDGETS_UNREAD, f"a file with limits is wrong: {fault}") for fault in config.faults]


def need_of(context: RunContext, run_state: RunState, plan: Plan, batch: Batch, ceiling: Ceiling) -> Need | Reason:
    """Return what a batch needs of a day, or why a person must say first that it may be sent.

    A batch that may cost more than a whole day's ceiling would wait for ever. Approved, it has a day for itself.
    """
    latest = latest_gate(context, run_state)
    spending = Spending(context, run_state, plan, latest.gate.forecast if latest else None)
    most = spending.bound(context.leg, batch)
    if most is not None and most <= ceiling.usd:
        return Need(most)
    if is_approved_for(context, run_state, ReasonCode.DAY):
        return Need(ceiling.usd if most is None else most, is_alone=True)
    cost = "has no bound of its cost" if most is None else f"may cost {exact_dollars(most)}"
    whose = f'the project "{context.run.project}" may spend {exact_dollars(ceiling.usd)} a day (usd_per_day)'
    return Reason(ReasonCode.DAY, f"{BatchName(context.leg, batch.number)} {cost}, and {whose}")
