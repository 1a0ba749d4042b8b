"""Counts of one batch's outcomes, tokens, stop reasons and errors."""

from collections import Counter

from conveyor.answers.stop_reasons import Stops, count_stop, model_name
from conveyor.domain.outcome import UNREADABLE, Error, Outcome, Result
from conveyor.domain.refusal import account_cause
from conveyor.ledger.failure_counts import ErrorKind, count_error
from conveyor.ledger.part import Tokens
from conveyor.money.cost import Costs, add_costs, costs_of, total_of
from conveyor.money.price import Price
from conveyor.money.prices import PRICES, Prices
from conveyor.money.usage import Usage


class Tally:
    """Counts what a batch's outputs hold. Holds no result."""

    def __init__(self, prices: Prices = PRICES) -> None:
        """Start at zero. `prices`: those of the run."""
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
        self._prices = prices
        self._models = dict[str, Price | None]()
        """The models counted, and the price of each."""
        self._used: dict[tuple[str, str, bool], Usage] = {}
        """Tokens by model, place of inference, and whether the prompt was a long one: their price depends on these."""

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
        self._add_usage(model, result.usage, result.place)
        for more in result.also_used:
            name = more.model or model
            self._add_usage(name if name in self._models else self._new_model(name), more.usage, result.place)

    def _add_usage(self, model: str, usage: Usage, place: str) -> None:
        price = self._models[model]
        if price is None:
            kind = (model, "", False)
        else:
            is_long = price.long_prompt is not None and price.is_long(usage.prompt_tokens)
            kind = (model, place if place in price.residency else "", is_long)
        used = self._used.get(kind)
        if used is None:
            used = self._used[kind] = Usage()
        used.add(usage)

    def _new_model(self, model: str) -> str:
        """Return the name under which a model is counted from now on."""
        name = model_name(model, self._models)
        self._models.setdefault(name, self._prices.of(name))
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
        return {model: self._tokens(model) for model in sorted({model for model, _, _ in self._used})}

    def _tokens(self, model: str) -> Tokens:
        total, price = Usage(), self._models[model]
        costs: Costs = {}
        for (name, place, is_long), usage in self._used.items():
            if name == model:
                total.add(usage)
                if price is not None:
                    add_costs(costs, costs_of(price, usage, place=place, is_long=is_long))
        return Tokens(total, None if price is None else total_of(costs), costs)
