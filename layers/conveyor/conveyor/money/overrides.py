"""Reads `config/prices.json`, with which an administrator changes prices or adds models.

    {"models": {"claude-opus-5-5": {"input": 1.8, "output": 9},
                "my-model": {"input": 1, "output": 5, "cache_write_5m": 1, "cache_write_1h": 1, "cache_read": 1}}}

Prices are US dollars for a million tokens in a batch; `web_search` is for 1,000 searches. docs/money.md has the form.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from conveyor.money.config_errors import BadConfig
from conveyor.money.config_json import check_fields, object_at, quoted, read_object
from conveyor.money.price import LongPrompt, Price, Rates

MOST_MODELS = 200
_RATES = Rates.__struct_fields__
_LARGEST = Decimal(100_000)
"""US dollars: no price is higher."""
_MODEL = re.compile(r"[!-~]{1,200}")
_PLACE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LARGEST_FACTOR, _MOST_PLACES = 100, 20
_MOST_TOKENS = 1_000_000_000


def read_overrides(data: bytes, built_in: Mapping[str, Price]) -> dict[str, Price]:
    """Return the prices that the file sets, by model. Raises BadConfig, which names the place and what is expected.

    A model of the built-in table keeps the prices that the file does not name; any other model needs all five.
    """
    given = read_object(data)
    check_fields("the file", given, ["models"])
    models = object_at("models", given.get("models", {}))
    if len(models) > MOST_MODELS:
        raise BadConfig(f"models: {len(models):,} are given; at most {MOST_MODELS} are allowed")
    for model in models:
        if not _MODEL.fullmatch(model):
            raise BadConfig(f"models: {quoted(model)} cannot be a model; expected 1 to 200 characters without spaces")
    return {model: _price(f'models."{model}"', fields, built_in.get(model)) for model, fields in models.items()}


def _price(place: str, given: object, known: Price | None) -> Price:
    fields = object_at(place, given)
    check_fields(place, fields, Price.__struct_fields__)
    missing = [kind for kind in _RATES if kind not in fields]
    if known is None and missing:
        lacks = ", ".join(map(quoted, missing))
        raise BadConfig(f"{place} lacks {lacks}: the built-in table does not have this model, so give all five prices")
    values: dict[str, Any] = {} if known is None else asdict(known)
    return Price(**values | {name: _READERS[name](f"{place}.{name}", value) for name, value in fields.items()})


def _dollars(place: str, given: object) -> Decimal:
    if not isinstance(given, Decimal) or not 0 <= given <= _LARGEST:
        what = "1,000 searches" if place.endswith("web_search") else "a million tokens"
        expected = f"US dollars for {what}, a number from 0 to {_LARGEST:,}, such as 2.50"
        raise BadConfig(f"{place} is {quoted(given)}; expected {expected}")
    return given


def _tokens(place: str, given: object) -> int:
    if not isinstance(given, Decimal) or given != given.to_integral_value() or not 1 <= given <= _MOST_TOKENS:
        raise BadConfig(f"{place} is {quoted(given)}; expected a whole number of tokens, such as 200000")
    return int(given)


def _factors(place: str, given: object) -> dict[str, Decimal]:
    factors = object_at(place, given)
    if len(factors) > _MOST_PLACES:
        raise BadConfig(f"{place}: {len(factors):,} places are given; at most {_MOST_PLACES} are allowed")
    for name, factor in factors.items():
        if not _PLACE.fullmatch(name):
            expected = 'a value of inference_geo, such as "us"'
            raise BadConfig(f"{place}: {quoted(name)} cannot be a place; expected {expected}")
        if not isinstance(factor, Decimal) or not 1 <= factor <= _LARGEST_FACTOR:
            expected = f"a factor from 1 to {_LARGEST_FACTOR}, such as 1.1"
            raise BadConfig(f"{place}.{name} is {quoted(factor)}; expected {expected}")
    return factors


def _long_prompt(place: str, given: object) -> LongPrompt | None:
    if given is None:
        return None
    fields = object_at(place, given)
    check_fields(place, fields, LongPrompt.__struct_fields__)
    if missing := [name for name in LongPrompt.__struct_fields__ if name not in fields]:
        raise BadConfig(f"{place} lacks {', '.join(map(quoted, missing))}")
    rates = {kind: _dollars(f"{place}.{kind}", fields[kind]) for kind in _RATES}
    return LongPrompt(**rates, above=_tokens(f"{place}.above", fields["above"]))


_READERS = {
    **dict.fromkeys((*_RATES, "web_search"), _dollars),
    "residency": _factors,
    "long_prompt": _long_prompt,
    "max_input_tokens": _tokens,
}
"""How each field of a price is read."""
