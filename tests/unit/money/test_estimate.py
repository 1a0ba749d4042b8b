"""What requests can cost at most, added up by model."""

from decimal import Decimal

import pytest

from conveyor.money.bounds import OTHER_API, Bound, Caching, NoBound
from conveyor.money.estimate import MOST_MODELS, Estimate, Meter, TokenSum
from conveyor.money.prices import PRICES, read_prices

OPUS, HAIKU, SMALL = "claude-opus-5-5", "claude-haiku-5-5", "claude-haiku-4-5"
MILLION = 10**6


def estimate(*requests: tuple[str, Bound, int]) -> Estimate:
    """Return the estimate of requests: model, bound and `max_tokens`."""
    meter = Meter(PRICES)
    for request in requests:
        meter.add(*request)
    return meter.estimate()


@pytest.mark.parametrize(
    ("caching", "dollars"), [(Caching.NONE, "2"), (Caching.FIVE_MINUTES, "2.5"), (Caching.ONE_HOUR, "4")]
)
def test_all_input_has_the_dearest_price_that_was_asked_for(caching: Caching, dollars: str) -> None:
    """And a tenth more, since the workspace may keep inference in the United States. Output is `max_tokens`."""
    found = estimate((OPUS, Bound(MILLION, caching), MILLION))
    assert found.at_most_usd == (Decimal(dollars) + 10) * Decimal("1.1")
    assert (found.input_tokens, found.output_tokens) == (MILLION, MILLION)


def test_a_prompt_that_may_be_long_has_the_price_of_long_ones() -> None:
    """For input and output; one that cannot be is not affected by others."""
    long, short = (HAIKU, Bound(100_001), 1000), (HAIKU, Bound(100_000), 1000)
    costs = {
        True: (Decimal("0.25") * 100_001 + Decimal("1.25") * 1000) * Decimal("1.1") / MILLION,
        False: (Decimal("0.05") * 100_000 + Decimal("0.25") * 1000) * Decimal("1.1") / MILLION,
    }
    found = estimate(long, short, short).at_most_usd
    assert found is not None
    assert found - costs[True] - 2 * costs[False] < Decimal("0.000001")
    assert found >= costs[True] + 2 * costs[False]


def test_a_prompt_is_never_longer_than_the_model_reads() -> None:
    """A longer one is refused and not billed; a PDF may fill all of it."""
    assert estimate((SMALL, Bound(5 * MILLION), 1)).input_tokens == 200_000
    assert estimate((SMALL, Bound(4_000, has_pdf=True), 1)).input_tokens == 200_000
    own = b'{"models": {"own": {"input": 1, "output": 1, "cache_write_5m": 1, "cache_write_1h": 1, "cache_read": 1}}}'
    meter = Meter(read_prices(own))
    meter.add("own", Bound(4_000, has_pdf=True), 1)
    assert meter.estimate().no_bound == {"pdf": 1}


def test_one_request_without_a_bound_leaves_the_drop_without_one_and_is_counted() -> None:
    """The other models keep theirs."""
    found = estimate((OPUS, Bound(reason=NoBound.URL), 10), (OPUS, Bound(10), 10), (HAIKU, Bound(10), 10))
    assert (found.at_most_usd, found.input_tokens, found.output_tokens) == (None, None, 30)
    assert found.no_bound == {"url": 1}
    assert found.models[OPUS].at_most_usd is None
    assert found.models[OPUS].requests == 2
    assert found.models[HAIKU].at_most_usd == Decimal("0.000004")


def test_a_model_without_a_price_is_named() -> None:
    """Its tokens have a bound, and its cost has none."""
    found = estimate(("claude-next", Bound(10), 10), ("gpt", OTHER_API, 0))
    assert (found.at_most_usd, found.unpriced) == (None, ["claude-next", "gpt"])
    assert found.no_bound == {"api": 1, "price": 2}
    assert found.models["claude-next"].input_tokens == 10


def test_models_are_kept_apart_up_to_a_number_and_then_there_is_no_bound() -> None:
    """A drop cannot make the plan grow by naming a model on each line."""
    found = estimate(*((f"m-{number}", Bound(1), 1) for number in range(MOST_MODELS + 3)), ("m" * 201, Bound(1), 1))
    assert len(found.models) == MOST_MODELS
    assert found.has_too_many_models
    assert found.no_bound["models"] == 4


def test_requests_that_are_added_together_count_as_one_by_one() -> None:
    """If none of them is longer than the meter says."""
    one_by_one = estimate(*[(HAIKU, Bound(tokens), 7) for tokens in (5, 80_000, 100_000)])
    meter = Meter(PRICES)
    assert meter.longest_alike(HAIKU) == 100_000
    meter.add_alike(HAIKU, Caching.NONE, TokenSum(3, 180_005, 21))
    assert meter.estimate() == one_by_one
