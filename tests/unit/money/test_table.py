"""Each price in our table is that of every independent table that has it, and of at least one."""

import json
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conveyor.money.price import LongPrompt, Price, Rates
from conveyor.money.table import ROWS

PACKAGES = Path(__file__).parents[3] / ".venv" / "prices" / "lib" / "python3.13" / "site-packages"
LITELLM = "litellm/model_prices_and_context_window_backup.json"
RATES = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
MILLION = 10**6
BATCH = Decimal("0.5")
"""What batches cost of the list price; searches cost all of it."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def litellm() -> dict[str, Any]:
    """Return the table of LiteLLM: the list price of a token, and for some kinds also that of a token in a batch."""
    table: dict[str, Any] = json.loads((PACKAGES / LITELLM).read_text(), parse_float=Decimal)
    return {model: row for model, row in table.items() if row.get("litellm_provider") == "anthropic"}


@pytest.fixture(scope="module")
def genai() -> dict[str, Any]:
    """Return the table of genai-prices: the models of Anthropic by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGES)
        providers = import_module("genai_prices.data").providers
    (anthropic,) = (provider for provider in providers if provider.id == "anthropic")
    return {model.id: model for model in anthropic.models}


def test_every_row_is_in_an_independent_table(litellm: dict[str, Any], genai: dict[str, Any]) -> None:
    """A row that nobody else has could hold any mistake."""
    assert set(ROWS) <= litellm.keys() | genai.keys()


@pytest.mark.parametrize("model", ROWS)
def test_a_row_is_that_of_litellm(litellm: dict[str, Any], model: str) -> None:
    """All kinds of tokens, web search, the place of inference, long prompts, and the longest prompt."""
    theirs = litellm.get(model)
    if theirs is not None:
        assert comparable(ROWS[model]) == of_litellm(theirs)


@pytest.mark.parametrize("model", ROWS)
def test_a_row_is_that_of_genai_prices(genai: dict[str, Any], model: str) -> None:
    """It has no prices for places of inference. A tier beyond the longest prompt is never reached."""
    theirs = genai.get(model)
    if theirs is not None:
        assert comparable(ROWS[model]) | {"us": None} == of_genai(theirs) | {"us": None}


def comparable(price: Price) -> dict[str, Any]:
    """Return all that a row says."""
    return {
        "usual": rates(price),
        "long": price.long_prompt and (price.long_prompt.above, rates(price.long_prompt)),
        "searches": price.web_search,
        "us": price.residency.get("us", 1),
        "longest": price.max_input_tokens,
    }


def rates(price: Rates | LongPrompt) -> dict[str, Decimal]:
    """Return the price of each kind of token."""
    return {kind: getattr(price, kind).normalize() for kind in RATES}


def of_litellm(row: dict[str, Any]) -> dict[str, Any]:
    """Return the same from a row of LiteLLM."""
    has_tier = "input_cost_per_token_above_100k_tokens" in row
    return {
        "usual": litellm_rates(row, ""),
        "long": (100_000, litellm_rates(row, "_above_100k_tokens")) if has_tier else None,
        "searches": row.get("search_context_cost_per_query", {}).get("search_context_size_medium", Decimal("0.01"))
        * 1000,
        "us": row.get("provider_specific_entry", {}).get("us", 1),
        "longest": row["max_input_tokens"],
    }


def litellm_rates(row: dict[str, Any], tier: str) -> dict[str, Decimal]:
    """Return batch prices; those of writes for one hour are half of the list price."""
    names = (
        "input_cost_per_token",
        "output_cost_per_token",
        "cache_creation_input_token_cost",
        "cache_read_input_token_cost",
    )
    given = [row[f"{name}{tier}_batches"] for name in names]
    for_an_hour = row[f"cache_creation_input_token_cost_above_1hr{tier}"] * BATCH
    prices = (*given[:3], for_an_hour, given[3])
    return {kind: (price * MILLION).normalize() for kind, price in zip(RATES, prices, strict=True)}


def of_genai(model: Any) -> dict[str, Any]:
    """Return the same from a model of genai-prices."""
    (batch,) = (variant.prices for variant in model.price_variants if variant.when == {"processing": "batch"})
    listed = model.prices if not isinstance(model.prices, list) else model.prices[-1].prices
    fields = ("input_mtok", "output_mtok", "cache_write_mtok", "cache_write_1h_mtok", "cache_read_mtok")
    prices = [getattr(batch, field) for field in fields]
    tiers = [price.tiers[0] for price in prices if hasattr(price, "tiers")]
    is_reached = bool(tiers) and tiers[0].start < model.context_window
    return {
        "usual": {kind: getattr(price, "base", price).normalize() for kind, price in zip(RATES, prices, strict=True)},
        "long": (tiers[0].start, {kind: tier.price.normalize() for kind, tier in zip(RATES, tiers, strict=True)})
        if is_reached
        else None,
        "searches": listed.web_searches_kcount,
        "longest": model.context_window,
    }
