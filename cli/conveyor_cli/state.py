"""Where a run stands, in words. Pure: from its facts, or from the entry of the index that its end has written."""

from datetime import date
from enum import Enum, StrEnum
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.refusal import AT_GATE, NOT_CALLED
from conveyor.domain.schedule import BatchName
from conveyor.domain.status import Status
from conveyor.ledger.batch_facts import AttemptRefused
from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor.ledger.state import BatchState, RunState
from conveyor.spend.index_entry import IndexEntry
from conveyor.wording.marks import Mark
from conveyor.wording.text import counted
from conveyor.wording.trouble import describe_refusal, is_about_room


class Group(Enum):
    """What a person wants to know first."""

    NEEDS_YOU = 0
    UNDER_WAY = 1
    ENDED = 2


class Phase(StrEnum):
    """How far a run is: what all else of it waits for."""

    RECEIVED = "received"
    VALIDATING = "validating"
    REFUSED = "refused"
    HELD = "held"
    TO_SEND = "to-send"
    PROBING = "probing"
    ROOM = "waiting-for-room"
    FAILING = "calls-fail"
    BUDGET = "waiting-for-budget"
    LOOKING = "looking"
    BATCHES = "batches"
    SPLITTING = "splitting"
    ROUND = "round"
    ENDING = "ending"
    WRITING = "writing"
    DONE = "done"


class State(NamedTuple):
    """Where a run stands."""

    group: Group
    mark: Mark
    words: str
    needs: str | None = None
    """What a person can do about it."""
    may_have_ended: bool = False
    """Whether nothing but the receipt shows that it has not ended."""
    phase: Phase = Phase.DONE


_WRITES = State(Group.UNDER_WAY, Mark.UNDER_WAY, "writing results", may_have_ended=True, phase=Phase.WRITING)


LEDGER_GONE = State(Group.ENDED, Mark.UNKNOWN, "its ledger is gone")


ERASED = State(Group.ENDED, Mark.NOT_SENT, "erased")
_UNCALLED = frozenset({AT_GATE, NOT_CALLED})
"""Types of refusals of calls that were not made."""
_ENDED: dict[str, tuple[Mark, str]] = {
    Status.COMPLETED: (Mark.OK, "done"),
    Status.ESTIMATED: (Mark.OK, "estimated only"),
    Status.STOPPED: (Mark.NOT_SENT, "stopped"),
    Status.DECLINED: (Mark.NOT_SENT, "declined"),
    Status.FAILED: (Mark.ERROR, "none answered"),
    Status.STUCK: (Mark.ERROR, "stuck: ask the provider"),
    Status.UNBALANCED: (Mark.ERROR, "does not balance"),
}
"""Statuses whose words differ from their names, or that are no error."""


class Progress(NamedTuple):
    """How many batches of a leg have come how far."""

    batches: int
    done: int
    """Their results are in the bucket, or they were given up."""
    under_way: int
    """Sent, and not done."""
    splitting: int
    """Those of them whose results are being written."""

    @property
    def unsent(self) -> int:
        """How many are not sent yet."""
        return self.batches - self.done - self.under_way


def state_of(run_state: RunState, plan: Plan | None, gate: Gate | None, today: date) -> State:
    """Return where a run stands that has not ended.

    `plan`: with its rounds; None before there is one. `gate`: the latest gate; None before the first. `today`: in UTC.
    """
    if plan is None or not run_state.planned:
        return _before_plan(run_state)
    legs = {leg: progress_of(plan.of_leg(leg).batches, run_state.of_leg(leg)) for leg in plan.legs}
    if _is_unknown(plan, run_state):
        return State(Group.UNDER_WAY, Mark.UNKNOWN, "looking for a batch", phase=Phase.LOOKING)
    if run_state.refused:
        left = sum(each.under_way for each in legs.values())
        return _goes(Phase.ENDING, f"ending, {counted(left, 'batch', 'batches')} left") if left else _WRITES
    unsent = sum(each.unsent for each in legs.values())
    is_closed = gate is not None and not gate.open and run_state.gate not in run_state.ended_gates
    if gate and is_closed and (unsent or run_state.unplanned_rounds):
        return _at_gate(gate)
    is_full = max(run_state.full_days, default="") >= str(today)
    is_under_way = any(each.under_way for each in legs.values())
    if unsent and is_full and not is_under_way:
        return _goes(Phase.BUDGET, "waiting for budget")
    return _by_leg(plan, legs, run_state)


def with_trouble(state: State, run_state: RunState, refused: AttemptRefused | None) -> State:
    """Return the same with the word that calls fail, if they do: those of `poll`, or the one for the next batch.

    `refused`: the latest answer about that batch.
    """
    is_refused = refused is not None and is_trouble(refused)
    if state.group is not Group.UNDER_WAY or not (is_refused or run_state.open_troubles):
        return state
    if is_refused and state.phase is Phase.ROOM:
        return state._replace(mark=Mark.LOOK, words="calls to the provider fail", phase=Phase.FAILING)
    return state._replace(mark=Mark.LOOK, words=f"{state.words}, calls fail")


def is_trouble(refused: AttemptRefused) -> bool:
    """Return whether a batch was not taken for another reason than want of room: the call was made, and failed."""
    return refused.type not in _UNCALLED and not is_about_room(describe_refusal(refused.status, refused.type))


