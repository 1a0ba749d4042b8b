"""Why the gate after validation is closed: none of it by default."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.reasons import reasons_of
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.money.estimate import Estimate, ModelEstimate
from tests.support.examples import DROP, RUN


def estimate(dollars: str | None = "100", *models: str, **more: Any) -> Estimate:
    """Return what a drop can cost."""
    most = Decimal(dollars) if dollars else None
    each = ModelEstimate(1, 1, 1, most)
    return Estimate(most, 1, 1, dict.fromkeys(models or ("claude-haiku-4-5",), each), **more)


def drop(found: Estimate | None, **limits: Any) -> ValidatedDrop:
    """Return a validated drop of a project with limits."""
    return ValidatedDrop(1, "f00", estimate=found, is_gated=True, **limits)


def codes(hold_above: float = 0, metadata: dict[str, str] | None = None, **drop_of: Any) -> list[ReasonCode]:
    """Return the codes of the reasons."""
    settings = replace(RUN.settings, hold_above_usd=hold_above)
    run = replace(RUN, settings=settings, drop=replace(DROP, metadata=metadata or {}))
    found = drop_of.pop("found", estimate())
    return [reason.code for reason in reasons_of(run, drop(found, **drop_of))]


@pytest.mark.parametrize("found", [None, estimate(None), estimate("1000000000")])
def test_a17_without_limits_nothing_is_held(found: Estimate | None) -> None:
    """A17: whatever it costs, known or not."""
    assert codes(found=found) == []


def test_a_drop_that_asks_is_held_and_dry_run_is_no_reason() -> None:
    """Metadata asks for one or the other."""
    assert codes(metadata={"hold": "always"}) == [ReasonCode.ASKED]
    assert codes(metadata={"dry-run": "yes"}) == []


def test_at_most_is_compared_and_no_bound_counts_as_above() -> None:
    """What may cost anything may cost more than the limit."""
    assert codes(hold_above=99.99) == [ReasonCode.HOLD_ABOVE]
    assert codes(hold_above=100) == []
    assert codes(hold_above=100, found=estimate(None)) == [ReasonCode.HOLD_ABOVE]
    assert codes(hold_above=100, found=None) == [ReasonCode.HOLD_ABOVE]
    assert codes(usd_per_drop=Decimal("99.99")) == [ReasonCode.CEILING]
    assert codes(usd_per_drop=Decimal(100)) == []
    assert codes(usd_per_drop=Decimal(0), found=estimate("0")) == []
    assert codes(usd_per_drop=Decimal(100), found=estimate(None)) == [ReasonCode.CEILING]


def test_a_limit_is_compared_exactly() -> None:
    """0.1 is no sum of powers of two."""
    assert codes(hold_above=0.1, found=estimate("0.1")) == []
    assert codes(hold_above=0.1, found=estimate("0.100001")) == [ReasonCode.HOLD_ABOVE]


def test_models_outside_the_list_are_named() -> None:
    """An empty list allows none; no list allows all."""
    found = estimate("1", "claude-opus-5", "claude-haiku-4-5")
    assert codes(found=found, models=["claude-haiku-4-5", "claude-opus-5"]) == []
    assert codes(found=found, models=None) == []
    (reason,) = reasons_of(RUN, drop(found, models=["claude-haiku-4-5"]))
    assert reason.message == 'the project "default" may not use claude-opus-5 (models)'
    (reason,) = reasons_of(RUN, drop(found, models=[]))
    assert "claude-opus-5, claude-haiku-4-5" in reason.message


def test_of_many_models_five_are_named_and_long_names_are_cut() -> None:
    """The message stays short, whatever a drop names."""
    found = estimate("1", "", *(f"{'x' * 300}{number}" for number in range(8)))
    (reason,) = reasons_of(RUN, drop(found, models=[]))
    assert 'may not use "", xxx' in reason.message
    assert "and 4 more models" in reason.message
    assert len(reason.message) < 400


def test_more_models_than_are_counted_are_not_on_a_list() -> None:
    """One of them may be another."""
    found = estimate("1", no_bound={"models": 3})
    assert codes(found=found, models=["claude-haiku-4-5"]) == [ReasonCode.MODEL]


def test_each_fault_of_the_limits_is_a_reason() -> None:
    """A15: nobody knows which limits would apply."""
    run = replace(RUN, config_faults=("config/budgets.json: no", "config/prices.json: no"))
    assert [reason.code for reason in reasons_of(run, drop(estimate()))] == [ReasonCode.CONFIG] * 2


def test_all_reasons_are_told_together() -> None:
    """A person decides once."""
    found = codes(hold_above=1, metadata={"hold": "always"}, usd_per_drop=Decimal(1), models=[])
    assert found == [ReasonCode.ASKED, ReasonCode.HOLD_ABOVE, ReasonCode.CEILING, ReasonCode.MODEL]
