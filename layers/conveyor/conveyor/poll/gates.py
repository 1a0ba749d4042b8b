"""What becomes of a gate: people pause a run, approve it or stop it, and the clock declines it.

A stop comes before an approval, an approval before limits that are repaired, and both before the clock: a person who
does something in time is never declined. The gate after the probe is written here, too.
"""

from collections.abc import Iterable
from datetime import datetime

from conveyor.config import read_config
from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.domain.refusal import CAUSE_TEXTS, Cause
from conveyor.domain.schedule import RUN, BatchName, Next
from conveyor.domain.status import DECLINED, STOPPED
from conveyor.gates.after_probe import judge_probe
from conveyor.gates.approval import Approval, Insufficient, judge
from conveyor.gates.gate import (
    Held,
    LatestGate,
    Noted,
    count_sent,
    first_gate,
    latest_gate,
    needs_to_pay,
    refused_accounts,
    write_after_probe,
    write_next,
)
from conveyor.gates.spending import Spending
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason, ReasonCode
from conveyor.ledger.round_facts import AccountRefused
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import RunState
from conveyor.poll.control import Control
from conveyor.poll.decisions.decision import Decision, Decisions
from conveyor.wording.text import counted

_MOST_NAMED = 5
"""Batches in the reasons of one gate."""


def stop_at_gate(context: RunContext, run_state: RunState) -> None:
    """Write that the gate at which a run stands, if it does, ends because a person stops the run."""
    latest = latest_gate(context, run_state)
    if latest and latest.is_closed:
        context.ledger.write(GateEnd(context.writer, context.now(), Ending.STOPPED), latest.number)


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
    run_state = _close_for_account(context, run_state, plan)
    latest = latest_gate(context, run_state)
    if latest is None:
        return run_state, None
    judged = judge_probe(context, run_state, plan, latest)
    if not latest.is_closed:
        if judged is None:
            return run_state, None
        write_after_probe(context, latest, judged)
        return settle_gate(context, control, context.run_state(), plan, began)
    number, gate, _ = latest
    key, approval = control.approval(number) or (None, None)
    verdict = judge(approval, gate) if isinstance(approval, Approval) else approval
    if isinstance(verdict, Approval):
        _end(context, latest, Ending.APPROVED, verdict, key)
    elif gate.opens_once_repaired and read_config(context.bucket, with_prices=False).knows_projects:
        _end(context, latest, Ending.REPAIRED)
    elif judged and gate.unanswered and gate.has(ReasonCode.UNANSWERED):
        _end(context, latest, Ending.ANSWERED)
    elif gate.until and gate.until <= began:
        _end(context, latest, Ending.DECLINED)
    else:
        problem = f"{key}: {verdict.reason}" if isinstance(verdict, Insufficient) else None
        sent = count_sent(context, plan, run_state, keys.PROBE, "")  # what rounds send was sent before
        return run_state, Held(number, gate, plan, problem, sent)
    return settle_gate(context, control, context.run_state(), plan, began)


def hold(decisions: Decisions, held: Held) -> Decisions:
    """Return the decisions about batches with every paid call put off. All else goes on."""
    until = held.gate.until
    return {RUN: Decision(Next.WAIT, until, held=held)} | _put_off(decisions, Next.SUBMIT, until)


def wait_for_probe(context: RunContext, plan: Plan, run_state: RunState, decisions: Decisions) -> Decisions:
    """Return the decisions about the batches of the drop itself, put off as long as they depend on the probe.

    Nothing is paid before the gate after the probe, and nothing is split before all outcomes of the probe are known:
    they have their places in the files.
    """
    probe = plan.drop.probe
    if probe is None:
        return decisions
    latest = latest_gate(context, run_state)
    if latest is None or not latest.gate.after_probe:
        decisions = _put_off(decisions, Next.SUBMIT)
    of_leg = run_state.of_leg(keys.PROBE)
    if not all(of_leg.batch(batch.number).parted for batch in probe.batches):
        decisions = _put_off(decisions, Next.SPLIT)
    return decisions


def _put_off(decisions: Decisions, step: Next, until: datetime | None = None) -> Decisions:
    return {name: Decision(Next.WAIT, until) if each.next is step else each for name, each in decisions.items()}


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
    latest = latest_gate(context, run_state) if new else None
    if not new or (latest and latest.is_closed):
        return run_state
    reason = Reason(ReasonCode.PAUSED, "a person paused the run")
    forecast = latest.gate.forecast if latest else None
    write_next(context, latest, [reason], Spending(context, run_state, plan, forecast).need(), Noted(pauses=new))
    return context.run_state()


def _close_for_account(context: RunContext, run_state: RunState, plan: Plan) -> RunState:
    """Close the next gate if results of a batch say that the account is refused. Each batch counts once.

    Whatever is sent then is refused, too, or paid for by an account that somebody wants to look at.
    """
    new = refused_accounts(context, run_state, plan)
    latest = latest_gate(context, run_state) if new else None
    if latest is None or latest.is_closed:
        return run_state
    reasons = [_account_reason(context, name) for name in new[:_MOST_NAMED]]
    need = Spending(context, run_state, plan, latest.gate.forecast).need()
    write_next(context, latest, reasons, need, Noted(accounts=[name.to_event() for name in new]))
    return context.run_state()


def _account_reason(context: RunContext, name: BatchName) -> Reason:
    causes = context.ledger.of_leg(name.leg).read(AccountRefused, name.number).causes
    told = "; ".join(f"{counted(count, 'request')}: {CAUSE_TEXTS[Cause(cause)]}" for cause, count in causes.items())
    return Reason(ReasonCode.ACCOUNT, f"the provider refused the account in {name}: {told}")


def _counted(gates: Iterable[Gate]) -> set[str]:
    return {version for gate in gates for version in gate.pauses}


def _end(
    context: RunContext, latest: LatestGate, how: Ending, approval: Approval | None = None, said_in: str | None = None
) -> None:
    """Write how a gate ended. An approval that names no amount leaves that in force which was so before."""
    up_to = approval.up_to if approval else None
    if approval and up_to is None and not approval.has_no_limit:
        up_to = latest.gate.up_to
    context.ledger.write(GateEnd(context.writer, context.now(), how, up_to, said_in), latest.number)


def _refuse_if_ended(context: RunContext, run_state: RunState) -> RunState:
    """Write that nothing more is sent if the latest gate was declined or stopped; return the state with that.

    The invocation that wrote that end may have crashed before this, and the object that stopped the run may be gone.
    """
    if run_state.gate not in run_state.ended_gates or run_state.refused:
        return run_state
    end = context.ledger.read(GateEnd, run_state.gate)
    if end.how in {Ending.APPROVED, Ending.ANSWERED, Ending.REPAIRED}:
        return run_state
    refusal = stopped_by_person(context) if end.how is Ending.STOPPED else _declined(context, run_state.gate)
    context.ledger.write(refusal)
    return context.run_state()


def stopped_by_person(context: RunContext) -> Refusal:
    """Return the fact that a person stopped the run; writes nothing."""
    return Refusal(context.writer, context.now(), STOPPED, "the run was stopped by a person")


def _declined(context: RunContext, gate: int) -> Refusal:
    hours = counted(context.run.settings.hold_hours, "hour")
    is_unread = context.ledger.read(Gate, gate).opens_once_repaired
    what = f"{keys.BUDGETS} could not be read for" if is_unread else "nobody approved the run within"
    message = f"{what} {hours} (HoldHours)"
    return Refusal(context.writer, context.now(), DECLINED, message)
