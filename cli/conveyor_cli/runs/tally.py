"""What the parts of a run add up to while it goes on. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.outcome import Outcome
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Again, Merged
from conveyor.verdict.headline import CUT_OFF


class Tally(NamedTuple):
    """The outcomes of one batch, or the sum over several."""

    answered: int = 0
    failed: int = 0
    again: int = 0
    """Those of the failed requests that a round sends again."""
    cut_off: int = 0
    usd: Decimal = Decimal(0)
    has_unpriced: bool = False
    """Whether it cost more, since a model has no price."""
    at: datetime | None = None
    """When its results were written; of a sum, the latest."""

    @property
    def requests(self) -> int:
        """Of how many requests it is known what became of them."""
        return self.answered + self.failed


def tally_of(part: Part, again: Again | None) -> Tally:
    """Return what became of a batch."""
    answered = part.outcomes.get(Outcome.SUCCEEDED, 0)
    left_out = part.outcomes.get(Outcome.INVALID, 0)
    costs = [tokens.cost_usd for tokens in part.tokens.values()]
    return Tally(
        answered,
        sum(part.outcomes.values()) - answered - left_out,
        again.requests if again else 0,
        sum(reasons.get(CUT_OFF, 0) for reasons in part.stop_reasons.values()),
        sum((cost for cost in costs if cost is not None), Decimal(0)),
        None in costs,
        part.at,
    )


def failures_left(tally: Tally, merged: Merged | None) -> int:
    """Return how many requests of a range have failed, once rounds have changed what they could."""
    if merged is None:
        return tally.failed
    return sum(file.lines for file in merged.files if keys.file_of(file.key) == keys.FAILURES)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Add up batches."""
    found = list(tallies)
    return Tally(
        sum(each.answered for each in found),
        sum(each.failed for each in found),
        sum(each.again for each in found),
        sum(each.cut_off for each in found),
        sum((each.usd for each in found), Decimal(0)),
        any(each.has_unpriced for each in found),
        max((each.at for each in found if each.at), default=None),
    )
