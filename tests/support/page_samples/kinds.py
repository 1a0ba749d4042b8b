"""Kinds of failures with their examples, and models with what an answer of theirs costs."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from conveyor.domain.outcome import Outcome
from conveyor.ledger.failure_counts import ErrorKind, Example
from conveyor.money.price import Kind as Priced


class Kind(NamedTuple):
    """Failures with one type and one text."""

    type: str
    words: str
    examples: tuple[Example, ...] = ()
    is_transient: bool = False
    outcome: Outcome = Outcome.ERRORED

    def errors(self, failures: int) -> ErrorKind:
        """Return the account of so many of them."""
        return ErrorKind(failures, {self.words: failures}, {self.words: list(self.examples)})


class Model(NamedTuple):
    """A model, and what one answer of it takes."""

    name: str
    share: int
    """Of the requests, compared with the shares of the other models."""
    input_tokens: int
    output_tokens: int
    usd: dict[str, Decimal] | None
    """By kind of token; None if no price is known."""
    cached: int = 0
    """Tokens read from the cache."""
    max_tokens: int = 1024


def _three(words: str, *places: tuple[int, str]) -> tuple[Example, ...]:
    return tuple(Example(line, custom_id, words) for line, custom_id in places)


_EMPTY = "messages.0.content.0.text: text content blocks must be non-empty"
EMPTY_TEXT = Kind(
    "invalid_request_error",
    "messages.#.content.#.text: text content blocks must be non-empty",
    _three(_EMPTY, (1204, "ticket-481209"), (9871, "ticket-489876"), (33015, "ticket-513020")),
)
TEMPERATURE = Kind(
    "invalid_request_error",
    "`temperature` is deprecated for this model.",
    _three("`temperature` is deprecated for this model.", (32104, "ticket-512109"), (36200, "ticket-516205")),
)
OVERLOADED = Kind(
    "overloaded_error",
    "Overloaded",
    _three("Overloaded", (17330, "ticket-497335"), (17331, "ticket-497336"), (24902, "ticket-504907")),
    is_transient=True,
)
INTERNAL = Kind(
    "api_error", "Internal server error", _three("Internal server error", (20311, "ticket-500316")), is_transient=True
)
EXPIRED = Kind("expired", "", is_transient=True, outcome=Outcome.EXPIRED)
CANCELED = Kind("canceled", "", is_transient=True, outcome=Outcome.CANCELED)
UNSENT = Kind("never_sent", "", is_transient=True, outcome=Outcome.CANCELED)
NO_MODEL = Kind(
    "not_found_error",
    "model: claude-hiaku-#-#",
    _three("model: claude-hiaku-4-5", (1, "eval-1"), (150, "eval-150"), (300, "eval-300")),
)
LOST = Kind("stuck", "", outcome=Outcome.STUCK)

UNBROKEN = Kind("api_error", "w" * 200, _three("x" * 200, (None, "i" * 200), (50_000_000, "名" * 200)))  # type: ignore[arg-type]
"""Texts without a place to break a line."""

HAIKU = Model("claude-haiku-4-5", 4, 1391, 215, {Priced.INPUT: Decimal("0.000696"), Priced.OUTPUT: Decimal("0.000538")})
SONNET = Model(
    "claude-sonnet-5",
    1,
    268,
    231,
    {
        Priced.INPUT: Decimal("0.000402"),
        Priced.CACHE_WRITE_1H: Decimal("0.000247"),
        Priced.CACHE_READ: Decimal("0.000103"),
        Priced.OUTPUT: Decimal("0.001732"),
    },
    cached=686,
    max_tokens=2048,
)
UNKNOWN = Model("a-model-of-tomorrow", 1, 900, 400, None)
