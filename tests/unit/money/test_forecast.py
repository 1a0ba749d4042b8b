"""What a run will cost, from what its probe has cost."""

import math
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.forecast import Forecast, Observation, forecast_of
from conveyor.money.spread import student


def line(output: str = "0.02", prompt: str = "0.01", tokens: int | None = 100, **more: bool) -> Observation:
    """Return what a line has cost."""
    return Observation("m", tokens, Decimal(prompt), Decimal(output), **more)


def drop(requests: int, tokens: int | None = None, most: str | None = None) -> Estimate:
    """Return the estimate of a drop of one model."""
    dollars = Decimal(most) if most else None
    return Estimate(dollars, tokens, 9, {"m": ModelEstimate(requests, tokens, 9, dollars)})


def sure(estimate: Estimate, lines: Sequence[Observation]) -> Forecast:
    """Return the forecast, which there is."""
    found = forecast_of(estimate, lines)
    assert found is not None
    return found


def test_lines_that_cost_the_same_are_forecast_exactly() -> None:
    """The whole run, of which the probe is a part."""
    found = sure(drop(1_000), [line()] * 50)
    assert (found.low_usd, found.usd, found.high_usd) == (Decimal(30), Decimal(30), Decimal(30))
    assert (found.models["m"].requests, found.models["m"].answered) == (1_000, 50)


def test_prompts_are_forecast_by_the_tokens_that_they_can_have() -> None:
    """The probe has short lines by chance; the others are ten times as long, and known to be."""
    lines = [line("0", "0.01", 100), line("0", "0.02", 200)] * 10
    assert sure(drop(1_020, 3_000 + 1_000 * 1_500), lines).usd == Decimal("150.3")
    assert sure(drop(1_020), lines).usd == Decimal("15.3"), "without bounds, the mean of a line"


def test_a_failure_costs_nothing_and_shows_what_others_will_do() -> None:
    """Half of the rest will fail, too."""
    failed = line("0", "0")
    assert sure(drop(1_000), [line(), failed] * 25).usd == Decimal(15)


def test_a_failure_that_passes_says_nothing_about_the_others() -> None:
    """It costs nothing itself, and is not sent again."""
    busy = line("0", "0", is_typical=False)
    found = sure(drop(1_000), [line()] * 25 + [busy] * 25)
    assert found.usd == Decimal("0.03") * 975
    assert found.models["m"].answered == 25


def test_where_nothing_is_known_of_a_model_its_bound_is_the_upper_end() -> None:
    """No answer, failures only, or one answer and nothing to compare it with."""
    assert sure(drop(1_000, most="40"), []).high_usd == Decimal(40)
    assert sure(drop(1_000, most="40"), []).usd == Decimal(40)
    assert sure(drop(1_000, most="40"), [line("0", "0")] * 50).high_usd == Decimal(40)
    assert sure(drop(1_000, most="40"), [line("0", "0")] * 50).usd == Decimal(0)
    found = sure(drop(1_000, most="40"), [line()])
    assert (found.low_usd, found.usd, found.high_usd) == (Decimal("0.03"), Decimal(30), Decimal(40))
    assert forecast_of(drop(1_000), []) is None
    assert forecast_of(drop(1_000), [line("0", "0")] * 50) is None
    assert forecast_of(drop(1_000), [line()]) is None


def test_one_answer_of_a_model_has_the_spread_of_the_others() -> None:
    """A small share of a drop is not as uncertain as a drop of which one line is known."""
    models = {"m": ModelEstimate(980, None, 9, None), "rare": ModelEstimate(20, None, 9, None)}
    lines = [line("0.01"), line("0.03")] * 25 + [line()._replace(model="rare")]
    found = sure(Estimate(None, None, 9, models), lines)
    rare = found.models["rare"]
    assert rare.usd == Decimal("0.6")
    assert Decimal("1.1") < rare.high_usd < Decimal("1.5")
    margins = [each.high_usd - each.usd for each in found.models.values()]
    assert max(margins) < found.high_usd - found.usd < sum(margins), "errors of models are independent"


@pytest.mark.parametrize(
    "estimate",
    [
        Estimate(None, 9, 9, {"m": ModelEstimate(100, 9, 9, None)}, unpriced=["m"]),
        Estimate(None, None, 9, {"m": ModelEstimate(100, 9, 9, None)}, {"models": 3}),
    ],
)
def test_a_model_without_a_price_or_out_of_sight_leaves_no_forecast(estimate: Estimate) -> None:
    """A sum of the others would look like the whole."""
    assert forecast_of(estimate, [line()] * 50) is None


AMOUNTS = st.decimals(0, 100, places=6)
LINES = st.lists(
    st.builds(Observation, st.sampled_from("ab"), st.none() | st.integers(0, 10**6), AMOUNTS, AMOUNTS, st.booleans()),
    max_size=30,
)
ESTIMATES = st.builds(
    lambda requests, tokens, most: Estimate(
        most, None, 9, {name: ModelEstimate(requests, tokens, 9, None if most is None else most / 2) for name in "ab"}
    ),
    st.integers(0, 10**6), st.none() | st.integers(0, 10**12), st.none() | st.decimals(0, 10**6, places=6),
)  # fmt: skip


