"""Counting what a batch's results hold."""

from datetime import datetime
from decimal import Decimal

from conveyor.outcome import Outcome, Result, Usage, is_retryable
from conveyor.output import Written
from conveyor.price import cost
from conveyor.records import Part, Tokens


class Tally:
    """Counts what a batch's outputs hold. Holds no result."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.clear()

    def clear(self) -> None:
        """Start again."""
        self.outcomes = {outcome.value: 0 for outcome in Outcome}
        self.retryable = 0
        self.foreign = 0
        self.repeated = 0
        self.usage: dict[str, Usage] = {}
        self.dollars: dict[str, Decimal | None] = {}

    def add(self, result: Result) -> None:
        """Count one request's outcome."""
        self.outcomes[result.outcome] += 1
        self.retryable += is_retryable(result.outcome, result.error)
        if result.outcome is Outcome.SUCCEEDED:
            self._add_usage(result.model, result.usage)

    def _add_usage(self, model: str, usage: Usage) -> None:
        self.usage.setdefault(model, Usage()).add(usage)
        dollars, before = cost(model, usage), self.dollars.setdefault(model, Decimal(0))
        self.dollars[model] = None if dollars is None or before is None else before + dollars

    @property
    def tokens(self) -> dict[str, Tokens]:
        """Tokens and money by model."""
        return {
            model: Tokens(usage, None if (dollars := self.dollars[model]) is None else float(round(dollars, 6)))
            for model, usage in sorted(self.usage.items())
        }

    def part(self, writer: str, at: datetime, written: Written, ended_at: datetime | None) -> Part:
        """Return the account of a batch."""
        counts = (self.outcomes, self.retryable, self.foreign, self.repeated)
        files, ordered, unaccounted = written
        return Part(writer, at, *counts, self.tokens, files, ended_at, unaccounted, ordered)
