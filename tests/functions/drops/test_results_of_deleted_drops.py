"""The results of a drop that can no longer be read come back, with line numbers instead of ids."""

import gzip
import tracemalloc
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from tests.functions.drops.test_unreadable_drops import KEY, delete
from tests.support.belt import Belt, Task, drop_of, request
from tests.support.faults.hostile_s3 import refusing_drops
from tests.support.faults.taps import At, meanwhile
from tests.support.promises import plain
from tests.support.settings import tune


@pytest.fixture
def paid(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a run whose batch has ended: 6 lines, of which the 2nd expired and the 4th failed."""
    tune(monkeypatch, poll_max_seconds=900)
    belt.provider.configure(outcomes={"2": "expired", "4": "errored:invalid_request_error"})
    return belt.upload(drop_of(6))


def test_results_come_back_when_the_drop_was_deleted(belt: Belt, paid: str) -> None:
    """Every result is delivered by line number; nothing can be sent again, and the message says so."""
    delete(belt)
    began = belt.moment
    notice = belt.finish(paid)
    assert belt.moment - began < timedelta(minutes=10)
    assert notice["status"] == "completed"
    results, failures = belt.lines("results/", "results.jsonl"), belt.lines("failures/", "failures.jsonl")
    assert [(line["custom_id"], line["line"]) for line in results] == [(None, number) for number in (1, 3, 5, 6)]
    assert all(line["response"]["content"] and line["error"] is None for line in results)
    outcomes = [(line["custom_id"], line["line"], line["outcome"], line["retryable"]) for line in failures]
    assert outcomes == [(None, 2, "expired", False), (None, 4, "errored", False)]
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"]) == (6, 4, 2, 0)
    assert "was deleted" in receipt["drop_unreadable"]
    assert "was deleted" in plain(notice["message"])
    assert "None of these can be sent again" in plain(notice["message"])
    assert "worth sending again" not in plain(notice["message"])
    assert [key for key in belt.stored("failures/") if key.endswith("retry.jsonl")] == []


def test_a_run_whose_drop_can_be_read_does_not_mention_it(belt: Belt, paid: str) -> None:
    """And its results have no line numbers."""
    notice = belt.finish(paid)
    assert belt.receipt()["drop_unreadable"] is None
    assert "could not be read" not in plain(notice["message"])
    assert all("line" not in line for line in belt.lines("results/", "results.jsonl"))


BLANKS = b"\n".join([b"", *drop_of(3).splitlines(), b"", b"nonsense", *drop_of(6).splitlines()[3:], b""])
"""Requests on lines 2, 3, 4, 7, 8 and 9; line 6 is invalid."""


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 900])
def test_counts_add_up_although_the_blank_lines_are_unknown(belt: Belt, spool_bytes: int) -> None:
    """A missing result then has no line number, also if results are written in the order they arrive."""
    belt.provider.configure(outcomes={"2": "missing", "6": "expired"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(BLANKS, metadata={"on-invalid": "skip"})
    delete(belt)
    assert belt.finish(run)["status"] == "completed"
    assert sorted(line["line"] for line in belt.lines("results/", "results.jsonl")) == [2, 4, 7, 8]
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["line"], line["outcome"]) for line in failures} == {(6, "invalid"), (9, "expired"), (None, "missing")}
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"]) == (7, 4, 3, 0)
    assert receipt["ordered"] == (spool_bytes > 900)
    assert receipt["unaccounted"] == []


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 0])
def test_many_blank_lines_of_a_deleted_drop_take_no_memory(belt: Belt, spool_bytes: int) -> None:
    """They are not kept in a list."""
    belt.provider.configure(outcomes={"1": "missing"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(request("r-1") + b"\n" * 500_000 + request("r-2"))
    delete(belt)
    peaks = list[int]()

    def traced(task: Task) -> dict[str, Any]:
        if not (isinstance(task, partial) and task.func == belt.split):
            return task()
        tracemalloc.start()
        state: dict[str, Any] = task()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        return state

    belt.finish(run, traced)
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [500_001]
    assert [line["line"] for line in belt.lines("failures/", "failures.jsonl")] == [None]
    assert max(peaks) < 10_000_000


@pytest.mark.parametrize("spool_bytes", [9_500_000_000, 900])
def test_a_missing_result_has_its_line_number_if_no_line_was_blank(belt: Belt, spool_bytes: int) -> None:
    """The plan gives the line numbers of a batch without blank lines."""
    belt.provider.configure(outcomes={"2": "missing", "5": "missing"})
    belt.clients.environment = replace(belt.clients.environment, spool_bytes=spool_bytes)
    run = belt.upload(drop_of(6))
    delete(belt)
    assert belt.finish(run)["status"] == "completed"
    failures = belt.lines("failures/", "failures.jsonl")
    assert [(line["line"], line["outcome"], line["retryable"]) for line in failures] == [
        (2, "missing", False),
        (5, "missing", False),
    ]
    assert len(belt.facts(run, "read-")) == 2, "two reads before the one that was split"


def test_a_drop_deleted_while_results_are_written_leaves_no_partial_files(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch split before has custom_ids, the one split after has line numbers."""
    tune(monkeypatch, max_requests_per_batch=3)
    run = belt.upload(drop_of(6))
    belt.poll(run)
    belt.submit({"run": run})
    assert belt.split(run, 1)["status"] == "split"
    with meanwhile(belt.clients, At("before", f"GetObject {KEY}", partial(delete, belt), nth=2)):
        assert belt.split(run, 2)["status"] == "unread"
    assert belt.finish(run)["status"] == "completed"
    named = [(line["custom_id"], line.get("line")) for line in belt.lines("results/three/", "results.jsonl")]
    assert named == [("r-1", None), ("r-2", None), ("r-3", None), (None, 4), (None, 5), (None, 6)]
    assert belt.receipt()["results"] == 6


def test_results_of_a_compressed_drop_come_back_when_its_lines_were_deleted(belt: Belt) -> None:
    """The lines are read from the decompressed copy, not from the drop."""
    key = "inbox/packed.jsonl.gz"
    run = belt.upload(gzip.compress(drop_of(3)), key)
    delete(belt, key)
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"content/default/{run}/unpacked.jsonl")
    assert belt.finish(run)["status"] == "completed"
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [1, 2, 3]


