"""What is left of an approved amount after batches whose cost is not known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from conveyor.context import RunContext
from conveyor.domain.invocation import Invocation
from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.gates.spending import Over, Spending, over_approved
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.state import BatchState, RunState
from conveyor.money.usage import Usage
from conveyor.s3.bucket import Bucket
from tests.support.examples import NOW, RUN
from tests.support.fake_aws import FakeBucket

SPLIT: dict[str, Any] = {"attempts": 1, "generations": {1}, "parted": True}
BATCHES = [Batch(number, number, 0, at_most_usd=Decimal(10)) for number in (1, 2)]


def over(up_to: str, first: BatchState, part: Part) -> Over | None:
    """Ask about the second of two batches that may cost $10 each. `part`: what became of the first."""
    bucket = Bucket(FakeBucket().client, "bucket")
    ledger = Ledger(bucket, RUN.run)
    ledger.write(part, 1)
    context = RunContext(RUN, ledger, bucket, cast("Any", None), Invocation(timedelta(1), lambda: NOW))
    plan = Plan(ValidatedDrop(2, "f00"), BATCHES)
    return over_approved(Spending(context, RunState(batches={1: first}), plan), "", BATCHES[1], Decimal(up_to))


def part_of(outcomes: dict[str, int], **counts: Any) -> Part:
    """Return the account of a batch whose answers cost $1."""
    return Part("w", NOW, outcomes, 0, 0, 0, {"m": Tokens(Usage(10, 10), Decimal(1))}, [], None, **counts)


def test_a_batch_that_was_given_up_counts_with_its_most() -> None:
    """It may have been billed, and no result says what it cost."""
    given_up = Part("w", NOW, {Outcome.STUCK: 3}, 0, 0, 0, {}, [], None)
    assert over("19.99", BatchState(**SPLIT, stuck=True), given_up) is not None
    assert over("20", BatchState(**SPLIT, stuck=True), given_up) is None


@pytest.mark.parametrize(
    "part",
    [
        part_of({Outcome.SUCCEEDED: 2, Outcome.MISSING: 1}),
        part_of({Outcome.SUCCEEDED: 2, Outcome.ERRORED: 1}, unreadable=1),
    ],
)
def test_a_batch_with_results_that_nobody_could_read_counts_with_its_most(part: Part) -> None:
    """They may have been billed."""
    assert over("19.99", BatchState(**SPLIT), part) is not None


def test_a_batch_whose_results_were_all_read_counts_with_its_cost() -> None:
    """What was not answered by the provider's own word costs nothing."""
    assert over("11", BatchState(**SPLIT), part_of({Outcome.SUCCEEDED: 2, Outcome.EXPIRED: 1})) is None
