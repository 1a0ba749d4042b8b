"""What one check of a run has seen, for the log line and the metrics of poll."""

from collections.abc import Mapping
from datetime import datetime

from conveyor.context import RunContext
from conveyor.domain.observed import BatchCounts, Failing, TroubleWith, Wait, WaitsFor
from conveyor.gates.gate import Held
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.poll.decisions.decision import Checked
from conveyor.poll.decisions.trouble import kinds_of_trouble
from conveyor.spend.telling import awaited_day


def observe(context: RunContext, checked: Checked, since: Mapping[str, datetime]) -> None:
    """Note how far the run is, what it waits for, and what keeps failing. `since`: by kind of trouble."""
    observed, held = context.invocation.observed, checked.held
    observed.began_at = context.run.drop.last_modified
    observed.batches = _counted(checked)
    observed.wait = _wait(context, checked, since)
    observed.is_account_refused = held is not None and held.gate.has(ReasonCode.ACCOUNT)
    failing = {kind: reason for kind, reason in kinds_of_trouble(checked.decisions).items() if kind in since}
    failing.pop(WaitsFor.ROOM, None)
    if failing:
        kind = min(failing, key=lambda kind: since[kind])
        observed.failing = Failing(TroubleWith(kind), failing[kind], since[kind])


def _wait(context: RunContext, checked: Checked, since: Mapping[str, datetime]) -> Wait | None:
    """Return what the run waits for, if it does. For a turn in the provider's queue, only `submit` sees that."""
    if held := checked.held:
        return Wait(_reason(held), held.gate.at)
    if since and any(decision.undecided for decision in checked.decisions.values()):
        return Wait(WaitsFor.DECISION, min(since.values()))
    if WaitsFor.ROOM in since:
        return Wait(WaitsFor.ROOM, since[WaitsFor.ROOM])
    full = awaited_day(context, checked.run_state, checked.plan) if checked.plan else None
    return Wait(WaitsFor.BUDGET, full.at) if full else None


def _reason(held: Held) -> WaitsFor:
    """Return whether a closed gate waits for the probe's answers alone, or for a person."""
    only_unanswered = [reason.code for reason in held.gate.reasons] == [ReasonCode.UNANSWERED]
    return WaitsFor.ANSWERS if only_unanswered else WaitsFor.APPROVAL


def _counted(checked: Checked) -> BatchCounts | None:
    """Return how many batches there are, of all legs; None before the drop is validated."""
    if checked.plan is None:
        return None
    all_batches = checked.plan.all_batches()
    states = [checked.run_state.of_leg(leg).batch(batch.number) for leg, batch in all_batches]
    sent = sum(state.submitted or state.stuck for state in states)
    return BatchCounts(len(states), sent, sum(state.parted or state.stuck for state in states))