@pytest.mark.parametrize(("status", "code"), [(400, "KMS.DisabledException"), (403, "AccessDenied")])
def test_results_wait_a_day_for_a_drop_that_a_person_may_make_readable(
    belt: Belt, paid: str, status: int, code: str
) -> None:
    """A message asks to make it readable, for example to enable its KMS key; then results have their custom_ids."""
    with refusing_drops(belt.clients, status, code):
        for _ in range(400):
            state = belt.poll(paid)
            if state["next"] == "split":
                assert belt.split(paid)["status"] == "unread"
            else:
                belt.pass_time(state["wait_seconds"])
            if belt.notices:
                break
    (notice,) = belt.notices
    assert notice["status"] == "troubled"
    assert "the drop cannot be read" in plain(notice["message"])
    assert "within a day" in plain(notice["message"])
    belt.finish(paid)
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r-1", "r-3", "r-5", "r-6"]
    assert belt.receipt()["retryable"] == 1


def test_unsent_batches_also_wait_a_day_for_their_lines(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries become rarer; then the lines are reported by number. The first batch was sent and is collected."""
    tune(monkeypatch, max_requests_per_batch=3)
    tune(monkeypatch, poll_max_seconds=900)
    run, began = belt.upload(drop_of(8)), belt.moment
    assert belt.split(run, 1)["status"] == "split"
    with refusing_drops(belt.clients, 403, "AccessDenied"):
        notice = belt.finish(run)
    assert timedelta(hours=24) <= belt.moment - began <= timedelta(hours=27)
    receipt = belt.receipt()
    assert (notice["status"], receipt["code"]) == ("completed", "drop-denied")
    assert [line["custom_id"] for line in belt.lines("results/three/", "results.jsonl")] == ["r-1", "r-2", "r-3"]
    assert [line["line"] for line in belt.lines("failures/three/", "failures.jsonl")] == [4, 5, 6, 7, 8]
    assert len(belt.facts(run, "split-")) < 80
    assert [notice["status"] for notice in belt.notices] == ["troubled"]


def test_results_come_back_without_ids_when_nobody_makes_the_drop_readable(belt: Belt, paid: str) -> None:
    """They are delivered after a day, long before the provider deletes them."""
    began = belt.moment
    with refusing_drops(belt.clients, 400, "KMS.DisabledException"):
        notice = belt.finish(paid)
    assert timedelta(hours=24) <= belt.moment - began <= timedelta(hours=27)
    assert notice["status"] == "completed"
    assert [line["line"] for line in belt.lines("results/", "results.jsonl")] == [1, 3, 5, 6]
    assert "KMS key" in belt.receipt()["drop_unreadable"]
