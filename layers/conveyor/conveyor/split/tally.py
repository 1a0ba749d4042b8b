"""Counting what a batch's results hold."""

from collections import Counter
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from conveyor.domain.outcome import UNREADABLE, Error, Outcome, Result, Usage
from conveyor.domain.output_file import Written
from conveyor.domain.refusal import account_cause
from conveyor.domain.stop_reasons import Stops, count_stop, model_name
from conveyor.ledger.account import Part, Tokens
from conveyor.ledger.failure_counts import ErrorKind, count_error
from conveyor.split.pricing import cost, has_long_prompt


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
        self.nameless = 0
        """Of the foreign lines those that do not say whose they are."""
        self.repeated = 0
        self.repaired = 0
        self.unreadable = 0
        self.causes = Counter[str]()
        self.stops: Stops = {}
        self._models: set[str] = set()
        self.errors: dict[str, ErrorKind] = {}
        self._used: dict[tuple[str, bool], Usage] = {}
        """Tokens by model and whether the prompt was a long one: the price of a token depends on both."""

    def add(self, result: Result, *, retryable: bool) -> None:
        """Count one request's outcome."""
        self.outcomes[result.outcome] += 1
        self.retryable += retryable
        self.repaired += result.is_repaired
        if result.error is not None and result.outcome is Outcome.ERRORED:
            self._add_error(result.error)
        if result.outcome is not Outcome.SUCCEEDED:
            error = result.error or Error(result.outcome.value, "")
            count_error(self.errors, error.type, error.message)
        if result.outcome is Outcome.SUCCEEDED:
            model = result.model if result.model in self._models else self._new_model(result.model)
            if result.stop:
                self._add_stop(model, result.stop)
            kind = (model, has_long_prompt(result.usage))
            used = self._used.get(kind)
            if used is None:
                used = self._used[kind] = Usage()
            used.add(result.usage)

    def add_foreign(self, result: Result) -> None:
        """Count a result line that answers no request of the batch."""
        self.foreign += 1
        self.nameless += not result.wire_id

    def _new_model(self, model: str) -> str:
        """Return the name under which a model is counted from now on."""
        name = model_name(model, self._models)
        self._models.add(name)
        return name

    def _add_stop(self, model: str, reason: str) -> None:
        try:
            self.stops[model][reason] += 1
        except KeyError:
            count_stop(self.stops, model, reason)

    def _add_error(self, error: Error) -> None:
        self.unreadable += error.type == UNREADABLE
        if error.type != UNREADABLE and (cause := account_cause(error.type, error.message)):
            self.causes[cause] += 1

    @property
    def tokens(self) -> dict[str, Tokens]:
        """Tokens and money by model."""
        return {model: self._tokens(model) for model in sorted({model for model, _ in self._used})}

    def _tokens(self, model: str) -> Tokens:
        total, dollars = Usage(), list[Decimal | None]()
        for (name, is_long), usage in self._used.items():
            if name == model:
                total.add(usage)
                dollars.append(cost(model, usage, long_prompts=is_long))
        known = [each for each in dollars if each is not None]
        return Tokens(total, float(round(sum(known, Decimal(0)), 6)) if len(known) == len(dollars) else None)

    def part(self, writer: str, at: datetime, written: Written, ended_at: datetime | None) -> Part:
        """Return the account of a batch."""
        counts = (self.outcomes, self.retryable, self.foreign, self.repeated)
        files, ordered, unaccounted = written
        odd = (self.repaired, self.unreadable, dict(self.causes))
        part = Part(writer, at, *counts, self.tokens, files, ended_at, unaccounted, ordered, *odd)
        return replace(part, stop_reasons=self.stops, errors=self.errors)
