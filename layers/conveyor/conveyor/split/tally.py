"""Counts of one batch's outcomes, tokens, stop reasons and errors."""

from collections import Counter
from decimal import Decimal

from conveyor.domain.outcome import UNREADABLE, Error, Outcome, Result, Usage
from conveyor.domain.refusal import account_cause
from conveyor.domain.stop_reasons import Stops, count_stop, model_name
from conveyor.ledger.failure_counts import ErrorKind, count_error
from conveyor.ledger.part import Tokens
from conveyor.split.pricing import cost, has_long_prompt


class Tally:
    """Counts what a batch's outputs hold. Holds no result."""

    def __init__(self) -> None:
        """Start at zero."""
        self.outcomes = {outcome.value: 0 for outcome in Outcome}
        self.retryable = 0
        self.foreign = 0
        """Result lines that answer no request of the batch."""
        self.nameless = 0
        """Foreign lines that have no id."""
        self.repeated = 0
        """Result lines for a request that already had one."""
        self.repaired = 0
        self.unreadable = 0
        self.causes = Counter[str]()
        self.stops: Stops = {}
        self.errors: dict[str, ErrorKind] = {}
        self._models: set[str] = set()
        self._used: dict[tuple[str, bool], Usage] = {}
        """Tokens by model and whether the prompt was a long one: the price of a token depends on both."""

    def add(self, result: Result, *, retryable: bool) -> None:
        """Count one request's final result."""
        self.outcomes[result.outcome] += 1
        self.retryable += retryable
        self.repaired += result.is_repaired
        if result.outcome is Outcome.SUCCEEDED:
            self._add_answer(result)
        else:
            self._add_error(result.error or Error(result.outcome.value, ""), result.outcome)

    def add_foreign(self, result: Result) -> None:
        """Count a result line that answers no request of the batch."""
        self.foreign += 1
        self.nameless += not result.wire_id

    def _add_answer(self, result: Result) -> None:
        model = result.model if result.model in self._models else self._new_model(result.model)
        if result.stop:
            self._add_stop(model, result.stop)
        kind = (model, has_long_prompt(result.usage))
        used = self._used.get(kind)
        if used is None:
            used = self._used[kind] = Usage()
        used.add(result.usage)

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

    def _add_error(self, error: Error, outcome: Outcome) -> None:
        count_error(self.errors, error.type, error.message)
        if outcome is not Outcome.ERRORED:
            return
        if error.type == UNREADABLE:
            self.unreadable += 1
        elif cause := account_cause(error.type, error.message):
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
        known = [amount for amount in dollars if amount is not None]
        return Tokens(total, float(round(sum(known, Decimal(0)), 6)) if len(known) == len(dollars) else None)
