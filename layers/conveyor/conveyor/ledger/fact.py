"""What every kind of fact has: a key of its own, and a field in the state of a run that shows whether it exists.

How to add a fact:

1. Write one class: in `run_facts.py` a `Fact`, in `batch_facts.py` a `BatchFact`. `KIND` begins the name of its object,
   `PLACE` says what tells facts of this kind apart, and the fields are its content. `Ledger.write` and `Ledger.read`
   take it from then on.
2. If a decision depends on whether it exists, add a field to `RunState` or `BatchState` in `state.py`, and name that
   field in `STATE_FIELD`. Each listing of the ledger then fills it: a flag is set, a number or a moment becomes the
   largest place listed, a set gets every place.
3. Add a line to "The ledger" in docs/how-it-works.md.

A field that is added later needs a default: runs that began before an update are read, too.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from conveyor.domain import keys

type PlaceValue = int | str | datetime
"""A place: the number of an attempt or a split, the id of a batch at the provider, or a moment."""

_SUFFIX = ".json"
_MOMENT = "%Y%m%dT%H%M%SZ"


class Place(StrEnum):
    """What tells facts of one kind apart, after the kind in the name of the object."""

    ONCE = "once"
    """Nothing: there is at most one."""
    NUMBER = "number"
    ID = "id"
    """The id of a batch at the provider."""
    MOMENT = "moment"
    """In whole seconds, UTC."""


class Fact(msgspec.Struct, frozen=True):
    """A small JSON object of the ledger, written once and never changed: `<KIND>.json` or `<KIND>-<place>.json`."""

    KIND: ClassVar[str]
    """Without a hyphen. No two facts of a run have the same, nor two facts of a batch."""
    PLACE: ClassVar[Place] = Place.ONCE
    STATE_FIELD: ClassVar[str] = ""
    """The field of `RunState` or `BatchState` that a listing fills; empty if no decision depends on this fact."""

    @classmethod
    def key(cls, run: str, *place: PlaceValue) -> str:
        """Return the key of a fact of a run. `place`: only for kinds that have one."""
        return f"{keys.ledger(run)}{cls._name(*place)}"

    @classmethod
    def _name(cls, *place: PlaceValue) -> str:
        if len(place) != (cls.PLACE is not Place.ONCE):
            raise TypeError(f"{cls.__name__} has the place {cls.PLACE}, and got {len(place)} values for it")
        return f"{'-'.join((cls.KIND, *map(_text, place)))}{_SUFFIX}"


class BatchFact(Fact, frozen=True):
    """A fact of one batch of a run."""

    @classmethod
    def key(cls, run: str, *place: PlaceValue) -> str:
        """Return the key of a fact of a batch. `place`: the number of the batch, then the fact's own if it has one."""
        batch, *own_place = place
        return f"{keys.batch(run, _text(batch))}{cls._name(*own_place)}"


def kinds_of(base: type[Fact]) -> dict[str, type[Fact]]:
    """Return the kinds of facts of a run (`Fact`), or of a batch (`BatchFact`), by `KIND`."""
    kinds: dict[str, type[Fact]] = {}
    for kind in base.__subclasses__():
        if kind is not BatchFact:
            kinds |= {kind.KIND: kind} | kinds_of(kind)
    return kinds


def read_name(name: str, kinds: Mapping[str, type[Fact]]) -> tuple[type[Fact], PlaceValue] | None:
    """Read the name of an object: the kind of the fact and its place, True for a kind that has none.

    Returns None for a name that is not a fact's.
    """
    word, _, text = name.removesuffix(_SUFFIX).partition("-")
    kind = kinds.get(word)
    place = read_place(kind.PLACE, text) if kind and name.endswith(_SUFFIX) else None
    return None if kind is None or place is None else (kind, place)


def read_place(form: Place, text: str) -> PlaceValue | None:
    """Read the text that names a place; None if it has another form."""
    match form:
        case Place.ONCE:
            return not text or None
        case Place.NUMBER:
            return int(text) if text.isascii() and text.isdigit() else None
        case Place.ID:
            return text or None
        case Place.MOMENT:
            try:
                return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
            except ValueError:
                return None


def _text(place: PlaceValue) -> str:
    return place.astimezone(UTC).strftime(_MOMENT) if isinstance(place, datetime) else str(place)
