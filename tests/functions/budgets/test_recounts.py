"""What the claims of a day amount to, by what has become of each attempt."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.ledger.batch_facts import (
    Attempt,
    AttemptAbsent,
    AttemptFailed,
    AttemptRefused,
    AttemptUnknown,
    Duplicate,
    Stuck,
    Submitted,
)
from conveyor.ledger.fact import BatchFact, PlaceValue
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal
from conveyor.spend.claim import Claim
from conveyor.spend.recount import recount
from tests.support.belt import Belt, drop_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY, TOMORROW = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
USD = Decimal(5)
REFUSED = (RefusalKind.LATER, 429, "rate_limit_error", NOW)


def claim(  # noqa: PLR0913
    attempt: int = 1, run: str = "run-1", usd: Decimal = USD, leg: str = "", batch: int = 1, *, is_ahead: bool = False
) -> Claim:
    """Return a claim of an attempt."""
    return Claim("w", NOW, run, Decimal(100), Decimal(0), usd, leg, batch, attempt, is_ahead=is_ahead)


def taken(belt: Belt, *facts: tuple[BatchFact, PlaceValue | None], claims: tuple[Claim, ...] = ()) -> Decimal:
    """Write facts of batch 1 of a run, and count its claims, by default one for attempt 1."""
    ledger = Ledger(belt.clients.bucket, "run-1")
    for fact, place in facts:
        ledger.write(fact, *((1,) if place is None else (1, place)))
    return recount(belt.clients.bucket, claims or (claim(),), TODAY)


def attempt(number: int = 1) -> tuple[BatchFact, PlaceValue]:
    """Return the intent of an attempt."""
    return Attempt("w", NOW, NOW, 1), number


ABSENT = AttemptAbsent("w", NOW)
SENT = (Submitted("w", NOW, "b-1", NOW, NOW), 1)


def test_what_was_reserved_and_not_tried_yet_is_counted(belt: Belt) -> None:
    """The function may be about to write the intent; and a ledger that was deleted says nothing."""
    assert taken(belt) == USD


@pytest.mark.parametrize(
    "outcome",
    [
        (AttemptRefused("w", NOW, *REFUSED), 1),
        (AttemptFailed("w", NOW, *REFUSED), 1),
        (ABSENT, 1),
    ],
)
def test_an_attempt_that_surely_cost_nothing_is_not(belt: Belt, outcome: tuple[BatchFact, PlaceValue]) -> None:
    """It was refused, or not run, or created no batch."""
    assert taken(belt, attempt(), outcome) == 0


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [(AttemptUnknown("w", NOW, "lost"), 1)],
        [(AttemptAbsent("w", NOW, released=True), 1)],
        [(ABSENT, 1), (Duplicate("w", NOW), "b-2")],
        [SENT],
        [SENT, (Stuck("w", NOW, "given up"), None)],
    ],
    ids=["under way", "lost", "a person says so", "there is a second batch", "sent", "stuck"],
)
def test_an_attempt_that_may_have_cost_something_is(
    belt: Belt, outcomes: list[tuple[BatchFact, PlaceValue | None]]
) -> None:
    """A person's word, or a list without the batch, may be wrong where a second batch is there."""
    assert taken(belt, attempt(), *outcomes) == USD


def test_what_a_run_that_has_ended_never_tried_is_free(belt: Belt) -> None:
    """It pays nothing any more."""
    Ledger(belt.clients.bucket, "run-1").write(Refusal("w", NOW, "stopped", "stopped"))
    assert taken(belt) == 0
    assert taken(belt, attempt()) == USD


def test_an_attempt_counts_once_and_a_second_one_too(belt: Belt) -> None:
    """A function that died after its claim claims again; an attempt whose answer was lost may have cost as much."""
    both = (claim(1), claim(1), claim(2), claim(2, usd=Decimal(3)))
    assert taken(belt, attempt(1), (AttemptUnknown("w", NOW, "lost"), 1), attempt(2), claims=both) == 2 * USD


def test_other_legs_and_runs_have_batches_of_their_own(belt: Belt) -> None:
    """Batch 1 of the probe is not batch 1 of the drop."""
    refused = (AttemptRefused("w", NOW, *REFUSED), 1)
    others = (claim(), claim(leg="probe"), claim(run="run-2"))
    assert taken(belt, attempt(), refused, claims=others) == 2 * USD


def test_a_split_batch_counts_with_its_real_cost_whatever_that_is(belt: Belt) -> None:
    """Less than was reserved, or more."""
    belt.provider.configure(seconds=60)
    run = belt.upload(drop_of(1))
    belt.finish(run)
    cost = Decimal(str(belt.receipt(run)["cost_usd"]))
    for usd in (USD, Decimal("0.000001")):
        counted = recount(belt.clients.bucket, [claim(run=run, usd=usd)], TODAY)
        assert 0 < float(counted) == pytest.approx(float(cost), abs=1e-6)


def test_an_attempt_that_was_never_made_is_free_once_the_batch_is_split(belt: Belt) -> None:
    """An earlier attempt had created it after all."""
    belt.provider.configure(seconds=60)
    run = belt.upload(drop_of(1))
    belt.finish(run)
    first = recount(belt.clients.bucket, [claim(run=run)], TODAY)
    assert recount(belt.clients.bucket, [claim(run=run), claim(2, run=run)], TODAY) == first


def test_a_claim_of_the_day_before_is_free_once_its_attempt_was_made_on_that_day(belt: Belt) -> None:
    """The ceiling was raised, and the attempt has another claim there. Until then it may still be made tomorrow."""
    ahead = claim(is_ahead=True)
    Ledger(belt.clients.bucket, "run-1").write(SENT[0], 1, 1)
    assert recount(belt.clients.bucket, [ahead], TOMORROW) == USD
    assert taken(belt, attempt(), claims=(ahead,)) == USD
    assert recount(belt.clients.bucket, [ahead], TOMORROW) == 0


def test_no_claims_are_nothing(belt: Belt) -> None:
    """A day that holds recounts only."""
    assert recount(belt.clients.bucket, [], TODAY) == 0
