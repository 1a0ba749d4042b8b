"""Whether a run may pay: only where its latest gate is open, was approved, or is repaired.

Only facts that say so count. A run whose plan is written and whose first gate is not stands before it: `submit` writes
that gate from the plan. What is not in the probe may be paid for only after a gate that says so (`after_probe`), which
`poll` writes. Plans of earlier versions have no gates, and may be paid for unless a person pauses the run.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.schedule import BatchName
from conveyor.gates.limits import unasked_usd
from conveyor.gates.reasons import reasons_of
from conveyor.gates.spending import Spending, over_approved
from conveyor.ledger.batch_facts import AttemptAbsent
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason, ReasonCode
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import RunState
from conveyor.money.forecast import Forecast

_LETS_PAY = frozenset({Ending.APPROVED, Ending.REPAIRED})
"""Endings after which the run may pay on."""


class LatestGate(NamedTuple):
    """The latest gate of a run."""

    number: int
    gate: Gate
    end: GateEnd | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it is closed, and has not ended."""
        return not self.gate.open and self.end is None

    @property
    def is_passed(self) -> bool:
        """Whether the run may pay."""
        return self.gate.open or (self.end is not None and self.end.how in _LETS_PAY)

    @property
    def is_approved(self) -> bool:
        """Whether a person opened it."""
        return self.end is not None and self.end.how is Ending.APPROVED

    @property
    def has_approved_amount(self) -> bool:
        """Whether a person has said what the run may cost, or that it may cost any amount."""
        return self.gate.approved or (self.is_approved and self.up_to != self.gate.up_to)

    @property
    def up_to(self) -> Decimal | None:
        """What the run may cost in all, as far as limits and approvals say so by now; None: any amount."""
        return self.end.up_to if self.end is not None and self.is_approved else self.gate.up_to


class Judged(NamedTuple):
    """What follows from the probe, or from the lack of an answer."""

    reasons: list[Reason]
    """Why the rest is not paid for before a person says so; empty if it is."""
    need: Decimal | None
    """What the whole run may cost at most; None if there is no bound."""
    forecast: Forecast | None = None
    unanswered: bool = False


class Noted(NamedTuple):
    """What a gate is closed for, so that it closes no other: see the fields of `Gate`."""

    pauses: Sequence[str] = ()
    accounts: Sequence[str | int] = ()


NOTHING = Noted()


class Held(NamedTuple):
    """A run that stands at a closed gate."""

    number: int
    gate: Gate
    plan: Plan
    problem: str | None = None
    """Why an approval that a person wrote opens nothing: a sentence without its end."""
    sent: int = 0
    """How many requests were sent, or may have been."""


def open_gate(context: RunContext, run_state: RunState, plan: Plan, leg: str, batch: Batch) -> int | None:
    """Return the number of the gate that lets a batch of a leg be paid for; None if none does.

    Writes the first gate if that is due, and closes another if the batch may cost more than is left of what was
    approved, or of what the limits allow without that. Returns 0 for a run of an earlier version, which has no gate.
    """
    latest = latest_gate(context, run_state)
    if latest is None:
        if not plan.drop.is_gated:
            return 0
        latest = LatestGate(1, first_gate(context, plan))
    is_behind_probe = plan.drop.probe is not None and leg != keys.PROBE and not plan.is_all_probed
    if not latest.is_passed or (is_behind_probe and not latest.gate.after_probe):
        return None
    if refused_accounts(context, run_state, plan):  # `poll` closes the next gate
        return None
    if over := over_approved(Spending(context, run_state, plan, latest.gate.forecast), leg, batch, latest.up_to):
        write_next(context, latest, [over.reason], over.need)
        return None
    return latest.number


def refused_accounts(context: RunContext, run_state: RunState, plan: Plan) -> list[BatchName]:
    """Return the batches whose results say that the account is refused, and for which no gate was closed yet."""
    refused = [
        BatchName(leg, batch.number)
        for leg, batch in plan.all_batches()
        if run_state.of_leg(leg).batch(batch.number).account_refused
    ]
    if not refused:
        return []
    gates = [context.ledger.read(Gate, number) for number in range(1, run_state.gate + 1)]
    counted = {name for gate in gates for name in gate.accounts}
    return [name for name in refused if name.to_event() not in counted]


def stands_at_gate(ledger: Ledger, run_state: RunState) -> bool:
    """Return whether a run, this one or another, stands at a closed gate."""
    if not run_state.gate or run_state.gate in run_state.ended_gates:
        return False
    return not ledger.read(Gate, run_state.gate).open


