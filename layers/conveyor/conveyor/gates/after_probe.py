"""What the probe says about the rest of a run: whether the next gate is open, or why it is closed."""

from datetime import datetime, timedelta

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Plan, Probe
from conveyor.gates.gate import Judged, LatestGate, count_sent, needs_to_pay
from conveyor.gates.limits import above_approved, above_limits, cost_at_most, cost_of_forecast
from conveyor.gates.probe_message import Shown
from conveyor.gates.spending import Spending
from conveyor.gates.verdict import verdict_of
from conveyor.ledger.batch_facts import Attempt, Submitted
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.part import Answer, Part
from conveyor.ledger.state import BatchState, RunState
from conveyor.wording.text import counted, duration


def judge_probe(context: RunContext, run_state: RunState, plan: Plan, latest: LatestGate) -> Judged | None:
    """Return what the gate after the probe says; None if it is not due, or is written.

    It is due when all of the probe is answered; or, once, when the answer takes too long.
    """
    probe, gate = plan.drop.probe, latest.gate
    is_judged = gate.after_probe and not gate.unanswered
    if probe is None or is_judged or not needs_to_pay(plan, run_state, ""):
        return None
    answers = _answers(context, run_state, probe)
    if answers is not None:
        reasons, forecast = verdict_of(plan.drop, answers)
        return _with_money(context, run_state, plan, latest, Judged(reasons, None, forecast))
    if gate.after_probe or not _is_patience_over(context, run_state, probe):
        return None
    silent = _with_money(context, run_state, plan, latest, Judged([], None, unanswered=True))
    if silent.reasons:
        some = any(state.parted for state in run_state.of_leg(keys.PROBE).batches.values())
        hours = duration(timedelta(seconds=context.run.settings.probe_seconds))
        had = "only some of its answers" if some else "no answer"
        text = f"the probe of {counted(probe.requests, 'request')} has had {had} for {hours}"
        return silent._replace(reasons=[Reason(ReasonCode.UNANSWERED, text), *silent.reasons])
    return silent


def _answers(context: RunContext, run_state: RunState, probe: Probe) -> list[Answer] | None:
    """Return the outcome of each line of the probe; None if some are not known yet."""
    of_leg, ledger = run_state.of_leg(keys.PROBE), context.ledger.of_leg(keys.PROBE)
    if not all(of_leg.batch(batch.number).parted for batch in probe.batches):
        return None
    parts = [ledger.read(Part, batch.number) for batch in probe.batches]
    return [answer for part in parts for answer in part.answers]


def shown_by_probe(context: RunContext, run_state: RunState, plan: Plan) -> Shown | None:
    """Return what the probe has shown so far, for a message; None if none of it was sent."""
    probe, of_leg, ledger = plan.drop.probe, run_state.of_leg(keys.PROBE), context.ledger.of_leg(keys.PROBE)
    sent = count_sent(context, plan, run_state, keys.PROBE)
    if probe is None or not sent:
        return None
    split = [batch.number for batch in probe.batches if of_leg.batch(batch.number).parted]
    parts = {number: ledger.read(Part, number) for number in split}
    content = context.of_leg(keys.PROBE).content_prefix
    texts = tuple(keys.error_words(content, number) for number, part in parts.items() if part.errors)
    return Shown.of(probe, sent, [answer for part in parts.values() for answer in part.answers], texts)


def _with_money(context: RunContext, run_state: RunState, plan: Plan, latest: LatestGate, judged: Judged) -> Judged:
    """Compare what the run will cost, or else what it can cost at most, with the limits or with what was approved."""
    need = Spending(context, run_state, plan, judged.forecast).need()
    cost = cost_at_most(plan.drop.estimate) if judged.forecast is None else cost_of_forecast(judged.forecast)
    is_approved = latest.has_approved_amount
    above = above_approved(cost, latest.up_to) if is_approved else above_limits(context.run, plan.drop, cost)
    return judged._replace(reasons=[*judged.reasons, *above], need=need)


def _is_patience_over(context: RunContext, run_state: RunState, probe: Probe) -> bool:
    """Return whether the probe was sent, as far as is known, so long ago that the rest need not wait for it."""
    of_leg = run_state.of_leg(keys.PROBE)
    sent = [_sent_at(context, batch.number, of_leg.batch(batch.number)) for batch in probe.batches]
    known = [moment for moment in sent if moment is not None]
    if len(known) < len(sent):
        return False
    return max(known) + timedelta(seconds=context.run.settings.probe_seconds) <= context.now()


def _sent_at(context: RunContext, batch: int, batch_state: BatchState) -> datetime | None:
    """Return when a batch of the probe was sent, or may have been; None if it is not."""
    ledger = context.ledger.of_leg(keys.PROBE)
    if batch_state.submitted:
        return ledger.read(Submitted, batch, batch_state.generation).at
    return ledger.read(Attempt, batch, batch_state.attempts).at if batch_state.unsettled_attempt else None
