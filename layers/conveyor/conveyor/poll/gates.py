"""What becomes of a gate: people pause a run, approve it or stop it, and the clock declines it.

A stop comes before an approval, and an approval before the clock: a person who approves in time is never declined.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from conveyor.context import RunContext
from conveyor.domain.plan import Plan
from conveyor.domain.schedule import Next
from conveyor.domain.status import DECLINED, STOPPED
from conveyor.gates.approval import Approval, Insufficient, judge
from conveyor.gates.gate import Held, close, closed_gate, count_sent, first_gate, needs_to_pay
from conveyor.gates.spending import need_of
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason, ReasonCode
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import RunState
from conveyor.poll.control import Control
from conveyor.poll.decision import Decision
from conveyor.wording.text import counted


def stop_at_gate(context: RunContext, run_state: RunState) -> None:
    """Write that the gate at which a run stands, if it does, ends because a person stops the run."""
    closed = closed_gate(context, run_state)
    if closed:
        context.ledger.write(GateEnd(context.writer, context.now(), Ending.STOPPED), closed.number)


def settle_gate(
    context: RunContext, control: Control, run_state: RunState, plan: Plan, began: datetime
) -> tuple[RunState, Held | None]:
    """Close, open or end the gate of a run as people and the clock want; return its state, and where it stands.

    A run that has nothing more to pay for stands nowhere. After an approval the gate of a pause may follow at once.
    `began`: before what people wrote was listed. Only a gate whose time was over then is declined: an approval that
    came later in time may not have been listed.
    """
    if needs_to_pay(plan, run_state):
        run_state = _refuse_if_ended(context, run_state)
    if not needs_to_pay(plan, run_state):
        return run_state, None
    run_state = _pause_if_asked(context, control, run_state, plan)
    closed = closed_gate(context, run_state)
    if closed is None:
        return run_state, None
    number, gate = closed
    key, approval = control.approval(number) or (None, None)
    verdict = judge(approval, gate) if isinstance(approval, Approval) else approval
    if isinstance(verdict, Approval):
        _end(context, number, Ending.APPROVED, verdict, key)
    elif gate.until and gate.until <= began:
        _end(context, number, Ending.DECLINED)
    else:
        problem = f"{key}: {verdict.reason}" if isinstance(verdict, Insufficient) else None
        return run_state, Held(number, gate, plan, problem, count_sent(context, plan, run_state))
    return settle_gate(context, control, context.run_state(), plan, began)


def hold(decisions: dict[int, Decision], held: Held) -> dict[int, Decision]:
    """Return the decisions about batches with every paid call put off. All else goes on."""
    until = held.gate.until
    waiting = {
        number: Decision(Next.WAIT, until) if decision.next is Next.SUBMIT else decision
        for number, decision in decisions.items()
    }
    return {0: Decision(Next.WAIT, until, held=held)} | waiting


def _pause_if_asked(context: RunContext, control: Control, run_state: RunState, plan: Plan) -> RunState:
    """Close the next gate if a person paused the run. A pause waits until the gate before it has ended.

    The first gate is written before that, if it is not: its reasons must not be lost.
    """
    pauses = control.pauses
    if pauses and plan.drop.is_gated and not run_state.gate:
        first_gate(context, plan)
        run_state = context.run_state()
    gates = [context.ledger.read(Gate, number) for number in range(1, run_state.gate + 1)] if pauses else []
    new = [version for version in pauses if version not in _counted(gates)]
    if not new or closed_gate(context, run_state):
        return run_state
    reason = Reason(ReasonCode.PAUSED, "a person paused the run")
    close(context, run_state.gate + 1, [reason], need_of(context, run_state, plan), new)
    return context.run_state()


def _counted(gates: Iterable[Gate]) -> set[str]:
    return {version for gate in gates for version in gate.pauses}


def _end(
    context: RunContext, number: int, how: Ending, approval: Approval | None = None, said_in: str | None = None
) -> None:
    """Write how a gate ended. An approval that names no amount leaves an earlier one in force."""
    up_to = approval.up_to if approval else None
    if approval and up_to is None and not approval.has_no_limit:
        up_to = _approved_before(context)
    context.ledger.write(GateEnd(context.writer, context.now(), how, up_to, said_in), number)


def _approved_before(context: RunContext) -> Decimal | None:
    """Return the amount in force: that of the latest gate that was approved."""
    before = context.run_state().ended_gates
    return context.ledger.read(GateEnd, max(before)).up_to if before else None


def _refuse_if_ended(context: RunContext, run_state: RunState) -> RunState:
    """Write that nothing more is sent if the latest gate ended without an approval; return the state with that.

    The invocation that wrote that end may have crashed before this, and the object that stopped the run may be gone.
    """
    if run_state.gate not in run_state.ended_gates or run_state.refused:
        return run_state
    end = context.ledger.read(GateEnd, run_state.gate)
    if end.how is Ending.APPROVED:
        return run_state
    refusal = stopped_by_person(context) if end.how is Ending.STOPPED else _declined(context)
    context.ledger.write(refusal)
    return context.run_state()


def stopped_by_person(context: RunContext) -> Refusal:
    """Return the fact that a person stopped the run; writes nothing."""
    return Refusal(context.writer, context.now(), STOPPED, "the run was stopped by a person")


def _declined(context: RunContext) -> Refusal:
    hours = counted(context.run.settings.hold_hours, "hour")
    message = f"nobody approved the run within {hours} (HoldHours)"
    return Refusal(context.writer, context.now(), DECLINED, message)
