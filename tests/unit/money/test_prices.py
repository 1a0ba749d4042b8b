"""Prices that an administrator sets in `config/prices.json`."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.money.config_errors import BadConfig
from conveyor.money.prices import PRICES, Prices, read_prices

OWN = {"input": 1, "output": 5, "cache_write_5m": 1.25, "cache_write_1h": 2, "cache_read": 0.1}


def prices_of(**models: Any) -> Prices:
    """Read a file with these models; underscores in names stand for hyphens."""
    return read_prices(json.dumps({"models": {name.replace("_", "-"): row for name, row in models.items()}}).encode())


def test_a_price_in_the_file_replaces_the_built_in_one_and_the_others_stay() -> None:
    """Also for the model's dated name, and exactly as it is written."""
    before = PRICES.of("claude-opus-5-5")
    assert before is not None
    prices = read_prices(b'{"models": {"claude-opus-5-5": {"input": 1.8000000000000000001}}}')
    assert prices.of("claude-opus-5-5-20261001") == replace(before, input=Decimal("1.8000000000000000001"))
    assert prices.of("claude-haiku-5-5") == PRICES.of("claude-haiku-5-5")


def test_a_model_that_the_table_lacks_can_be_added() -> None:
    """It needs a price for each kind of token, since none is guessed."""
    more = {"residency": {"eu": 1.2}, "long_prompt": {"above": 128_000, **OWN}, "max_input_tokens": 1}
    price = prices_of(gpt_x={**OWN, **more}).of("gpt-x")
    assert price is not None
    assert (price.cache_read, price.dearest_place, price.max_input_tokens) == (Decimal("0.1"), Decimal("1.2"), 1)
    assert price.is_long(128_001)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "line 1, column 2: not valid JSON"),
        (b"[]", "the file is a list; expected an object"),
        (b'{"model": {}}', 'the file: unknown field "model"; did you mean "models"?'),
        (b'{"models": {"m": {"input": 1}}}', 'models."m" lacks "output", "cache_write_5m", "cache_write_1h", "cache'),
        (b'{"models": {"": {}}}', 'models: "" cannot be a model; expected 1 to 200 characters without spaces'),
        (json.dumps({"models": {f"m-{number}": {} for number in range(201)}}).encode(), "201 are given; at most 200"),
    ],
)
def test_an_error_names_the_place_and_what_to_write(data: bytes, said: str) -> None:
    """The person who reads it can correct the file at once."""
    with pytest.raises(BadConfig) as error:
        read_prices(data)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b'"outputs": 2', ': unknown field "outputs"; did you mean "output"?'),
        (b'"input": "2,50"', '.input is "2,50"; expected US dollars for a million tokens, a number from 0 to 100,000'),
        (
            b'"input": -1',
            ".input is -1; expected US dollars for a million tokens, a number from 0 to 100,000, such as 2",
        ),
        (b'"web_search": true', ".web_search is true; expected US dollars for 1,000 searches"),
        (b'"residency": {"us": 0.9}', ".residency.us is 0.9; expected a factor from 1 to 100, such as 1.1"),
        (b'"residency": {"the us": 2}', 'expected a value of inference_geo, such as "us"'),
        (b'"long_prompt": {"above": 5}', '.long_prompt lacks "input"'),
        (b'"max_input_tokens": 0.5', ".max_input_tokens is 0.5; expected a whole number of tokens, such as 200000"),
    ],
)
def test_an_error_in_a_row_names_model_field_and_value(row: bytes, said: str) -> None:
    """And what is allowed there."""
    with pytest.raises(BadConfig) as error:
        read_prices(b'{"models": {"claude-opus-5-5": {%b}}}' % row)
    assert str(error.value).startswith('models."claude-opus-5-5"')
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("row", "said"), [(b'"input": 1, "input": 2', "given twice"), (b'"input": NaN', "not a number")]
)
def test_what_json_readers_overlook_is_an_error(row: bytes, said: str) -> None:
    """A price that is given twice would be one of the two by chance."""
    with pytest.raises(BadConfig, match=said):
        read_prices(b'{"models": {"claude-opus-5-5": {%b}}}' % row)


NAMES = st.sampled_from(["models", "claude-opus-5-5", "input", "residency", "long_prompt", "max_input_tokens", "us"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
)


@given(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
def test_whatever_the_file_holds_it_is_read_or_refused_with_a_sentence(data: bytes) -> None:
    """A mistake in the file never stops a run by an exception of another kind."""
    with suppress(BadConfig):
        assert all(price.input >= 0 for price in read_prices(data).models.values())
