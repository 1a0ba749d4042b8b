"""Whether a batch fits into what a person approved: each paid call is counted with the most that it can cost."""

from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Plan
from conveyor.ledger.batch_facts import AttemptAbsent
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
    """Return why a batch does not fit into an amount that a person or the limits allow; None if it does."""
    this, spent = _most(batch), spent_usd(context, run_state, plan)
    if spent + this <= up_to:
        return None
    left = exact_dollars(max(up_to - spent, Decimal(0)), ROUND_FLOOR)
    text = f"batch {batch.number} may cost {exact_dollars(this)}, and {left} is left of the {exact_dollars(up_to)}"
    need = spent + _unsent_usd(run_state, plan)
    return Over(Reason(ReasonCode.OVER_APPROVED, f"{text} that the run may cost"), need)


def need_of(context: RunContext, run_state: RunState, plan: Plan) -> Decimal | None:
    """Return what the whole run may cost at most, with what was paid for twice; None if there is no bound."""
    if plan.drop.estimate is None or plan.drop.estimate.at_most_usd is None:
        return None
    if not any(map(_times, run_state.batches.values())):
        return plan.drop.estimate.at_most_usd
    return spent_usd(context, run_state, plan) + _unsent_usd(run_state, plan)


def spent_usd(context: RunContext, run_state: RunState, plan: Plan) -> Decimal:
    """Return what was paid so far, or may have been: a batch that is split counts with its real cost if that is known.

    It takes a request for each batch that is split, and for each attempt that created none.
    """
    counted = [(each, run_state.batch(each.number)) for each in plan.batches]
    most = sum((_most(each) * _times(state) for each, state in counted), Decimal(0))
    return most - sum((_saved(context, each, state) for each, state in counted), Decimal(0))


def _unsent_usd(run_state: RunState, plan: Plan) -> Decimal:
    unsent = [each for each in plan.batches if not _is_paid(run_state.batch(each.number))]
    return sum(map(_most, unsent), Decimal(0))


def _most(batch: Batch) -> Decimal:
    return batch.at_most_usd or Decimal(0)


def _is_paid(batch_state: BatchState) -> bool:
    """Return whether a batch need not be paid for any more, as far as is known."""
    return bool(batch_state.submitted or batch_state.stuck or batch_state.unsettled_attempt)


def _times(batch_state: BatchState) -> int:
    """Return how often a batch was paid for, or may have been."""
    return int(_is_paid(batch_state)) + len(batch_state.duplicates) + len(batch_state.absent)


def _saved(context: RunContext, batch: Batch, batch_state: BatchState) -> Decimal:
    """Return by how much a batch cost less than it could have (below 0: more), as far as that is known.

    An attempt that created no batch by a person's word only may have created one.
    """
    absent = (context.ledger.read(AttemptAbsent, batch.number, attempt) for attempt in sorted(batch_state.absent))
    saved = _most(batch) * sum(not attempt.released for attempt in absent)
    cost = _cost(context, batch, batch_state)
    return saved if cost is None else saved + _most(batch) - cost


def _cost(context: RunContext, batch: Batch, batch_state: BatchState) -> Decimal | None:
    """Return what a split batch cost; None if that is not known.

    A result that could not be had or read may have been billed, and an answer that names no tokens has used some.
    """
    if not batch_state.parted or not batch_state.submitted or batch_state.stuck:
        return None
    part = context.ledger.read(Part, batch.number)
    if part.unreadable or part.outcomes.get(Outcome.MISSING):
        return None
    if not all(tokens.usage.prompt_tokens and tokens.usage.output_tokens for tokens in part.tokens.values()):
        return None
    costs = [tokens.cost_usd for tokens in part.tokens.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
