"""What facts say about one line of the probe: its outcome and cost, as the receipt would count it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from conveyor.domain.outcome import UNREADABLE, Error, Outcome, OutputKind, Result, failure
from conveyor.ledger.part import Answer
from conveyor.money.prices import PRICES
from conveyor.money.usage import ModelUsage, Usage
from conveyor.split.answers import answer_of
from conveyor.split.tally import Tally

MILLION = 10**6
MODEL = "claude-sonnet-5-5"


def succeeded(usage: Usage, **more: Any) -> Result:
    """Return a success."""
    return Result("id", Outcome.SUCCEEDED, model=more.pop("model", MODEL), usage=usage, stop="end_turn", **more)


def test_a_prompt_costs_what_was_read_and_written_to_the_cache_and_an_answer_all_else() -> None:
    """Searches and steps beside the answer do not grow with the prompt of the line."""
    advice = ModelUsage("claude-opus-5-5", Usage(MILLION, MILLION))
    usage = Usage(MILLION, MILLION, 3 * MILLION, MILLION, 2 * MILLION, 500)
    answer = answer_of(7, succeeded(usage, also_used=(advice,)), PRICES)
    assert answer.line == 7
    assert answer.stop == "end_turn"
    assert answer.input_usd == Decimal(1) + Decimal("1.25") + Decimal(4) + Decimal("0.05")
    assert answer.output_usd == Decimal(5) + Decimal(5) + Decimal(2) + Decimal(10)


@pytest.mark.parametrize(
    "result",
    [
        succeeded(Usage(1_000, 500)),
        succeeded(Usage(1_000, 500), place="us"),
        succeeded(Usage(200_000, 500), model="claude-haiku-5-5"),
        succeeded(Usage(5, 5, 7, 8, 3, 2), also_used=(ModelUsage("", Usage(10, 20)),)),
    ],
)
def test_a_line_costs_what_the_receipt_counts_for_it(result: Result) -> None:
    """In the United States, for a long prompt, and with a compaction."""
    tally, answer = Tally(), answer_of(1, result, PRICES)
    tally.add(result, OutputKind.SUCCEEDED)
    assert answer.input_usd is not None
    assert answer.output_usd is not None
    assert answer.input_usd + answer.output_usd == sum(used.cost_usd or 0 for used in tally.tokens.values())


@pytest.mark.parametrize(
    "result",
    [
        succeeded(Usage(1, 1), model="a-model-of-next-year"),
        succeeded(Usage(1, 1), also_used=(ModelUsage("a-model-of-next-year", Usage(1, 1)),)),
        succeeded(Usage(0, 1)),
        Result("id", Outcome.ERRORED, error=Error(UNREADABLE, "")),
        failure(Outcome.MISSING),
        Result("id", Outcome.STUCK, error=Error("stuck", "")),
    ],
)
def test_what_may_have_been_billed_has_no_cost_unless_it_is_known(result: Result) -> None:
    """A model without a price, an answer without counts, and results that could not be read."""
    answer = answer_of(1, result, PRICES)
    assert (answer.input_usd, answer.output_usd) == (None, None)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (
            Result("id", Outcome.ERRORED, error=Error("invalid_request_error", "temperature")),
            Answer(1, Outcome.ERRORED, "invalid_request_error", will_recur=True),
        ),
        (
            Result("id", Outcome.ERRORED, error=Error("overloaded_error", "")),
            Answer(1, Outcome.ERRORED, "overloaded_error"),
        ),
        (Result("id", Outcome.ERRORED), Answer(1, Outcome.ERRORED, will_recur=True)),
        (failure(Outcome.EXPIRED), Answer(1, Outcome.EXPIRED)),
        (failure(Outcome.CANCELED, Error("token_limit_exceeded", "")), Answer(1, Outcome.CANCELED)),
    ],
)  # fmt: skip
def test_a_failure_costs_nothing_and_says_whether_it_would_come_again(result: Result, answer: Answer) -> None:
    """Only successes are charged."""
    free = msgspec.structs.replace(answer, input_usd=Decimal(0), output_usd=Decimal(0))
    assert answer_of(1, result, PRICES) == free


def test_a_type_that_quotes_a_request_is_in_no_fact() -> None:
    """Facts may be read by people who may not read prompts."""
    error = Error("bad request: dear diary, today I", "dear diary, today I")
    assert answer_of(1, Result("id", Outcome.ERRORED, error=error), PRICES).error == "other"
