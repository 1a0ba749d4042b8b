"""What a run has cost, and what the rest of it may cost: by each batch's bound, or by what the probe has shown.

A split batch counts with its real cost, if that is known; one that is under way, or may be, with the most that it can
cost, once for each time that it was paid for.
"""

from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptAbsent
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.part import Part
from conveyor.ledger.state import BatchState, RunState
from conveyor.money.forecast import Forecast
from conveyor.s3.bucket import MOST_READS
from conveyor.wording.text import exact_dollars

_SMALLEST = Decimal("0.000001")
_NONE = Decimal(0)


class Over(NamedTuple):
    """A batch may cost more than is left."""

    reason: Reason
    need: Decimal
    """What the whole run may cost, with all that was paid for twice."""


class Spending:
    """What the batches of a run have cost and may cost, as far as facts say so now."""

    def __init__(self, context: RunContext, run_state: RunState, plan: Plan, forecast: Forecast | None = None) -> None:
        """Read nothing yet. `forecast`: what the probe has shown, if it has shown that."""
        self._context = context
        self._plan = plan
        self._forecast = forecast
        self._batches = [(leg, each, run_state.of_leg(leg).batch(each.number)) for leg, each in plan.all_batches()]

    def need(self) -> Decimal | None:
        """Return what the whole run may cost, with what was paid for twice; None if there is no bound."""
        estimate = self._plan.drop.estimate
        if self._forecast is None:
            if estimate is None or estimate.at_most_usd is None:
                return None
            if not any(_times(state) for _, _, state in self._batches):
                return estimate.at_most_usd
        return (self.spent() + self.unsent()).quantize(_SMALLEST, ROUND_CEILING)

    def spent(self) -> Decimal:
        """Return what was paid so far, or may have been: a batch that is split counts with its real cost if known.

        It takes a request for each batch that is split, and for each attempt that created none.
        """
        most = sum((self.most(leg, batch) * _times(state) for leg, batch, state in self._batches), _NONE)
        return most - sum((self._saved(*each) for each in self._batches), _NONE)

    def unsent(self) -> Decimal:
        """Return what is not paid for yet may cost."""
        return sum((self.most(leg, batch) for leg, batch, state in self._batches if not _is_paid(state)), _NONE)

    def most(self, leg: str, batch: Batch) -> Decimal:
        """Return what a batch may cost: by its bound, or less if the probe has shown that."""
        return self.bound(leg, batch) or _NONE

    def bound(self, leg: str, batch: Batch) -> Decimal | None:
        """Return the same; None if nothing says what it may cost."""
        bound = batch.at_most_usd
        if leg == keys.PROBE or self._forecast is None:
            return bound
        share = self._share_of_round(batch) if leg else self._shares[batch.number]
        return share if bound is None else min(share, bound)

    @cached_property
    def _most_of_rest(self) -> Decimal:
        """The upper end of the forecast, for what is not in the probe."""
        probe = sum((cost for (leg, _), cost in self._costs.items() if leg == keys.PROBE and cost), _NONE)
        return max(self._forecast.high_usd - probe, _NONE) if self._forecast else _NONE

    @cached_property
    def _shares(self) -> dict[int, Decimal]:
        """The share of each batch in what is not in the probe: by the bounds of cost, or by requests.

        In millionths of a dollar, and together as much as that: a rest that is approved must not fail by rounding.
        """
        passed, shared, shares = _NONE, _NONE, dict[int, Decimal]()
        total = sum(map(self._weight, self._plan.batches), _NONE)
        for batch in self._plan.batches:
            passed += self._weight(batch)
            end = (self._most_of_rest * passed / (total or 1)).quantize(_SMALLEST, ROUND_CEILING)
            shares[batch.number], shared = end - shared, end
        return shares

    def _share_of_round(self, batch: Batch) -> Decimal:
        """Return as large a share as the same lines had before."""
        total = sum(map(self._weight, self._plan.batches), _NONE)
        return (self._most_of_rest * self._weight(batch) / (total or 1)).quantize(_SMALLEST, ROUND_CEILING)

    def _weight(self, batch: Batch) -> Decimal:
        return Decimal(batch.requests) if self._has_no_bounds else batch.at_most_usd or _NONE

    @cached_property
    def _has_no_bounds(self) -> bool:
        bounds = [each.at_most_usd for _, each in self._plan.all_batches()]
        return None in bounds or not any(bounds)

    def _saved(self, leg: str, batch: Batch, state: BatchState) -> Decimal:
        """Return by how much a batch cost less than it could have (below 0: more), as far as that is known.

        An attempt that created no batch by a person's word only may have created one.
        """
        ledger, most = self._context.ledger.of_leg(leg), self.most(leg, batch)
        absent = (ledger.read(AttemptAbsent, batch.number, attempt) for attempt in sorted(state.absent))
        saved = most * sum(not attempt.released for attempt in absent)
        cost = self._costs.get(BatchName(leg, batch.number))
        return saved if cost is None else saved + most - cost

    @cached_property
    def _costs(self) -> dict[BatchName, Decimal | None]:
        """What each split batch cost; None where that is not known."""
        split = [BatchName(leg, batch.number) for leg, batch, state in self._batches if _may_have_cost(state)]
        if not split:
            return {}
        with ThreadPoolExecutor(MOST_READS) as readers:
            return dict(zip(split, readers.map(self._cost, split), strict=True))

    def _cost(self, name: BatchName) -> Decimal | None:
        return real_cost(self._context.ledger.of_leg(name.leg).read(Part, name.number))


def over_approved(spending: Spending, leg: str, batch: Batch, up_to: Decimal | None) -> Over | None:
    """Return why a batch does not fit into an amount that a person or the limits allow; None if it does."""
    if up_to is None:
        return None
    this, spent = spending.most(leg, batch), spending.spent()
    if spent + this <= up_to:
        return None
    left = exact_dollars(max(up_to - spent, _NONE), ROUND_FLOOR)
    name, most = BatchName(leg, batch.number), exact_dollars(this)
    text = f"{name} may cost {most}, and {left} is left of the {exact_dollars(up_to)}"
    need = (spent + spending.unsent()).quantize(_SMALLEST, ROUND_CEILING)
    return Over(Reason(ReasonCode.OVER_APPROVED, f"{text} that the run may cost"), need)


def _is_paid(batch_state: BatchState) -> bool:
    """Return whether a batch need not be paid for any more, as far as is known."""
    return bool(batch_state.submitted or batch_state.stuck or batch_state.unsettled_attempt)


def _times(batch_state: BatchState) -> int:
    """Return how often a batch was paid for, or may have been."""
    return int(_is_paid(batch_state)) + len(batch_state.duplicates) + len(batch_state.absent)


def _may_have_cost(batch_state: BatchState) -> bool:
    return batch_state.parted and batch_state.submitted and not batch_state.stuck


def real_cost(part: Part) -> Decimal | None:
    """Return what a split batch cost; None if that is not known.

    A result that could not be had or read may have been billed, and an answer that names no tokens has used some.
    """
    if part.unreadable or part.outcomes.get(Outcome.MISSING):
        return None
    if not all(tokens.usage.prompt_tokens and tokens.usage.output_tokens for tokens in part.tokens.values()):
        return None
    costs = [tokens.cost_usd for tokens in part.tokens.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known, _NONE) if len(known) == len(costs) else None
