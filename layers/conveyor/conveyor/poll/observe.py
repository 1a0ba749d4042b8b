"""What one check of a run has seen, for the log line and the metrics of poll."""

from datetime import datetime

from conveyor.context import RunContext
from conveyor.domain.observed import BatchCounts, Failing, Wait, WaitsFor
from conveyor.gates.gate import Held
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.poll.decisions.decision import Checked
from conveyor.spend.telling import awaited_day
from conveyor.wording.trouble import is_about_room, trouble_with


def observe(context: RunContext, checked: Checked, trouble: tuple[str, datetime] | None) -> None:
    """Note how far the run is, what it waits for, and what keeps failing. `trouble`: why, and since when."""
    observed, held = context.invocation.observed, checked.held
    observed.began_at = context.run.drop.last_modified
    observed.batches = _counted(checked)
    observed.wait = _wait(context, checked, trouble)
    observed.is_account_refused = held is not None and held.gate.has(ReasonCode.ACCOUNT)
    if trouble and not is_about_room(trouble[0]):
        observed.failing = Failing(trouble_with(trouble[0]), *trouble)


def _wait(context: RunContext, checked: Checked, trouble: tuple[str, datetime] | None) -> Wait | None:
    """Return what the run waits for, if it does. For a turn in the provider's queue, only `submit` sees that."""
    if held := checked.held:
        return Wait(_reason(held), held.gate.at)
    if trouble and any(decision.undecided for decision in checked.decisions.values()):
        return Wait(WaitsFor.DECISION, trouble[1])
    if trouble and is_about_room(trouble[0]):
        return Wait(WaitsFor.ROOM, trouble[1])
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
