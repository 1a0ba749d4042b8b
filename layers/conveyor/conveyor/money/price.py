"""What one model costs in batches."""

from decimal import Decimal
from enum import StrEnum

import msgspec

MILLION = Decimal(1_000_000)
_ONE = Decimal(1)


class Kind(StrEnum):
    """The kinds of tokens, and of tools, that have a price of their own."""

    INPUT = "input"
    OUTPUT = "output"
    CACHE_WRITE_5M = "cache_write_5m"
    CACHE_WRITE_1H = "cache_write_1h"
    CACHE_READ = "cache_read"
    WEB_SEARCH = "web_search"


class Rates(msgspec.Struct, frozen=True):
    """US dollars for a million tokens of each kind."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal


class LongPrompt(Rates, frozen=True, kw_only=True):
    """The prices of a whole request whose prompt has more tokens than `above`."""

    above: int


class Price(Rates, frozen=True, kw_only=True):
    """All prices of a model."""

    web_search: Decimal = Decimal(10)
    """US dollars for 1,000 searches. They are not cheaper in batches."""
    residency: dict[str, Decimal] = {}
    """Factors on all token prices, by the place of inference (`inference_geo`)."""
    long_prompt: LongPrompt | None = None
    max_input_tokens: int | None = None
    """What the model can read in one request: a longer prompt is refused and not billed. None if it is unknown."""

    def is_long(self, prompt_tokens: int) -> bool:
        """Tell whether a prompt is so long that the request costs more."""
        return self.long_prompt is not None and prompt_tokens > self.long_prompt.above

    def rates(self, *, is_long: bool) -> Rates:
        """Return the prices of a request."""
        return self.long_prompt if is_long and self.long_prompt else self

    @property
    def dearest_place(self) -> Decimal:
        """The highest factor of a place of inference."""
        return max((_ONE, *self.residency.values()))
