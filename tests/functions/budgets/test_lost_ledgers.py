"""What was paid counts, also if the ledger that said so was deleted on the same day."""

from decimal import Decimal

import pytest

from tests.functions.budgets.test_days import ONE, TWO
from tests.support.belt import Belt
from tests.support.budgets import day_ceiling, the_log
from tests.support.gates import stop
from tests.support.rounds import DATA, ROUNDS, failing_at_first, prefixes
from tests.support.settings import change


def delete_ledger(belt: Belt, run: str) -> None:
    """Delete all facts and the content of a run."""
    for key in [*belt.stored(f"runs/{run}/"), *belt.stored("content/")]:
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)


def test_a_run_that_began_again_and_was_stopped_counts_what_it_had_paid_before(belt: Belt) -> None:
    """Its new ledger knows no attempt, and the claim of the paid call outlives the old one."""
    day_ceiling(belt, "0.20")
    event = belt.drop(ONE)
    run = belt.submit(event)["run"]
    delete_ledger(belt, run)
    stop(belt, run)
    day_ceiling(belt, "0.10")
    belt.submit(event)
    assert belt.finish(run)["status"] == "stopped"
    day_ceiling(belt, "0.20")
    belt.upload(TWO, "inbox/two.jsonl")
    assert belt.creates() == (1, 1)


def test_a_round_that_was_paid_before_its_ledger_was_lost_counts(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written as refused by ourselves, so that it is not paid again: that is not for nothing."""
    change(monkeypatch, ROUNDS | {"MAX_REQUESTS_PER_BATCH": "0"})
    belt.clients.__dict__.pop("settings", None)
    belt.provider.configure(seconds=60)
    day_ceiling(belt, "50")
    event = belt.drop(DATA)
    with failing_at_first(belt):
        run = belt.submit(event)["run"]
        while len(prefixes(belt)) < 2:
            belt.step(run)
    delete_ledger(belt, run)
    belt.submit(event)
    assert belt.finish(run)["results"] < 6
    of_round = [each.usd for each in the_log(belt) if each.leg]
    day_ceiling(belt, str(max(each.usd for each in the_log(belt)) + sum(of_round, Decimal(0)) / 2))
    belt.upload(DATA, "inbox/other.jsonl")
    assert len(prefixes(belt)) == 2, "the round counts with nothing"
