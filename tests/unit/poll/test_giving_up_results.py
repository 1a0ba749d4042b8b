"""When the results of a batch that has ended are given up."""

from datetime import timedelta

import pytest

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Read, Splitting, Stuck, Unread
from conveyor.ledger.run_facts import Refusal
from tests.support.examples import NOW
from tests.support.sent_runs import SentRun, running


@pytest.mark.parametrize("dialect", ["messages", "files"])
def test_a_run_that_was_paused_for_weeks_reads_before_it_gives_up(dialect: str) -> None:
    """Dates alone prove nothing: a provider may keep results for longer than it says."""
    run = SentRun(running(dialect, ended=True), batch_api=dialect)
    assert run.poll(days=60)["next"] == "split"
    assert Stuck.key("run-1", 1) not in run.bucket.objects


@pytest.mark.parametrize(
    ("reads", "stuck"),
    [
        ([(28.9, {"gone": True})], False),
        ([(29.1, {"gone": True})], True),
        ([(29.1, {})], False),
        ([(28.9, {}), (29.1, {})], False),
        ([(29.1, {}), (29.2, {})], False),
        ([(29.1, {}), (29.4, {})], True),
        ([(29.1, {"ours": True}), (29.4, {})], False),
        ([(60, {"ours": True})], False),
    ],
)
def test_results_are_given_up_after_reads_that_failed_when_they_are_kept_no_longer(
    reads: list[tuple[float, dict[str, bool]]], *, stuck: bool
) -> None:
    """An earlier failure proves nothing, a single one may be chance, and a function that failed has read nothing."""
    run = SentRun(running("messages", ended=True))
    for number, (days, kind) in enumerate(reads, 1):
        run.write(Splitting.key("run-1", 1, number), Splitting("w", NOW, NOW))
        run.write(Unread.key("run-1", 1, number), Unread("w", NOW + timedelta(days=days), "HTTP 503", **kind))
    assert run.poll(days=70)["next"] == "split"
    assert (Stuck.key("run-1", 1) in run.bucket.objects) is stuck


def test_a_read_of_missing_lines_that_is_due_after_the_retention_is_made() -> None:
    """Two equal reads are not enough."""
    run = SentRun(running("messages", ended=True))
    run.write(Splitting.key("run-1", 1, 1), Splitting("w", NOW, NOW))
    run.write(Read.key("run-1", 1, 1), Read("w", NOW + timedelta(days=29, minutes=-5), 1, "d"))
    assert run.poll(days=29, minutes=-1)["next"] == "wait"
    assert run.poll(minutes=7)["next"] == "split"
    assert Stuck.key("run-1", 1) not in run.bucket.objects


@pytest.mark.parametrize(
    ("reads", "stuck"),
    [
        ([(0, True), (5.9, True)], False),
        ([(0, True), (6.1, True)], True),
        ([(-3, True), (5.9, True)], False),
        ([(7, True)], False),
        ([(0, True), (3, False), (7, True)], False),
        ([(0, True), (6.1, False)], False),
    ],
)
def test_a_stopped_run_does_not_wait_for_weeks_for_results_that_are_gone(
    reads: list[tuple[float, bool]], *, stuck: bool
) -> None:
    """Six hours of such answers after the stop are enough; a single one proves nothing."""
    run = SentRun(running("messages", ended=True))
    run.bucket.objects[keys.stop("run-1")] = b""
    run.write(Refusal.key("run-1"), Refusal("w", NOW, "stopped", "the run was stopped by a person"))
    for number, (hours, gone) in enumerate(reads, 1):
        run.write(Splitting.key("run-1", 1, number), Splitting("w", NOW, NOW))
        run.write(Unread.key("run-1", 1, number), Unread("w", NOW + timedelta(hours=hours), "HTTP 404", gone=gone))
    assert run.poll(hours=9)["next"] == "split"
    assert (Stuck.key("run-1", 1) in run.bucket.objects) is stuck
