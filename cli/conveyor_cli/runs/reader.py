"""Reading a run again and again. Facts never change, so each is read once, and a look is a listing of the ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptFailed, AttemptRefused, AttemptUnknown, Submitted, Unread
from conveyor.ledger.budget_facts import DayFull
from conveyor.ledger.fact import BatchFact, Fact, PlaceValue
from conveyor.ledger.gate_facts import Gate, GateEnd
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Again, Merged, Round
from conveyor.ledger.run_facts import LastingTrouble, Refusal, RetryAfterAnswer, Run, Validation
from conveyor.ledger.state import BatchState, RunState
from conveyor.receipt.receipt import Receipt
from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import IndexEntry, read_index_entry
from conveyor_cli.runs.control import is_answered
from conveyor_cli.runs.erased import is_erased
from conveyor_cli.runs.facts import Facts, Lost, Refused, first_trouble
from conveyor_cli.runs.read import at_once
from conveyor_cli.runs.tally import tally_of
from conveyor_cli.state import Phase, is_lost, refused_attempt, state_of, with_trouble
from conveyor_cli.verdict import EndOfRun, end_by_entry, end_of

MOST_FACTS = 256
"""Facts of batches that one look reads. Those of a run of thousands of batches are read by several looks."""
type Named = tuple[type[BatchFact], BatchName, tuple[PlaceValue, ...]]


class Reader:
    """Reads one run."""

    def __init__(self, bucket: Bucket, run: Run, called: str | None = None) -> None:
        """Read nothing yet. `called`: what commands call the run; by default its name."""
        self._called = called or run.name
        self._bucket = bucket
        self.run = run
        self._ledger = Ledger(bucket, run.run)
        self._known: dict[tuple[object, ...], Any] = {}
        self._plan: tuple[frozenset[int], Plan] | None = None
        self._answered: tuple[int, datetime] | None = None
        """The gate about which a person has said something, and when that was seen first."""

    def end(self) -> EndOfRun | None:
        """Return how the run has ended; None if its entry in the index does not say so. One request if it has not."""
        listed = self._bucket.list(keys.index_entry(self.run.project, self.run.run, ""))
        entry = next(filter(None, map(read_index_entry, listed)), None)
        return self.ended_by(entry) if entry else None

    def ended_by(self, entry: IndexEntry | None) -> EndOfRun | None:
        """Return how the run has ended, by its receipt, or by its entry if the receipt may not be read.

        Runs of earlier versions have no entry.
        """
        found = self._bucket.find(keys.receipt(self.run.name, self.run.run))
        try:
            receipt = msgspec.json.decode(found, type=Receipt) if found else None
        except msgspec.ValidationError:
            receipt = None  # of a later version
        if receipt:
            return end_of(receipt, self._called)
        if entry is None:
            return None
        return end_by_entry(entry, self.run.name, is_erased=is_erased(self._bucket, self.run))

    def look(self, now: datetime) -> Facts:
        """Return what is known now: a listing, and what has been written since the last look."""
        run_state = self._ledger.run_state()
        plan = self._plan_of(run_state) if run_state.planned else None
        gate = self._fact(Gate, run_state.gate) if run_state.gate else None
        state = state_of(run_state, plan, gate, now.date())
        today = max(run_state.full_days, default="")
        wait, trouble = run_state.retry_after_until, first_trouble(run_state)
        facts = Facts(
            self.run,
            run_state,
            state,
            now,
            plan,
            gate,
            self._fact(GateEnd, run_state.gate) if run_state.gate in run_state.ended_gates else None,
            self._fact(Validation) if run_state.validating and not plan else None,
            self._fact(Refusal) if run_state.refused else None,
            self._fact(DayFull, today) if today else None,
            self._fact(RetryAfterAnswer, wait) if wait and wait > now else None,
            {number: self._fact(Round, number) for number in sorted(run_state.rounds)},
            trouble=self._fact(LastingTrouble, trouble) if trouble else None,
            called=self._called,
        )
        return self._with_batches(facts, plan, run_state) if plan else facts

    def is_held(self, facts: Facts) -> bool:
        """Return whether a run waits for a person, and not just for its own next look at what they have said.

        An answer that opens nothing leaves it waiting: so it has the time of two looks.
        """
        if facts.state.phase is not Phase.HELD:
            return False
        gate = facts.run_state.gate
        if (self._answered is None or self._answered[0] != gate) and is_answered(self._bucket, self.run, gate):
            self._answered = gate, facts.at
        looks = timedelta(seconds=2 * self.run.settings.poll_max_seconds)
        return self._answered is None or self._answered[0] != gate or facts.at - self._answered[1] > looks

    def _plan_of(self, run_state: RunState) -> Plan:
        rounds = frozenset(run_state.planned_rounds)
        if self._plan is None or self._plan[0] != rounds:
            self._plan = rounds, self._ledger.plan(run_state)
        return self._plan[1]

    def _with_batches(self, facts: Facts, plan: Plan, run_state: RunState) -> Facts:
        named = list(_wanted(plan, run_state))
        unknown = [each for each in named if each not in self._known]
        for each, fact in zip(unknown, at_once(self._read, unknown[:MOST_FACTS]), strict=False):
            self._known[each] = fact
        found = {each: self._known[each] for each in named if each in self._known}
        parts = {name: fact for (_, name, _), fact in found.items() if isinstance(fact, Part)}
        again = {name: fact for (_, name, _), fact in found.items() if isinstance(fact, Again)}
        refused = self._refused(plan, run_state)
        return facts._replace(
            state=with_trouble(facts.state, run_state, refused.last if refused else None),
            refused=refused,
            lost=self._lost(plan, run_state),
            unread={name: fact for (_, name, _), fact in found.items() if isinstance(fact, Unread)},
            tallies={name: tally_of(part, again.get(name)) for name, part in parts.items()},
            merged={name: fact for (_, name, _), fact in found.items() if isinstance(fact, Merged)},
            sent={name: fact for (_, name, _), fact in found.items() if isinstance(fact, Submitted)},
            unread_facts=max(len(unknown) - MOST_FACTS, 0),
        )

    def _refused(self, plan: Plan, run_state: RunState) -> Refused | None:
        """Return why the batch that is sent next was not taken, if that is so."""
        found = refused_attempt(plan, run_state)
        if found is None:
            return None
        name, last = found
        batch_state, first = run_state.of_leg(name.leg).batch(name.number), last
        while first - 1 in batch_state.refused | batch_state.failed:
            first -= 1
        return Refused(name, self._refusal(name, batch_state, last), self._refusal(name, batch_state, first).at)

    def _refusal(self, name: BatchName, batch_state: BatchState, attempt: int) -> AttemptRefused:
        kind = AttemptFailed if attempt in batch_state.failed else AttemptRefused
        return self._of_batch(kind, name, attempt)

    def _lost(self, plan: Plan, run_state: RunState) -> Lost | None:
        for leg in plan.legs:
            for number, batch_state in sorted(run_state.of_leg(leg).batches.items()):
                if is_lost(batch_state):
                    name = BatchName(leg, number)
                    return Lost(name, self._of_batch(AttemptUnknown, name, batch_state.attempts))
        return None

    def _fact[F: Fact](self, kind: type[F], *place: PlaceValue) -> F:
        if (kind, *place) not in self._known:
            self._known[kind, *place] = self._ledger.read(kind, *place)
        fact: F = self._known[kind, *place]
        return fact

    def _of_batch[F: BatchFact](self, kind: type[F], name: BatchName, *place: PlaceValue) -> F:
        if (kind, name, place) not in self._known:
            self._known[kind, name, place] = self._read((kind, name, place))
        fact: F = self._known[kind, name, place]
        return fact

    def _read(self, named: Named) -> BatchFact:
        kind, name, place = named
        return self._ledger.of_leg(name.leg).read(kind, name.number, *place)


def _wanted(plan: Plan, run_state: RunState) -> Iterator[Named]:
    """Yield the facts of batches that a snapshot needs: first what is under way, then what is done."""
    done = list[Named]()
    for leg in plan.legs:
        for number, batch in sorted(run_state.of_leg(leg).batches.items()):
            name = BatchName(leg, number)
            if batch.parted:
                kinds: list[tuple[type[BatchFact], bool]] = [
                    (Part, True),
                    (Again, batch.has_again),
                    (Merged, batch.merged),
                ]
                done += [(kind, name, ()) for kind, exists in kinds if exists]
            elif batch.submitted and not batch.stuck:
                yield Submitted, name, (batch.generation,)
                if batch.splits and batch.splits in batch.unreads:
                    yield Unread, name, (batch.splits,)
            if not leg and number == 1 and batch.parted and batch.submitted:
                yield Submitted, name, (batch.generation,)  # when it all began
    yield from done
