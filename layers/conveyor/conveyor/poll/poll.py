"""The function `poll`: check a run, and return the next state of its state machine."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from conveyor.clients import Clients
from conveyor.context import RunContext
from conveyor.domain.drop import NOTIFY, NOTIFY_START
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Execution, Next, most_splits, seconds_until
from conveyor.gates.after_probe import shown_by_probe
from conveyor.gates.message import Told, is_last_call, told_now, waiting_notice
from conveyor.money.estimate import Estimate
from conveyor.poll.apply import note_trouble
from conveyor.poll.check_run import check_run
from conveyor.poll.decisions.decide import decide_step
from conveyor.poll.decisions.decision import Checked, Decision, Decisions, Risk
from conveyor.poll.decisions.trouble import KnownTrouble, first_trouble, is_due, known_trouble
from conveyor.poll.message import Trouble, at_risk_notice, started_notice, troubled_notice, undecided_notice
from conveyor.poll.observe import observe
from conveyor.poll.rounds import has_rounds_left
from conveyor.spend.telling import budget_notice, has_budget_facts
from conveyor.wording.notice import Notice, Sent

_STARTED = "started"
"""The word in `_Memory.budget` of the message that the run has started."""


class _Memory(msgspec.Struct):
    """What one poll hands to the next one in the state machine's state."""

    trouble: KnownTrouble | None = None
    warned: datetime | None = None
    """When the last message about batches that may expire was sent."""
    execution: Execution = msgspec.field(default_factory=Execution)
    gate: Told | None = None
    """What messages have said about the gate at which the run stands."""
    budget: str = ""
    """What messages have said about ceilings of days, and that the run has started, in words with spaces between."""


def poll(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Check a run once, and return the state machine's next state: ids, counters, and the text of a message."""
    context = clients.context(event["run"], invocation)
    memory = msgspec.convert(event, _Memory)
    checked = check_run(context)
    decisions = checked.decisions
    step, wait = decide_step(decisions.values()), context.usual_wait()
    note_trouble(context, checked, memory.trouble)
    is_paused = context.retry_after.is_active
    memory.trouble = known_trouble(decisions, memory.trouble, context.now(), is_paused=is_paused)
    observe(context, checked, memory.trouble.present if memory.trouble else {})
    notice, sent = None, Sent(context.now(), clients.console(event))
    remembers = {"gate", "budget"} <= event.keys()  # else its version is earlier: it would forget what was said
    if remembers:
        notice = _start_notice(context, checked, memory, sent)
    if step in {Next.WAIT, Next.SUBMIT} and remembers and not notice:
        notice = _gate_notice(context, checked, memory, sent)
    if remembers and not notice:
        waiting = None if checked.held else checked.plan
        notice, memory.budget = budget_notice(context, checked.run_state, memory.budget, waiting, sent)
    if step in {Next.WAIT, Next.SUBMIT} and not notice:
        notice = _due_notice(context, decisions, memory, clients, sent)
    if notice:
        wait = wait if step is Next.WAIT else 1  # what can be done is done right after the message
        step = Next.NOTIFY
    most = context.run.settings.max_events
    splits = [name.to_event() for name, decision in decisions.items() if decision.next is Next.SPLIT]
    splits = splits[: most_splits(most)]
    if not remembers and ((step is Next.WAIT and checked.held) or has_budget_facts(checked.run_state)):
        step, memory.execution = Next.CONTINUE, Execution(memory.execution.number + 1)
    else:
        step, memory.execution = memory.execution.advance(step, len(splits), most)
    moments = [decision.until for decision in decisions.values() if decision.until]
    return {
        "run": context.run.run,
        "next": step,
        "wait_seconds": seconds_until(moments, context.now(), wait),
        "batches": splits,
        "notice": notice and notice.to_state(),
        **msgspec.to_builtins(memory),
    }


def _start_notice(context: RunContext, checked: Checked, memory: _Memory, sent: Sent) -> Notice | None:
    """Return the message that a run has started, if its drop asks for one, and note that it is sent.

    It is due once the drop is validated. Of a run that was refused or has ended by then, another message tells.
    """
    asks = context.run.drop.metadata.get(NOTIFY) == NOTIFY_START
    words, has_ended = memory.budget.split(), decide_step(checked.decisions.values()) is Next.REPORT
    if not asks or _STARTED in words or checked.plan is None or has_ended or memory.execution.number > 1:
        return None
    memory.budget = " ".join([*words, _STARTED])
    return started_notice(context.run, checked.plan, sent)


def _due_notice(
    context: RunContext, decisions: Decisions, memory: _Memory, clients: Clients, sent: Sent
) -> Notice | None:
    """Return the message that is due, if one is, and note that it is sent."""
    troubled, patience = first_trouble(decisions), timedelta(seconds=context.run.settings.trouble_seconds)
    if troubled and memory.trouble and is_due(memory.trouble, troubled, patience, context.now()):
        memory.trouble.notified = True
        memory.trouble.notified_gone |= troubled.ends is not None
        return _trouble_notice(context, memory.trouble, troubled, clients.environment.api_key_secret, sent)
    risks = _new_risks(context, decisions, memory.warned)
    if not risks:
        return None
    memory.warned = context.now()
    has_rounds = has_rounds_left(context, context.run_state())
    window = context.api.dialect.window
    return at_risk_notice(context.run, risks, window, sent, _estimate(context), has_rounds=has_rounds)


def _gate_notice(context: RunContext, checked: Checked, memory: _Memory, sent: Sent) -> Notice | None:
    """Return the message about the gate at which the run stands, if one is due, and note that it is sent."""
    held = checked.held
    if held is None:
        return None
    told = told_now(held.number, held.gate, held.problem, memory.gate, context.now())
    if told == memory.gate:
        return None
    memory.gate = told
    shown = shown_by_probe(context, context.run_state(), held.plan)
    return waiting_notice(context.run, held, sent, shown=shown, is_last=is_last_call(held.gate, context.now()))


def _trouble_notice(context: RunContext, trouble: KnownTrouble, troubled: Decision, secret: str, sent: Sent) -> Notice:
    about = Trouble(trouble.reason, trouble.since, _estimate(context), troubled.is_answer)
    if troubled.undecided:
        return undecided_notice(context.run, about, troubled.undecided, secret, sent)
    return troubled_notice(context.run, about, secret, sent, troubled.ends)


def _estimate(context: RunContext) -> Estimate | None:
    """Return what the run can cost at most, as its plan says it."""
    return context.ledger.plan().drop.estimate


def _new_risks(context: RunContext, decisions: Decisions, warned: datetime | None) -> list[Risk]:
    """Return the batches that may expire, once three quarters of the window of one of them have passed.

    The same message names those that reach it within the next quarter of the window: so each is named once, and
    messages are a quarter of the window apart. `warned`: when the last one was sent.
    """
    quarter, now = context.api.dialect.window / 4, context.now()
    known = [decision.risk for decision in decisions.values() if decision.risk and decision.risk.expires > now]
    risks = [risk for risk in known if warned is None or risk.since > warned + quarter]
    if not any(risk.since <= now for risk in risks):
        return []
    return [risk for risk in risks if risk.since <= now + quarter]
