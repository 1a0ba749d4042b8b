"""A kind of fact is one class: its key, its content and its place in the state follow from it."""

from datetime import UTC, datetime
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path

import pytest

from conveyor import ledger
from conveyor.ledger.batch_facts import Attempt, Cancel, Duplicate
from conveyor.ledger.fact import BatchFact, Fact, Place, PlaceValue, kinds_of, read_name
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import RetryAfterAnswer, Run
from conveyor.ledger.state import FACT_MODULES, BatchState, RunState
from conveyor.s3.bucket import Bucket
from tests.support.fake_aws import FakeBucket

PLACES: dict[Place, list[PlaceValue]] = {
    Place.ONCE: [],
    Place.NUMBER: [7],
    Place.ID: ["msg-batch_7"],
    Place.MOMENT: [datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)],
}
STATES = {Fact: RunState, BatchFact: BatchState}
KINDS = [(base, kind) for base in STATES for kind in kinds_of(base).values()]


class Rehearsed(BatchFact, frozen=True):
    """A kind of fact defined only for this test."""

    KIND = "rehearsed"
    PLACE = Place.NUMBER
    STATE_FIELD = "reads"

    by: str


def test_a_new_class_is_a_kind_of_fact_that_is_written_read_and_listed() -> None:
    """No other code changes: no table of kinds, no method of the ledger."""
    bucket = FakeBucket()
    facts = Ledger(Bucket(bucket.client, "bucket"), "run-1")
    assert facts.write(Rehearsed("me"), 3, 2) == Rehearsed("me")
    assert list(bucket.objects) == ["runs/run-1/batches/3/rehearsed-2.json"]
    assert facts.write(Rehearsed("you"), 3, 2) == facts.read(Rehearsed, 3, 2) == Rehearsed("me")
    assert facts.run_state().batches == {3: BatchState(reads={2})}


def test_every_module_that_defines_facts_is_known_to_the_state() -> None:
    """Facts of a module that is not imported when a ledger is listed would be ignored."""
    names = [path.stem for path in Path(ledger.__path__[0]).glob("*.py") if path.stem != "__init__"]
    modules = [import_module(f"conveyor.ledger.{name}") for name in names]
    defined = {
        kind.__module__ for module in modules for _, kind in getmembers(module, isclass) if issubclass(kind, Fact)
    }
    assert defined - {"conveyor.ledger.fact"} == {module.__name__ for module in FACT_MODULES}


@pytest.mark.parametrize(("base", "kind"), KINDS, ids=lambda kind: kind.__name__)
def test_a_fact_is_known_by_the_name_of_its_object(base: type[Fact], kind: type[Fact]) -> None:
    """Two facts with one name would overwrite each other's place in the state."""
    places = PLACES[kind.PLACE]
    key = kind.key("run-1", *([1] if base is BatchFact else []), *places)
    assert read_name(key.rpartition("/")[2], kinds_of(base)) == (kind, places[0] if places else True)


@pytest.mark.parametrize(("base", "kind"), KINDS, ids=lambda kind: kind.__name__)
def test_a_fact_that_is_listed_has_a_field_in_the_state(base: type[Fact], kind: type[Fact]) -> None:
    """A field of another name would fail at the first listing of a run that has the fact."""
    assert kind.STATE_FIELD in {"", *STATES[base].__struct_fields__}


def test_a_key_needs_as_many_places_as_its_kind_has() -> None:
    """A missing number would name an object that does not exist."""
    for kind, place in ((Attempt, (1,)), (Attempt, (1, 2, 3)), (Cancel, (1, 2)), (Duplicate, (1,)), (Run, (1,))):
        with pytest.raises(TypeError, match=kind.__name__):
            kind.key("run-1", *place)
    assert RetryAfterAnswer.key("run-1", *PLACES[Place.MOMENT]) == "runs/run-1/wait-20261122T123456Z.json"
