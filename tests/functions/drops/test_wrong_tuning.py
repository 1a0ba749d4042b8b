"""A deployment whose `Tuning` cannot be read loses no drop: submit fails, and is asked again once it is corrected."""

import pytest

from conveyor.settings.tuning import BadTuning
from tests.support.belt import Belt, drop_of
from tests.support.promises import check

WRONG = "poll-min-seconds=600"
"""Longer than the longest wait by default. CloudFormation cannot compare two numbers of a text."""


def test_a_drop_waits_until_tuning_is_corrected(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to type. Nothing is written before: the event that is kept in the queue starts the run."""
    monkeypatch.setenv("CONVEYOR_TUNING", WRONG)
    event = belt.drop(drop_of(2))
    for _ in range(3):
        with pytest.raises(BadTuning, match="write both: poll-min-seconds=600,poll-max-seconds=600"):
            belt.submit(event)
    assert belt.creates() == (0, 0)
    assert not belt.s3.list_objects_v2(Bucket=belt.bucket, Prefix="runs/").get("Contents")
    monkeypatch.setenv("CONVEYOR_TUNING", f"{WRONG},poll-max-seconds=600")
    run = belt.submit(event)["run"]
    check(belt, run, belt.finish(run), drop_of(2))


def test_a_run_under_way_needs_no_settings_of_the_stack(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its own, so that a wrong deployment stops no run."""
    run = belt.upload(drop_of(2))
    del belt.clients.settings
    monkeypatch.setenv("CONVEYOR_TUNING", WRONG)
    check(belt, run, belt.finish(run), drop_of(2))
