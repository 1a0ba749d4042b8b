"""Which facts of a run exist, from one listing of its ledger.

`state_from` is pure: it reads the names of objects, and no content.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

import msgspec
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.ledger import batch_facts, budget_facts, gate_facts, part, round_facts, run_facts
from conveyor.ledger.fact import BatchFact, Fact, Place, kinds_of, read_name, read_place

FACT_MODULES = (run_facts, gate_facts, budget_facts, round_facts, batch_facts, part)
"""Where facts are defined. Importing a module makes its facts known to `state_from`."""


class BatchState(msgspec.Struct):
    """Which facts of one batch exist; attempts and splits are numbered from 1."""

    attempts: int = 0
    """The number of the latest attempt."""
    refused: set[int] = msgspec.field(default_factory=set)
    failed: set[int] = msgspec.field(default_factory=set)
    unknown: set[int] = msgspec.field(default_factory=set)
    absent: set[int] = msgspec.field(default_factory=set)
    splits: int = 0
    reads: set[int] = msgspec.field(default_factory=set)
    unreads: set[int] = msgspec.field(default_factory=set)
    duplicates: set[str] = msgspec.field(default_factory=set)
    foreign: set[str] = msgspec.field(default_factory=set)
    doubtful: set[str] = msgspec.field(default_factory=set)
    generations: set[int] = msgspec.field(default_factory=set)
    cancelled: bool = False
    stuck: bool = False
    parted: bool = False
    discarded: bool = False
    has_again: bool = False
    """Whether lines of it are worth sending again in a round."""
    merged: bool = False
    """Whether its parts hold what rounds have changed."""
    account_refused: bool = False

    @property
    def generation(self) -> int:
        """The number of the batch at the provider that counts: those before it failed without being run."""
        return len(self.failed) + 1

    @property
    def submitted(self) -> bool:
        """Whether there is a batch at the provider that counts."""
        return self.generation in self.generations

    @property
    def unsettled_attempt(self) -> int | None:
        """The latest attempt, if its outcome is unknown: the provider may or may not have taken it."""
        if self.submitted or self.stuck or self.attempts in self.refused | self.absent | self.failed:
            return None
        return self.attempts or None

    @property
    def is_being_sent(self) -> bool:
        """Whether an attempt was announced of which nothing is known yet: its call may not have ended."""
        return self.unsettled_attempt is not None and self.attempts not in self.unknown


class RunState(msgspec.Struct):
    """Which facts of a run exist."""

    validating: bool = False
    refused: bool = False
    planned: bool = False
    pauses: set[datetime] = msgspec.field(default_factory=set)
    """The moments before which the provider asked not to be called."""
    gate: int = 0
    """The number of the latest gate."""
    ended_gates: set[int] = msgspec.field(default_factory=set)
    """The closed gates that have ended."""
    full_days: set[str] = msgspec.field(default_factory=set)
    """The days whose ceiling left no room for the next batch."""
    days_reached: set[str] = msgspec.field(default_factory=set)
    """Days, with the share of their ceiling that was taken: `2026-11-30-80`."""
    rounds: set[int] = msgspec.field(default_factory=set)
    """The rounds that were decided on."""
    planned_rounds: set[int] = msgspec.field(default_factory=set)
    """Those of them that have a plan."""
    joinings: set[str] = msgspec.field(default_factory=set)
    """The uploads in which files are joined: `results-1`."""
    troubles: set[str] = msgspec.field(default_factory=set)
    """Trouble that lasted: its kind, and since when: `unavailable-20261130T081502Z`."""
    ended_troubles: set[str] = msgspec.field(default_factory=set)
    """Of these, what is over."""
    leg: str = ""
    """Whose batches `batch` and `batches` are about; empty: those of the drop itself."""
    batches: dict[int, BatchState] = {}
    """By number; a batch without facts is absent."""
    other_legs: dict[str, dict[int, BatchState]] = {}
    """The same for all other legs of the run."""

    def of_leg(self, leg: str) -> "RunState":
        """Return the same state as one leg of the run sees it."""
        if leg == self.leg:
            return self
        legs = self.other_legs | {self.leg: self.batches}
        return replace(self, leg=leg, batches=legs.pop(leg, {}), other_legs=legs)

    @property
    def retry_after_until(self) -> datetime | None:
        """The latest moment before which the provider asked not to be called."""
        return max(self.pauses, default=None)

    @property
    def open_troubles(self) -> set[str]:
        """The trouble that lasts, of which each kind is there once."""
        return self.troubles - self.ended_troubles

    @property
    def unplanned_rounds(self) -> set[int]:
        """The rounds that were decided on, and have no plan yet."""
        return self.rounds - self.planned_rounds

    @property
    def legs(self) -> list[str]:
        """The legs that have facts of batches."""
        return [leg for leg, batches in {self.leg: self.batches, **self.other_legs}.items() if batches]

    def _all_batches(self) -> Iterator[BatchState]:
        return chain(self.batches.values(), *(batches.values() for batches in self.other_legs.values()))

    def batch(self, number: int) -> BatchState:
        """Return the state of a batch, also of one that has no facts yet."""
        return self.batches.get(number, BatchState())

    @property
    def is_validated(self) -> bool:
        """Whether validation is over, or is not needed any more."""
        return self.planned or self.refused

    @property
    def may_have_paid(self) -> bool:
        """Whether a batch was created, or may have been: an absent attempt may be so by a person's word only."""
        return any(
            batch.submitted or batch.stuck or batch.unsettled_attempt or batch.absent for batch in self._all_batches()
        )

    @property
    def is_unsettled(self) -> bool:
        """Whether the outcome of an attempt is unknown."""
        return any(batch.unsettled_attempt for batch in self._all_batches())

    @property
    def is_being_sent(self) -> bool:
        """Whether a call that creates a batch may not have ended."""
        return any(batch.is_being_sent for batch in self._all_batches())

    @property
    def is_sent(self) -> bool:
        """Whether a batch was created, or was given up without knowing whether it was."""
        return any(batch.submitted or batch.stuck for batch in self._all_batches())

    @property
    def attempts(self) -> int:
        """How many paid calls were announced."""
        return sum(batch.attempts for batch in self._all_batches())

    @property
    def under_way(self) -> int:
        """How many batches were sent and are not split."""
        return sum(batch.submitted and not batch.stuck and not batch.parted for batch in self._all_batches())