def latest_gate(context: RunContext, run_state: RunState) -> LatestGate | None:
    """Return the latest gate; None before the first one, and for a run of an earlier version."""
    number = run_state.gate
    if not number:
        return None
    end = context.ledger.read(GateEnd, number) if number in run_state.ended_gates else None
    return LatestGate(number, context.ledger.read(Gate, number), end)


def is_approved_for(context: RunContext, run_state: RunState, code: ReasonCode) -> bool:
    """Return whether a person has opened a gate that was closed for this reason."""
    return _has_approved(context, run_state, lambda gate: gate.has(code))


def is_approved_without_limits(context: RunContext, run_state: RunState) -> bool:
    """Return whether a person has let the run go on although nobody knows the limits of its project."""
    return _has_approved(context, run_state, lambda gate: gate.has_unread_limits)


def _has_approved(context: RunContext, run_state: RunState, is_meant: Callable[[Gate], bool]) -> bool:
    ended = sorted(run_state.ended_gates)
    closed = [number for number in ended if is_meant(context.ledger.read(Gate, number))]
    return any(context.ledger.read(GateEnd, number).how is Ending.APPROVED for number in closed)


def first_gate(context: RunContext, plan: Plan) -> Gate:
    """Write the gate after validation, and return the one that stands."""
    reasons, probe = reasons_of(context.run, plan.drop), plan.drop.probe
    need = probe.at_most_usd if probe else Spending(context, RunState(), plan).need()
    gate = replace(_gate(context, reasons, need), up_to=unasked_usd(context.run, plan.drop))
    return context.ledger.write(gate, 1)


def write_next(
    context: RunContext,
    latest: LatestGate | None,
    reasons: list[Reason],
    need: Decimal | None,
    noted: Noted = NOTHING,
) -> None:
    """Write the gate after the latest one: closed, if there are reasons for that. What the probe has shown stays.

    `need`: what the whole run may cost at most.
    """
    gate = replace(_gate(context, reasons, need), pauses=list(noted.pauses), accounts=list(noted.accounts))
    if latest:
        before = latest.gate
        gate = replace(
            _after(latest, gate),
            after_probe=before.after_probe,
            unanswered=before.unanswered,
            forecast=before.forecast,
        )
    context.ledger.write(gate, latest.number + 1 if latest else 1)


def write_after_probe(context: RunContext, latest: LatestGate, judged: Judged) -> None:
    """Write the gate after the probe: closed, if there are reasons for that."""
    gate = _after(latest, _gate(context, judged.reasons, judged.need))
    gate = replace(gate, after_probe=True, unanswered=judged.unanswered, forecast=judged.forecast)
    context.ledger.write(gate, latest.number + 1)


def _gate(context: RunContext, reasons: list[Reason], need: Decimal | None) -> Gate:
    now = context.now()
    until = now + timedelta(hours=context.run.settings.hold_hours) if reasons else None
    return Gate(context.writer, now, open=not reasons, reasons=reasons, need_usd=need, until=until)


def _after(latest: LatestGate, gate: Gate) -> Gate:
    """Return a gate with what limits and approvals say by now."""
    return replace(gate, up_to=latest.up_to, approved=latest.has_approved_amount)


def count_sent(context: RunContext, plan: Plan, run_state: RunState, *legs: str) -> int:
    """Return how many requests of these legs were sent, or may have been.

    A person may be wrong in saying that an attempt created no batch.
    """

    def may_be_sent(leg: str, number: int) -> bool:
        each = run_state.of_leg(leg).batch(number)
        ledger = context.ledger.of_leg(leg)
        absent = (ledger.read(AttemptAbsent, number, attempt) for attempt in sorted(each.absent))
        return bool(each.submitted or each.stuck or each.unsettled_attempt) or any(fact.released for fact in absent)

    batches = [(leg, batch) for leg, batch in plan.all_batches() if leg in legs]
    return sum(batch.requests for leg, batch in batches if may_be_sent(leg, batch.number))


def needs_to_pay(plan: Plan, run_state: RunState, *legs: str) -> bool:
    """Return whether a batch is not sent yet, as far as is known: only then does a gate matter. `legs`: by default all.

    A batch without requests is not sent. A round is to be paid for as soon as it is decided on.
    """
    if not legs and run_state.unplanned_rounds and not run_state.refused:
        return True
    batches = [(leg, each) for leg, each in plan.all_batches() if each.requests and (not legs or leg in legs)]
    states = [run_state.of_leg(leg).batch(each.number) for leg, each in batches]
    return not run_state.refused and any(not (each.submitted or each.stuck or each.parted) for each in states)
