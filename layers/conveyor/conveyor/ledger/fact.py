"""What every kind of fact has: a key of its own, and a place in the state of a run.

A new kind of fact is one class in `records.py`. A listing notes it in the state where `NOTED` names a field for it.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from conveyor.domain import keys

MOMENT = "%Y%m%dT%H%M%SZ"


class Place(StrEnum):
    """What tells facts of one kind apart, behind the kind in the name of the object."""

    ONCE = "once"
    """Nothing: there is one."""
    NUMBER = "number"
    ID = "id"
    """Of a batch at the provider."""
    MOMENT = "moment"
    """In whole seconds, UTC."""


class Fact(msgspec.Struct, frozen=True):
    """A small JSON object of the ledger, written once and never changed: `<KIND>.json` or `<KIND>-<place>.json`."""

    KIND: ClassVar[str]
    """Without a hyphen."""
    PLACE: ClassVar[Place] = Place.ONCE
    NOTED: ClassVar[str] = ""
    """Field of `RunState` or `BatchState` in which a listing notes it: a flag, the largest place, or a set of them."""

    @classmethod
    def key(cls, run: str, *place: int | str) -> str:
        """Return the key of a fact of a run."""
        return f"{keys.ledger(run)}{cls._name(*place)}"

    @classmethod
    def _name(cls, *place: int | str) -> str:
        return f"{'-'.join((cls.KIND, *map(str, place)))}.json"


class BatchFact(Fact, frozen=True):
    """A fact of one batch of a run."""

    @classmethod
    def key(cls, run: str, *place: int | str) -> str:
        """Return the key of a fact of a batch. `place`: the batch, and the number or id of the fact if it has one."""
        batch, *rest = place
        return f"{keys.batch(run, batch)}{cls._name(*rest)}"


def kinds_of(base: type[Fact]) -> dict[str, type[Fact]]:
    """Return the kinds of facts of a run, or of a batch, by `KIND`."""
    kinds: dict[str, type[Fact]] = {}
    for kind in base.__subclasses__():
        if kind is not BatchFact:
            kinds |= {kind.KIND: kind} | kinds_of(kind)
    return kinds


def read_place(form: Place, text: str) -> bool | int | str | datetime | None:
    """Read what stands behind the kind in a name; None where it has another form."""
    match form:
        case Place.ONCE:
            return not text or None
        case Place.NUMBER:
            return int(text) if text.isascii() and text.isdigit() else None
        case Place.ID:
            return text or None
        case Place.MOMENT:
            try:
                return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
            except ValueError:
                return None


def moment_place(moment: datetime) -> str:
    """Return a moment as it stands in a name."""
    return moment.astimezone(UTC).strftime(MOMENT)
