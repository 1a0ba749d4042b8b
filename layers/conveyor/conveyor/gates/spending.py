"""Whether a batch fits into what a person approved: each paid call is counted with the most that it can cost."""

from decimal import Decimal
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.plan import Batch, Plan
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.part import Part
from conveyor.ledger.state import BatchState, RunState
from conveyor.wording.text import exact_dollars


class Over(NamedTuple):
    """A batch may cost more than is left."""

    reason: Reason
    need: Decimal
    """What the whole run may cost, with all that was paid for twice."""


def over_approved(context: RunContext, run_state: RunState, plan: Plan, batch: Batch, up_to: Decimal) -> Over | None:
    """Return why a batch does not fit into an approved amount; None if it does.

    Batches that are split count with their real cost, but only if the sum without that is too high: to read it takes
    a request for each of them.
    """
    this = batch.at_most_usd or Decimal(0)
    spent = sum(_counted(each, run_state.batch(each.number)) for each in plan.batches)
    if spent + this <= up_to:
        return None
    saved = sum((_saved(context, each, run_state.batch(each.number)) for each in plan.batches), Decimal(0))
    spent -= saved
    if spent + this <= up_to:
        return None
    left = exact_dollars(max(up_to - spent, Decimal(0)))
    text = f"batch {batch.number} may cost {exact_dollars(this)}, and {left} is left of the {exact_dollars(up_to)}"
    unsent = sum((each.at_most_usd or Decimal(0) for each in plan.batches if not _paid(run_state, each)), Decimal(0))
    return Over(Reason(ReasonCode.OVER_APPROVED, f"{text} that were approved"), spent + unsent)


def _paid(run_state: RunState, batch: Batch) -> bool:
    return _times(run_state.batch(batch.number)) > 0


def _times(batch_state: BatchState) -> int:
    """Return how often a batch was paid for, or may have been."""
    was_sent = batch_state.submitted or batch_state.stuck or batch_state.unsettled_attempt is not None
    return int(was_sent) + len(batch_state.duplicates)


def _counted(batch: Batch, batch_state: BatchState) -> Decimal:
    return (batch.at_most_usd or Decimal(0)) * _times(batch_state)


def _saved(context: RunContext, batch: Batch, batch_state: BatchState) -> Decimal:
    """Return by how much a split batch cost less than it could have; 0 if its cost is not known."""
    if not batch_state.parted or not batch_state.submitted or batch.at_most_usd is None:
        return Decimal(0)
    costs = [tokens.cost_usd for tokens in context.ledger.read(Part, batch.number).tokens.values()]
    known = [cost for cost in costs if cost is not None]
    return max(batch.at_most_usd - sum(known, Decimal(0)), Decimal(0)) if len(known) == len(costs) else Decimal(0)