@given(ESTIMATES, LINES)
def test_a_forecast_is_between_what_was_spent_and_what_can_be_spent(
    estimate: Estimate, lines: list[Observation]
) -> None:
    """Whatever the lines have cost; and its ends are in order, for each model and for all."""
    found = forecast_of(estimate, lines)
    if found is None:
        assert estimate.at_most_usd is None
        return
    spent = {name: sum((each.input_usd + each.output_usd for each in lines if each.model == name), Decimal(0))
             for name in estimate.models}  # fmt: skip
    for name, each in found.models.items():
        most = estimate.models[name].at_most_usd
        assert spent[name] <= each.low_usd <= each.usd <= each.high_usd
        assert most is None or each.high_usd <= max(most, spent[name])
    total = sum(spent.values())
    assert total <= found.low_usd <= found.usd <= found.high_usd
    assert estimate.at_most_usd is None or found.high_usd <= max(estimate.at_most_usd, total)
    assert found.high_usd <= sum(each.high_usd for each in found.models.values()) + Decimal("0.00001")


@given(LINES)
def test_a_drop_that_is_all_probe_costs_what_it_has_cost(lines: list[Observation]) -> None:
    """Nothing is left to forecast."""
    counts = {name: sum(each.model == name for each in lines) for name in "ab"}
    models = {name: ModelEstimate(count, None, 9, None) for name, count in counts.items()}
    found = sure(Estimate(None, None, 9, models), lines)
    spent = sum((each.input_usd + each.output_usd for each in lines), Decimal(0))
    assert found.low_usd == found.usd == found.high_usd == spent


@settings(max_examples=50)
@given(st.lists(AMOUNTS.filter(bool), min_size=2, max_size=20), st.integers(1, 9), st.integers(21, 10**5))
def test_a_forecast_grows_with_the_cost_of_lines_and_with_their_number(
    costs: list[Decimal], factor: int, requests: int
) -> None:
    """All three amounts."""
    lines = [line(str(cost), "0", None) for cost in costs]
    dearer = [each._replace(output_usd=each.output_usd * factor) for each in lines]
    found, more, longer = (
        sure(drop(requests), lines), sure(drop(requests), dearer), sure(drop(requests * factor), lines)
    )  # fmt: skip
    for other in (more, longer):
        assert found.usd <= other.usd
        assert found.high_usd <= other.high_usd
    assert math.isclose(more.high_usd, found.high_usd * factor, rel_tol=1e-5, abs_tol=1e-4)


@pytest.mark.parametrize(
    ("freedom", "middle", "upper"),
    [(1, 12.706, 31.821), (2, 4.303, 6.965), (3, 3.182, 4.541), (5, 2.571, 3.365), (10, 2.228, 2.764),
     (49, 2.010, 2.405), (10**6, 1.960, 2.326)],
)  # fmt: skip
def test_quantiles_are_those_of_the_printed_tables(freedom: int, middle: float, upper: float) -> None:
    """Student's t, 97.5 % and 99 %."""
    assert student(0.975, freedom) == pytest.approx(middle, rel=0.004)
    assert student(0.99, freedom) == pytest.approx(upper, rel=0.004)


@pytest.mark.parametrize(
    ("variation", "answered", "close"),
    [
        (0.2, 50, 0.99),
        (0.3, 50, 0.95),
        (0.5, 50, 0.8),
        (0.5, 100, 0.94),
        (0.5, 200, 0.99),
        (1, 50, 0.5),
        (1.5, 50, 0.3),
    ],
)
def test_a33_the_interval_holds_for_skewed_costs_and_the_forecast_is_close_where_costs_vary_little(
    variation: float, answered: int, close: float
) -> None:
    """Lognormal costs, by their coefficient of variation; `close`: how often the total is within 10 %, at least."""
    found, inside = simulated(variation, answered, 300, Random(33))  # noqa: S311  # not for secrets
    assert found >= close
    assert inside >= 0.93


def simulated(variation: float, answered: int, repeats: int, random: Random) -> tuple[float, float]:
    """Forecast a drop of lognormal costs from many probes; return how often it was within 10 %, and in the interval."""
    sigma, close, inside = math.sqrt(math.log(1 + variation**2)), 0, 0
    drawn = [random.lognormvariate(0, sigma) for _ in range(20_000)]
    total, lines = math.fsum(drawn), [line(f"{cost:.6f}", "0", None) for cost in drawn]
    for _ in range(repeats):
        found = sure(drop(len(lines)), random.sample(lines, answered))
        close += abs(float(found.usd) / total - 1) <= 0.1
        inside += float(found.low_usd) <= total <= float(found.high_usd)
    return close / repeats, inside / repeats
