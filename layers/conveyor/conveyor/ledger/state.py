"""Which facts of a run are written down, from one listing of its ledger."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from conveyor.domain import keys


class BatchFacts(msgspec.Struct):
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
    takes: set[int] = msgspec.field(default_factory=set)
    cancelled: bool = False
    stuck: bool = False
    parted: bool = False
    discarded: bool = False

    @property
    def take(self) -> int:
        """Which of the batches at the provider counts: those before it failed without being run."""
        return len(self.failed) + 1

    @property
    def submitted(self) -> bool:
        """Whether there is a batch at the provider that counts."""
        return self.take in self.takes

    @property
    def unsettled_attempt(self) -> int | None:
        """The attempt of which nobody knows yet whether the provider took it."""
        last, is_known = self.attempts, self.submitted or self.stuck
        return last if last and not is_known and last not in self.refused | self.absent | self.failed else None


class Facts(msgspec.Struct):
    """Which facts of a run are written down, from one listing of its ledger."""

    validating: bool = False
    refused: bool = False
    planned: bool = False
    rests_until: datetime | None = None
    """The latest moment before which the provider asked not to be called."""
    batches: dict[int, BatchFacts] = {}

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


def facts_from(run: str, listed: Iterable[str]) -> Facts:
    """Return what the keys of a ledger say; keys of other forms are left alone."""
    facts = Facts(batches={})
    for key in listed:
        match key.removeprefix(keys.ledger(run)).split("/"):
            case ["refused.json"]:
                facts.refused = True
            case ["plan.jsonl"]:
                facts.planned = True
            case ["validation.json"]:
                facts.validating = True
            case ["rests", name] if until := _moment(name):
                facts.rests_until = max(until, facts.rests_until or until)
            case ["batches", number, name] if _is_number(number):
                _note(facts.batches.setdefault(int(number), BatchFacts()), name)
    return facts


def _note(batch: BatchFacts, name: str) -> None:
    match name, _numbered(name):
        case "cancel.json", _:
            batch.cancelled = True
        case "stuck.json", _:
            batch.stuck = True
        case "part.json", _:
            batch.parted = True
        case "discarded.json", _:
            batch.discarded = True
        case _, ("attempt", number):
            batch.attempts = max(batch.attempts, number)
        case _, ("split", number):
            batch.splits = max(batch.splits, number)
        case _, (kind, number) if kind in _SETS:
            getattr(batch, _SETS[kind]).add(number)
        case _ if name.startswith("duplicate-"):
            batch.duplicates.add(name.removeprefix("duplicate-").removesuffix(".json"))
        case _ if name.startswith("foreign-"):
            batch.foreign.add(name.removeprefix("foreign-").removesuffix(".json"))


_SETS = {
    "batch": "takes", "refused": "refused", "failed": "failed", "unknown": "unknown", "absent": "absent",
    "read": "reads", "unread": "unreads",
}  # fmt: skip


class _Numbered(NamedTuple):
    kind: str
    number: int


def _numbered(name: str) -> _Numbered | None:
    kind, _, number = name.removesuffix(".json").rpartition("-")
    return _Numbered(kind, int(number)) if kind and _is_number(number) else None


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, keys.REST).replace(tzinfo=UTC)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
