"""Runs of which something is gone, or that an earlier version has ended."""

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.memory_aws.served import Served

NAME = "inbox/support/labels.jsonl"


def ended(belt: Belt) -> str:
    """Drop a file, and let its run end."""
    run = belt.upload(drop_of(3), NAME)
    belt.finish(run)
    return run


def delete(belt: Belt, *parts: str) -> None:
    """Delete all objects whose keys have all of these parts."""
    for key in belt.stored(""):
        if all(part in key for part in parts):
            belt.s3.delete_object(Bucket=belt.bucket, Key=key)


@pytest.mark.parametrize("decides", ["stop", "pause"])
def test_a_run_that_an_earlier_version_has_ended_is_not_decided(desk: Command, belt: Belt, decides: str) -> None:
    """It has no entry in the index, but a receipt."""
    run = ended(belt)
    delete(belt, "index/", run)
    ran = desk.call(decides, run, "--yes")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ support/labels has ended")
    assert belt.stored("control/") == []


def test_a_receipt_that_was_deleted(desk: Command, belt: Belt) -> None:
    """Trying again would not help, and nothing says so."""
    run = ended(belt)
    delete(belt, "receipt.json", run)
    ran = desk.call("fetch", run)
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error.splitlines()[0].endswith(" does not exist any more")
    watched = desk.call("watch", run)
    assert watched.exit == 0
    assert "or was deleted" in watched.out


def test_a_ledger_that_was_deleted(desk: Command, belt: Belt) -> None:
    """Nothing is known of the run but how it has ended."""
    run = ended(belt)
    delete(belt, f"runs/{run}/")
    assert desk.call("watch", run).error.startswith(f'✗ No run "{run}"\n')
    assert desk.call("runs").exit == 0


@pytest.mark.parametrize("every", ["nan", "inf", "0", "-1"])
def test_no_pause_between_two_looks_is_odd(desk: Command, belt: Belt, aws: Served, every: str) -> None:
    """Without a pause AWS would be asked, and paid, as often as the machine can."""
    run = belt.upload(drop_of(3), NAME, {"hold": "always"})
    aws.asked.clear()
    assert desk.call("watch", run, "--every", every).exit == 2
    assert aws.asked["LIST"] == 0


def test_an_amount_below_a_cent_is_not_nothing(desk: Command, belt: Belt) -> None:
    """Three short answers cost $0.0002."""
    run = ended(belt)
    assert "  ✓ cost              <$0.01  at most $0.01\n" in desk.call("watch", run).out
    assert "<$0.01" in desk.call("runs").out
