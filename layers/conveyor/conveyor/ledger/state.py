"""Which facts of a run are written down, from one listing of its ledger."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from conveyor.domain import keys
from conveyor.ledger.fact import Fact, Place, read_place
from conveyor.ledger.records import BATCH_FACTS, RUN_FACTS


class BatchState(msgspec.Struct):
    """Which facts of one batch are written down; attempts and splits are numbered from 1."""

    attempts: int = 0
    refused: set[int] = msgspec.field(default_factory=set)
    failed: set[int] = msgspec.field(default_factory=set)
    unknown: set[int] = msgspec.field(default_factory=set)
    absent: set[int] = msgspec.field(default_factory=set)
    splits: int = 0
    reads: set[int] = msgspec.field(default_factory=set)
    unreads: set[int] = msgspec.field(default_factory=set)
    duplicates: set[str] = msgspec.field(default_factory=set)
    foreign: set[str] = msgspec.field(default_factory=set)
    generations: set[int] = msgspec.field(default_factory=set)
    cancelled: bool = False
    stuck: bool = False
    parted: bool = False
    discarded: bool = False

    @property
    def generation(self) -> int:
        """Which of the batches at the provider counts: those before it failed without being run."""
        return len(self.failed) + 1

    @property
    def submitted(self) -> bool:
        """Whether there is a batch at the provider that counts."""
        return self.generation in self.generations

    @property
    def unsettled_attempt(self) -> int | None:
        """The attempt of which nobody knows yet whether the provider took it."""
        last, is_known = self.attempts, self.submitted or self.stuck
        return last if last and not is_known and last not in self.refused | self.absent | self.failed else None


class RunState(msgspec.Struct):
    """Which facts of a run are written down, from one listing of its ledger."""

    validating: bool = False
    refused: bool = False
    planned: bool = False
    retry_after_until: datetime | None = None
    """The latest moment before which the provider asked not to be called."""
    batches: dict[int, BatchState] = {}

    @property
    def may_have_paid(self) -> bool:
        """Whether a batch was created, or may have been: that none was may be a person's word only."""
        return any(
            batch.submitted or batch.stuck or batch.unsettled_attempt or batch.absent for batch in self.batches.values()
        )

    @property
    def is_unsettled(self) -> bool:
        """Whether nobody knows yet of some batch whether it was created."""
        return any(batch.unsettled_attempt for batch in self.batches.values())

    @property
    def is_sent(self) -> bool:
        """Whether a batch was created, or was given up without anybody knowing."""
        return any(batch.submitted or batch.stuck for batch in self.batches.values())

    @property
    def attempts(self) -> int:
        """How many paid calls were announced."""
        return sum(batch.attempts for batch in self.batches.values())

    @property
    def under_way(self) -> int:
        """How many batches were sent and are not split."""
        return sum(batch.submitted and not batch.stuck and not batch.parted for batch in self.batches.values())


def state_from(run: str, listed: Iterable[str]) -> RunState:
    """Return what the keys of a ledger say; keys of other forms are left alone."""
    state = RunState(batches={})
    for key in listed:
        match key.removeprefix(keys.ledger(run)).split("/"):
            case ["plan.jsonl"]:
                state.planned = True
            case [name]:
                _note(state, RUN_FACTS, name)
            case ["batches", number, name] if read_place(Place.NUMBER, number):
                _note(state.batches.setdefault(int(number), BatchState()), BATCH_FACTS, name)
    return state


def _note(state: RunState | BatchState, kinds: Mapping[str, type[Fact]], name: str) -> None:
    """Note a fact by the name of its object, in the way its field asks for; a name of another form is left alone."""
    is_json = name.endswith(".json")
    word, _, text = name.removesuffix(".json").partition("-")
    kind = kinds.get(word)
    place = read_place(kind.PLACE, text) if kind and kind.NOTED and is_json else None
    if kind is None or place is None:
        return
    noted = getattr(state, kind.NOTED)
    if isinstance(noted, set):
        noted.add(place)
    else:
        setattr(state, kind.NOTED, max(noted or place, place))
