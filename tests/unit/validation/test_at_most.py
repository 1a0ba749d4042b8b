"""What a drop can cost at most is known from its check, and no run costs more."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.money.estimate import Estimate
from conveyor.money.prices import PRICES
from conveyor.validation.checker import check_drop
from conveyor.validation.fast_path import FastPath
from conveyor.wording.text import exact_dollars
from tests.support.costly import MOST_IMAGE_TOKENS, SCRIPTS, line, pdf, requests, worst_cost, worst_tokens
from tests.support.drops import MESSAGES, RUN, files, settings

MONEY_PAGE = (Path(__file__).parents[3] / "docs" / "money.md").read_text()
SAMPLES = Path(__file__).parents[3] / "samples"


def estimate_of(data: bytes, dialect: Any = MESSAGES, **changes: Any) -> Estimate:
    """Check a drop without faults, and return its estimate."""
    checker = check_drop(RUN, settings(**changes), dialect, lambda: [data])
    assert checker.faults == []
    return checker.estimate()


def line_by_line(data: bytes) -> Estimate:
    """Return the same without the fast path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastPath, "read", lambda *_: None)
        return estimate_of(data)


@given(st.lists(requests(), min_size=1, max_size=6), st.booleans())
def test_a34_no_drop_costs_more_than_its_estimate(drop: list[dict[str, Any]], ascii_only: bool) -> None:  # noqa: FBT001
    """A34: in every script, with images, documents and tools, if every byte of text were a token.

    And if the whole prompt were written to the cache, for as long as it asks, and answered in the United States.
    """
    found = estimate_of(b"".join(line(number, params, ascii_only=ascii_only) for number, params in enumerate(drop)))
    assert found.at_most_usd is not None
    assert found.input_tokens is not None
    assert found.at_most_usd >= sum(map(worst_cost, drop), Decimal(0))
    assert found.input_tokens >= sum(map(worst_tokens, drop))
    assert found.output_tokens == sum(params["max_tokens"] for params in drop)


@given(
    st.integers(1, 600),
    st.sampled_from(list(SCRIPTS.values())),
    st.sampled_from(["claude-opus-5-5", "claude-haiku-4-5"]),
)
def test_a34_no_pdf_costs_more_than_its_estimate(pages: int, text: str, model: str) -> None:
    """A34: a page of few bytes may have an image and much text; what the model cannot read is not billed."""
    params = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": [pdf(pages, text * 50)]}]}
    price = PRICES.of(model)
    assert price is not None
    assert price.max_input_tokens is not None
    tokens = min(pages * (MOST_IMAGE_TOKENS + len(text.encode()) * 50), price.max_input_tokens)
    found = estimate_of(line(1, params, ascii_only=False))
    assert found.at_most_usd is not None
    assert found.at_most_usd >= price.input * tokens * price.dearest_place / 10**6


@given(st.lists(requests(), min_size=1, max_size=6), st.booleans())
def test_the_estimate_is_the_same_on_the_fast_path_and_line_by_line(drop: list[dict[str, Any]], blank: bool) -> None:  # noqa: FBT001
    """It must not depend on how other lines are written."""
    data = b"".join(line(number, params, ascii_only=False) for number, params in enumerate(drop))
    assert estimate_of(data + b"\n" * blank) == line_by_line(data)


@pytest.mark.parametrize("length", [99_700, 100_400, 210_000, 300_000])
def test_long_lines_are_priced_the_same_on_both_paths(length: int) -> None:
    """Those that may be long prompts, and those that the model cannot read."""
    for model in ("claude-haiku-5-5", "claude-haiku-4-5"):
        short: dict[str, Any] = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
        long = short | {"messages": [{"role": "user", "content": "a" * length}]}
        data = b"".join(line(number, params, ascii_only=False) for number, params in enumerate([short, long, short]))
        assert estimate_of(data) == line_by_line(data)


def test_lines_without_max_tokens_count_with_the_default() -> None:
    """It is added to them when they are sent."""
    params = {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "Hi"}]}
    assert estimate_of(line(1, params, ascii_only=True), default_max_tokens=15_000).output_tokens == 15_000


def test_lines_that_are_left_out_cost_nothing() -> None:
    """They are not sent."""
    params: dict[str, Any] = {
        "model": "claude-opus-5-5",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    good = line(1, params, ascii_only=True)
    checker = check_drop(RUN, settings(on_invalid="skip"), MESSAGES, lambda: [good + b"{nonsense\n" + good])
    assert checker.estimate() == estimate_of(good)


def test_a17_models_without_a_price_and_other_apis_have_no_bound_and_are_named() -> None:
    """A17: the tutorial's sample names models that are not sold any more; of another API no price is known."""
    found = estimate_of((SAMPLES / "articles.jsonl").read_bytes())
    assert (found.at_most_usd, set(found.no_bound)) == (None, {"price"})
    assert found.unpriced == list(found.models)
    chat = files(batch_api="files-openai", batch_endpoint="/v1/chat/completions")
    body = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-x","messages":[]}}\n'
    assert estimate_of(body, chat).no_bound == {"api": 1, "price": 1}


def test_a17_a_usual_drop_with_the_default_max_tokens_can_cost_hundreds_of_dollars_at_most() -> None:
    """A17: this is why nothing is held by default for what it could cost at most."""
    params: dict[str, Any] = {"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "Hi"}]}
    data = b"".join(line(number, params, ascii_only=False) for number in range(8_500))
    found = estimate_of(data, default_max_tokens=15_000)
    assert found.at_most_usd is not None
    assert 637 < found.at_most_usd / Decimal("1.1") < 640


@pytest.mark.parametrize("count", [100, 10_000])
def test_the_worked_example_of_the_page_about_money_is_what_the_code_computes(count: int) -> None:
    """10,000 lines were dropped instead of 100: the page says what the message said."""
    params: dict[str, Any] = {
        "model": "claude-opus-5-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "Summarise this report in five sentences: " + "x" * 1_839}],
    }
    data = b"".join(line(number, params, ascii_only=False) for number in range(10_000, 10_000 + count))
    assert len(data) == 2_001 * count
    found = estimate_of(data)
    assert found.at_most_usd is not None
    assert (
        f"| {count:,} | {found.input_tokens:,} | {found.output_tokens:,} | {exact_dollars(found.at_most_usd)} |"
        in MONEY_PAGE
    )