def ended(entry: IndexEntry) -> State:
    """Return how a run has ended."""
    if entry.status == Status.COMPLETED and entry.failures:
        return State(Group.ENDED, Mark.SOME_FAILED, f"done, {entry.failures:,} failed")
    mark, words = _ENDED.get(entry.status, (Mark.ERROR, entry.status))
    return State(Group.ENDED, mark, words)


def progress_of(batches: list[Batch], run_state: RunState) -> Progress:
    """Return how far the batches of a leg are. A batch whose requests are all in the probe counts not."""
    states = [run_state.batch(batch.number) for batch in batches if batch.requests]
    done = sum(each.parted or each.stuck for each in states)
    going = [each for each in states if each.submitted and not (each.parted or each.stuck)]
    return Progress(len(states), done, len(going), sum(map(is_splitting, going)))


def _before_plan(run_state: RunState) -> State:
    if run_state.refused:
        return State(Group.UNDER_WAY, Mark.ERROR, "refused", may_have_ended=True, phase=Phase.REFUSED)
    return _goes(Phase.VALIDATING, "validating") if run_state.validating else _goes(Phase.RECEIVED, "received")


def _at_gate(gate: Gate) -> State:
    if gate.opens_once_repaired:
        return _waits("waiting for budgets.json", "repair it")
    words = "paused" if gate.has(ReasonCode.PAUSED) else "waiting for approval"
    return _waits(words, "approve or stop")


def _by_leg(plan: Plan, legs: dict[str, Progress], run_state: RunState) -> State:
    """Return how far the leg is that all others wait for."""
    probe = legs.get(keys.PROBE)
    if probe and probe.done < probe.batches:
        return _goes(Phase.PROBING, "probing") if probe.under_way else _waiting(plan, run_state, keys.PROBE)
    last = max((keys.round_number(leg) for leg in legs), default=0)
    drop = legs[""]
    if run_state.unplanned_rounds or (last and drop.done == drop.batches):
        number = max(last, *run_state.rounds)
        of_round = legs.get(keys.round_leg(number))
        if of_round is None or of_round.done < of_round.batches:
            return _goes(Phase.ROUND, f"round {number}{_of(of_round)}")
    if drop.under_way or drop.unsent:
        if not drop.under_way:
            return _waiting(plan, run_state, "")
        if drop.splitting == drop.under_way:
            return _goes(Phase.SPLITTING, f"splitting{_of(drop)}")
        words = f"{drop.done} of {drop.batches} batches done" if drop.batches > 1 else "with the provider"
        return _goes(Phase.BATCHES, words)
    return _WRITES


def _of(progress: Progress | None) -> str:
    return f", {progress.done} of {progress.batches} done" if progress and progress.batches > 1 else ""


def _waiting(plan: Plan, run_state: RunState, leg: str) -> State:
    """Return what a leg waits for of which nothing is under way: the provider's room, or its turn."""
    first = first_unsent(plan, run_state, leg)
    batch_state = run_state.of_leg(leg).batch(first.number) if first else BatchState()
    if batch_state.unsettled_attempt:
        return _goes(Phase.TO_SEND, "sending")
    if batch_state.attempts:
        return _goes(Phase.ROOM, "waiting for room")
    return _goes(Phase.TO_SEND, "waiting to be sent")


def refused_attempt(plan: Plan, run_state: RunState) -> tuple[BatchName, int] | None:
    """Return the batch that is sent next, and its latest attempt, if that was refused; None of a run that ends."""
    for leg in () if run_state.refused else plan.legs:
        if batch := first_unsent(plan, run_state, leg):
            state = run_state.of_leg(leg).batch(batch.number)
            is_refused = state.attempts in state.refused | state.failed
            return (BatchName(leg, batch.number), state.attempts) if is_refused else None
    return None


def first_unsent(plan: Plan, run_state: RunState, leg: str) -> Batch | None:
    """Return the first batch of a leg that is not sent yet; None if all are."""
    of_leg = run_state.of_leg(leg)
    unsent = (batch for batch in plan.of_leg(leg).batches if batch.requests and _is_unsent(of_leg.batch(batch.number)))
    return next(unsent, None)


def _is_unsent(batch_state: BatchState) -> bool:
    return not (batch_state.submitted or batch_state.stuck or batch_state.parted)


def is_splitting(batch_state: BatchState) -> bool:
    """Return whether a function writes the results of a batch, as far as its facts say."""
    return bool(batch_state.splits) and batch_state.splits not in batch_state.reads | batch_state.unreads


def is_lost(batch_state: BatchState) -> bool:
    """Return whether the answer to the paid call for a batch was lost, and it is not known yet what it created."""
    return bool(batch_state.unsettled_attempt) and batch_state.unsettled_attempt in batch_state.unknown


def _is_unknown(plan: Plan, run_state: RunState) -> bool:
    """Return whether it is not known whether a call created a batch."""
    return any(is_lost(each) for leg in plan.legs for each in run_state.of_leg(leg).batches.values())


def _goes(phase: Phase, words: str) -> State:
    return State(Group.UNDER_WAY, Mark.UNDER_WAY, words, phase=phase)


def _waits(words: str, needs: str) -> State:
    return State(Group.NEEDS_YOU, Mark.WAITS, words, needs, phase=Phase.HELD)