def state_from(run: str, listed: Iterable[str]) -> RunState:
    """Return the state of a run from the keys of its ledger; keys of other forms are ignored."""
    state = RunState(batches={}, other_legs={})
    run_kinds, batch_kinds = kinds_of(Fact), kinds_of(BatchFact)
    for key in listed:
        match key.removeprefix(keys.ledger(run)).split("/"):
            case ["plan.jsonl"]:
                state.planned = True
            case [leg, "plan.jsonl"] if number := keys.round_number(leg):
                state.planned_rounds.add(number)
            case [name]:
                _note(state, run_kinds, name)
            case ["batches", number, name] if read_place(Place.NUMBER, number):
                _note(state.batches.setdefault(int(number), BatchState()), batch_kinds, name)
            case [leg, "batches", number, name] if keys.is_leg(leg) and read_place(Place.NUMBER, number):
                of_leg = state.other_legs.setdefault(leg, {})
                _note(of_leg.setdefault(int(number), BatchState()), batch_kinds, name)
    return state


def _note(state: RunState | BatchState, kinds: Mapping[str, type[Fact]], name: str) -> None:
    """Fill the field that the fact of this name belongs to, as the type of the field asks for."""
    match read_name(name, kinds):
        case kind, place if kind.STATE_FIELD:
            value = getattr(state, kind.STATE_FIELD)
            if isinstance(value, set):
                value.add(place)
            else:
                setattr(state, kind.STATE_FIELD, max(value or place, place))
