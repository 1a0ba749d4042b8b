"""Whether a run may pay: only where its latest gate is open, or was approved.

Only facts that say so count. A run whose plan is written and whose first gate is not stands before it: `submit` writes
that gate from the plan. Plans of earlier versions have no gates, and may be paid for unless a person pauses the run.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.plan import Batch, Plan
from conveyor.gates.reasons import reasons_of, unasked_usd
from conveyor.gates.spending import need_of, over_approved
from conveyor.ledger.batch_facts import AttemptAbsent
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import RunState


class ClosedGate(NamedTuple):
    """The latest gate of a run, which is closed and has not ended."""

    number: int
    gate: Gate


class Held(NamedTuple):
    """A run that stands at a closed gate."""

    number: int
    gate: Gate
    plan: Plan
    problem: str | None = None
    """Why an approval that a person wrote opens nothing: a sentence without its end."""
    sent: int = 0
    """How many requests were sent, or may have been."""


def open_gate(context: RunContext, run_state: RunState, plan: Plan, batch: Batch) -> int | None:
    """Return the number of the gate that lets a batch be paid for; None if none does.

    Writes the first gate if that is due, and closes another if the batch may cost more than is left of what was
    approved, or of what the limits allow without that. Returns 0 for a run of an earlier version, which has no gate.
    """
    number = run_state.gate
    if not number:
        return 0 if not plan.drop.is_gated else 1 if first_gate(context, plan).open else None
    if number in run_state.ended_gates:
        end = context.ledger.read(GateEnd, number)
        is_passed, up_to = end.how is Ending.APPROVED, end.up_to
    else:
        is_passed, up_to = context.ledger.read(Gate, number).open, unasked_usd(context.run, plan.drop)
    if not is_passed:
        return None
    if up_to is not None and (over := over_approved(context, run_state, plan, batch, up_to)):
        close(context, number + 1, [over.reason], over.need)
        return None
    return number


def stands_at_gate(ledger: Ledger, run_state: RunState) -> bool:
    """Return whether a run, this one or another, stands at a closed gate."""
    if not run_state.gate or run_state.gate in run_state.ended_gates:
        return False
    return not ledger.read(Gate, run_state.gate).open


def closed_gate(context: RunContext, run_state: RunState) -> ClosedGate | None:
    """Return the latest gate if it is closed and has not ended."""
    if not run_state.gate or run_state.gate in run_state.ended_gates:
        return None
    gate = context.ledger.read(Gate, run_state.gate)
    return None if gate.open else ClosedGate(run_state.gate, gate)


def first_gate(context: RunContext, plan: Plan) -> Gate:
    """Write the gate after validation, and return the one that stands."""
    reasons = reasons_of(context.run, plan.drop)
    if reasons:
        return close(context, 1, reasons, need_of(context, RunState(), plan))
    need = need_of(context, RunState(), plan)
    return context.ledger.write(Gate(context.writer, context.now(), open=True, need_usd=need), 1)


def close(
    context: RunContext, number: int, reasons: list[Reason], need: Decimal | None, pauses: list[str] | None = None
) -> Gate:
    """Write that a gate is closed, and return the fact that stands.

    `need`: what the whole run may cost at most. `pauses`: see `Gate`.
    """
    now, hours = context.now(), context.run.settings.hold_hours
    gate = Gate(
        context.writer,
        now,
        open=False,
        reasons=reasons,
        need_usd=need,
        until=now + timedelta(hours=hours),
        pauses=pauses or [],
    )
    return context.ledger.write(gate, number)


def count_sent(context: RunContext, plan: Plan, run_state: RunState) -> int:
    """Return how many requests were sent, or may have been.

    A person may be wrong in saying that an attempt created no batch.
    """

    def may_be_sent(number: int) -> bool:
        each = run_state.batch(number)
        absent = (context.ledger.read(AttemptAbsent, number, attempt) for attempt in sorted(each.absent))
        return bool(each.submitted or each.stuck or each.unsettled_attempt) or any(fact.released for fact in absent)

    return sum(batch.requests for batch in plan.batches if may_be_sent(batch.number))


def needs_to_pay(plan: Plan, run_state: RunState) -> bool:
    """Return whether a batch is not sent yet, as far as is known: only then does a gate matter."""
    states = [run_state.batch(batch.number) for batch in plan.batches]
    return not run_state.refused and any(not (each.submitted or each.stuck or each.parted) for each in states)
