"""Counts of one batch's outcomes, tokens, stop reasons, lengths and errors."""

from collections import Counter
from collections.abc import Iterable

import orjson
from msgspec.structs import replace

from conveyor.answers.lengths import Lengths, count_length
from conveyor.answers.stop_reasons import CUT_OFF, Stops, count_stop, model_name
from conveyor.domain.outcome import UNREADABLE, Error, Outcome, OutputKind, Result
from conveyor.domain.refusal import account_cause
from conveyor.ledger.failure_counts import LONGEST_ID, ErrorKind, Texts, add_errors, count_error, without_words
from conveyor.ledger.part import Tokens
from conveyor.money.cost import Costs, add_costs, costs_of, total_of
from conveyor.money.price import Price
from conveyor.money.prices import PRICES, Prices
from conveyor.money.usage import Usage

_MOST_IDS = 10_000
"""Ids held at a time: more than there are examples."""
_LONGEST_RAW_ID = 8 * LONGEST_ID
"""Bytes; a longer id is cut at once."""


class Failures:
    """Errors by type with texts and examples, apart for what a round sends again. Learns ids as lines are written."""

    def __init__(self) -> None:
        """Start at zero."""
        self._final: dict[str, ErrorKind] = {}
        self._again: dict[str, ErrorKind] = {}
        self._ids: dict[int, bytes] = {}
        """As JSON, by line of the drop: those of all examples, if they are known, and of some other failures."""

    def add(self, error: Error, kind: OutputKind, line: int | None) -> None:
        """Count an error. `line`: of the drop."""
        count_error(self._again if kind is OutputKind.AGAIN else self._final, error.type, error.message, line)

    def name(self, line: int, custom_id: bytes) -> None:
        """Take the id of a failure that was added, as JSON."""
        raw = bytes(custom_id)
        self._ids[line] = raw if len(raw) <= _LONGEST_RAW_ID else orjson.dumps(id_text(raw)[:LONGEST_ID])
        if len(self._ids) > _MOST_IDS:
            self._ids = {line: self._ids[line] for line in self._example_lines() if line in self._ids}

    @property
    def counts(self) -> dict[str, ErrorKind]:
        """How many there are by type, without texts."""
        total: dict[str, ErrorKind] = {}
        for kinds in (self._final, self._again):
            add_errors(total, without_words(kinds))
        return total

    @property
    def texts(self) -> Texts:
        """Their texts and examples."""
        return Texts(self._named(self._final), self._named(self._again))

    def _named(self, kinds: dict[str, ErrorKind]) -> dict[str, ErrorKind]:
        """Return counts whose examples have their ids."""
        return {
            name: replace(
                kind,
                examples={
                    text: [
                        replace(each, custom_id=id_text(self._ids.get(each.line or 0, b"null"))[:LONGEST_ID])
                        for each in examples
                    ]
                    for text, examples in kind.examples.items()
                },
            )
            for name, kind in kinds.items()
        }

    def _example_lines(self) -> Iterable[int]:
        return {
            each.line
            for kinds in (self._final, self._again)
            for kind in kinds.values()
            for examples in kind.examples.values()
            for each in examples
            if each.line is not None
        }


def id_text(custom_id: bytes) -> str:
    """Return an id that is given as JSON, as a text; empty if there is none."""
    value = orjson.loads(custom_id)
    return "" if value is None else str(value)


class Tally:
    """Counts what a batch's outputs hold. Holds no result."""

    def __init__(self, prices: Prices = PRICES, failures: Failures | None = None) -> None:
        """Start at zero. `prices`: those of the run. `failures`: counts them."""
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
        self.lengths: dict[str, Lengths] = {}
        self.failures = failures or Failures()
        self._prices = prices
        self._models = dict[str, Price | None]()
        """The models counted, and the price of each."""
        self._used: dict[tuple[str, str, bool], Usage] = {}
        """Tokens by model, place of inference, and whether the prompt was a long one: their price depends on these."""

    def add(self, result: Result, kind: OutputKind, line: int | None = None) -> None:
        """Count one request's final result. `kind`: of its output. `line`: of the drop."""
        self.outcomes[result.outcome] += 1
        self.retryable += kind.is_retryable
        self.repaired += result.is_repaired
        if result.outcome is Outcome.SUCCEEDED:
            self._add_answer(result)
        else:
            self._add_error(result.error or Error(result.outcome.value, ""), result.outcome, kind, line)

    def add_foreign(self, result: Result) -> None:
        """Count a result line that answers no request of the batch."""
        self.foreign += 1
        self.nameless += not result.wire_id

    def _add_answer(self, result: Result) -> None:
        model = result.model if result.model in self._models else self._new_model(result.model)
        if result.stop:
            self._add_stop(model, result.stop)
        lengths = self.lengths.get(model)
        if lengths is None:
            lengths = self.lengths[model] = Lengths()
        count_length(lengths, result.usage.output_tokens, is_cut_off=result.stop == CUT_OFF)
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

    def _add_error(self, error: Error, outcome: Outcome, kind: OutputKind, line: int | None) -> None:
        self.failures.add(error, kind, line)
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
