"""If a batch may have only one model, batches end where the model changes."""

from itertools import groupby

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.dialect import Dialect
from conveyor.jsonl.lines import read_blocks
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import MOST_MODEL_CHANGES, Checker, check_drop
from conveyor.validation.planner import Limits, Planner, RequestGroup
from tests.support.drops import BODY, MESSAGES, PARAMS, RUN, Findings, line, plain_check, settings

models = st.lists(st.sampled_from(["m", "n", "o"]), min_size=1, max_size=40)


def drop(models: list[str]) -> bytes:
    """Return a drop with one line for each model."""
    return b"".join(line(f"r-{number}", model=model) + b"\n" for number, model in enumerate(models))


def checked(data: bytes, dialect: Dialect = BODY) -> Checker:
    """Check a drop."""
    return check_drop(RUN, settings(), dialect, lambda: [data])


@given(models, st.integers(1, 8))
def test_a_batch_ends_where_another_model_follows_or_it_is_full(models: list[str], most: int) -> None:
    """It ends nowhere else: each batch adds steps to the run."""
    planner = Planner(Limits(most, 10**6, 10**6), 1)
    for number, model in enumerate(models, 1):
        planner.add(RequestGroup(number, number, number * 10, number * 10 + 9, 1, 9, 1, 0, model))
    stretches = [(model, len(list(same))) for model, same in groupby(models)]
    expected = [(model, min(most, count - begun)) for model, count in stretches for begun in range(0, count, most)]
    assert [(batch.model, batch.requests) for batch in planner.batches] == expected
    assert [batch.first_line for batch in planner.batches][1:] == [batch.last_line + 1 for batch in planner.batches][
        :-1
    ]
    assert planner.changes == len(stretches) - 1


@given(models)
def test_every_request_of_a_batch_names_its_model(models: list[str]) -> None:
    """It holds on both paths of the check; otherwise a provider refuses the whole file."""
    data = drop(models)
    checker = checked(data)
    drop_settings = settings()
    envelope = Envelope(BODY.form, RUN, drop_settings.default_max_tokens)
    assert [batch.model for batch in checker.batches] == [model for model, _ in groupby(models)]
    for batch in checker.batches:
        stretches = read_blocks([data[batch.first_byte : batch.end_byte]], start=batch.first_byte)
        body = b"".join(envelope.body(batch, stretches))
        assert {orjson.loads(each)["body"]["model"] for each in body.splitlines()} == {batch.model}


@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS])
def test_other_formats_may_have_several_models_in_a_batch(dialect: Dialect) -> None:
    """Each batch waits for its slowest request and uses the queue: there should be few."""
    checker = checked(drop(["m", "n"] * 200), dialect)
    assert not checker.alternates
    assert [(batch.requests, batch.model) for batch in checker.batches] == [(400, "")]


@pytest.mark.parametrize(("changes", "alternates"), [(MOST_MODEL_CHANGES, False), (MOST_MODEL_CHANGES + 1, True)])
@pytest.mark.parametrize("after", [0, 3, 500])
def test_models_that_alternate_too_often_are_reported(changes: int, *, alternates: bool, after: int) -> None:
    """Further lines are only counted, so no plan of thousands of batches is made."""
    models = [f"m-{number % 2}" for number in range(changes + 1)]
    data = drop(models + models[-1:] * after)
    checker = checked(data)
    findings = Findings(checker.batches, checker.faults, checker.lines, checker.requests, checker.alternates)
    assert findings == plain_check(data, settings(), 1000, BODY)
    assert (checker.alternates, checker.requests) == (alternates, changes + 1 + after)
    assert len(checker.batches) <= MOST_MODEL_CHANGES + 2


def test_faults_of_a_drop_whose_models_alternate_too_often_are_reported() -> None:
    """Both can be corrected at once; duplicate ids are reported only up to that line."""
    alternating = drop([f"m-{number % 2}" for number in range(MOST_MODEL_CHANGES + 2)])
    data = alternating + b"nonsense\n" + line("late", max_tokens=0) + b"\n" + line("r-0")
    checker = checked(data)
    assert checker.alternates
    assert [fault.code for fault in checker.faults] == ["not-json", "max-tokens-invalid"]


@pytest.mark.slow
@given(st.binary(min_size=10, max_size=40))
def test_a_drop_that_alternates_is_counted_to_its_end(bits: bytes) -> None:
    """Checking lines together finds what checking each line finds.

    The exception is the batches of a drop that alternates too often, which are never sent.
    """
    data = drop(list(f"{int.from_bytes(bits):b}"))
    checker = check_drop(
        RUN, settings(), BODY, lambda: [data[begin : begin + 777] for begin in range(0, len(data), 777)]
    )
    findings = Findings(checker.batches, checker.faults, checker.lines, checker.requests, checker.alternates)
    expected = plain_check(data, settings(), 1000, BODY)
    assert findings._replace(batches=[]) == expected._replace(batches=[])
    assert checker.alternates or checker.batches == expected.batches
