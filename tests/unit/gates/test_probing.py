"""Which drops have a sample answered first."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.probing import is_probed
from conveyor.money.bounds import OTHER_API, Bound, NoBound
from conveyor.money.estimate import Estimate, Meter
from conveyor.money.prices import PRICES
from tests.support.examples import RUN

MODEL = "claude-haiku-4-5"


def estimate_of(*requests: tuple[str, Bound], output: int = 200_000) -> Estimate:
    """Return the estimate of a drop: half a dollar for each request of the model that has a price."""
    meter = Meter(PRICES)
    for model, bound in requests:
        meter.add(model, bound, output)
    return meter.estimate()


PLAIN, WITH_URL = Bound(0), Bound(0, reason=NoBound.URL)
FIFTY_CENTS = estimate_of((MODEL, PLAIN))


def probed(  # noqa: PLR0913  # each is one reason
    estimate: Estimate | None = FIFTY_CENTS,
    *,
    requests: int = 10,
    above: int = 1000,
    hold_above: float = 0,
    usd_per_drop: str | None = None,
    metadata: str | None = None,
) -> bool:
    """Tell whether a drop is probed."""
    settings = replace(RUN.settings, probe_above=above, hold_above_usd=hold_above)
    given = {} if metadata is None else {"probe": metadata}
    run = replace(RUN, settings=settings, drop=replace(RUN.drop, metadata=given))
    limit = None if usd_per_drop is None else Decimal(usd_per_drop)
    return is_probed(run, ValidatedDrop(requests, "sha", estimate=estimate, usd_per_drop=limit), requests)


@pytest.mark.parametrize(("requests", "expected"), [(999, False), (1000, True), (10**6, True)])
def test_a_large_drop_is_probed(requests: int, *, expected: bool) -> None:
    """A small one would not be answered earlier in parts."""
    assert probed(requests=requests) is expected


def test_a_drop_decides_for_itself() -> None:
    """Whatever the stack does, and whatever the drop may cost."""
    assert probed(requests=1, metadata="yes")
    assert probed(requests=1, above=0, metadata="yes")
    assert not probed(requests=5000, hold_above=0.1, usd_per_drop="0.1", metadata="no")


@pytest.mark.parametrize(("limit", "expected"), [("0.50", False), ("0.49", True)])
def test_a_drop_above_its_own_limit_is_probed_whatever_its_size(limit: str, *, expected: bool) -> None:
    """The forecast may show that it costs less."""
    run = replace(RUN, settings=replace(RUN.settings, probe_above=1000, hold_above_usd=0))
    run = replace(run, drop=replace(RUN.drop, metadata={"max-usd": limit}))
    assert is_probed(run, ValidatedDrop(1, "sha", estimate=FIFTY_CENTS), 1) is expected


def test_a_stack_may_have_no_probes() -> None:
    """Neither for large drops nor for dear ones."""
    assert not probed(requests=10**6, above=0, hold_above=0.1, usd_per_drop="0.1")


@pytest.mark.parametrize(("limit", "expected"), [("0.50", False), ("0.49", True), ("0", True)])
def test_a_drop_above_the_limit_of_its_project_is_probed_whatever_its_size(limit: str, *, expected: bool) -> None:
    """The forecast may show that it costs less: then nobody has to approve it. A limit of 0 is one."""
    assert probed(requests=1, usd_per_drop=limit) is expected


@pytest.mark.parametrize(("limit", "expected"), [(0.5, False), (0.49, True), (0, False)])
def test_a_drop_above_the_limit_of_the_stack_is_probed_whatever_its_size(limit: float, *, expected: bool) -> None:
    """0 is no limit there."""
    assert probed(requests=1, hold_above=limit) is expected


@pytest.mark.parametrize("estimate", [estimate_of((MODEL, PLAIN), (MODEL, WITH_URL)), None])
def test_a_drop_without_a_bound_is_above_every_limit(estimate: Estimate | None) -> None:
    """It may cost anything."""
    assert probed(estimate, hold_above=10**6)
    assert probed(estimate, usd_per_drop="1000000")
    assert not probed(estimate)


@pytest.mark.parametrize("model", ["a-model-of-another-provider", MODEL])
def test_models_without_a_price_are_above_the_limit_of_a_project_only(model: str) -> None:
    """With other providers nobody may have set prices: not every drop of such a stack is dear."""
    bound = OTHER_API if model == MODEL else PLAIN
    estimate = estimate_of((model, bound))
    assert not probed(estimate, hold_above=100)
    assert probed(estimate, usd_per_drop="100")


def test_requests_with_a_price_count_beside_those_without() -> None:
    """A cheap model of another provider does not hide what the others cost."""
    estimate = estimate_of((MODEL, PLAIN), ("a-model-of-another-provider", PLAIN))
    assert probed(estimate, hold_above=0.49)
    assert not probed(estimate, hold_above=0.5)
