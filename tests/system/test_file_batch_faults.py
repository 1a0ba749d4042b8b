"""Fault histories of the file dialect only: lost uploads, batches that fail without running, other formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.system.history import SMALLEST_DROP, History, play
from tests.system.test_provider_faults import HISTORIES, LOST_AFTER, LOST_BEFORE, UPLOADED_AGAIN, at

if TYPE_CHECKING:
    from local.stack.stack import Stack
    from tests.support.system.runs import LiveRun


def check_adopted(run: LiveRun) -> None:
    """Check that the batch is adopted while it still runs, without its results."""
    assert run.fact("batches/1/batch-1.json")["adopted"] is True
    run.stack.provider_settings({"seconds": 0})


def make_room(run: LiveRun) -> None:
    """Remove the queue limit, and skip the minute before the batch is sent again."""
    run.fact("batches/1/failed-1.json")
    run.stack.provider_settings({"queue_limit": None})
    run.backdate("batches/1/failed-1.json")


HISTORIES_OF_FILES = {
    "the answer to the upload is lost": History([at("upload", LOST_AFTER)]),
    "the upload is lost": History([at("upload", LOST_BEFORE)], statuses=UPLOADED_AGAIN),
    "the lost upload is not listed at once": History(
        [at("upload", {"kind": "unlist", "looks": 2}, LOST_AFTER)], statuses=UPLOADED_AGAIN
    ),
    "the answer is lost, and the server tells whose the batch is": History(
        [at("create", LOST_AFTER)], {"seconds": None}, meanwhile=check_adopted, batch={"adopted": True}
    ),
    "the queue is full, and the batch fails": History(
        provider={"queue_limit": 1}, meanwhile=make_room, posts=2, created=2, statuses=("completed",)
    ),
    "a line is blamed": History(
        provider={"blame": {"3": "invalid_json_line"}},
        statuses=("failed",),
        failures=lambda size: dict.fromkeys(range(1, size + 1), "canceled") | {3: "errored"},
    ),
    "most things are said in another way": History(
        provider={
            "status_case": "upper",
            "cancel_spelling": "canceled",
            "created_form": "job",
            "time_form": "iso",
            "list_form": "array",
            "absent_file": "empty",
            "metadata": "refused",
            "counts_at_first": False,
            "result_form": "status",
            "failure_form": "inside",
            "outcomes": {"2": "errored:invalid_request_error", "4": "canceled", "5": "expired"},
        },
        posts=2,
        failures=lambda _: {2: "errored", 4: "canceled", 5: "expired"},
    ),
}
"""Faults and variants of the file dialect only."""


@pytest.mark.parametrize("stack", ["files"], indirect=True)
@pytest.mark.parametrize("name", HISTORIES_OF_FILES)
def test_with_any_fault_of_the_file_dialect_a_drop_is_paid_once_and_comes_back_whole(stack: Stack, name: str) -> None:
    """An upload may be retried, and a batch may fail without running and be sent again; neither is charged."""
    play(stack, HISTORIES_OF_FILES[name], SMALLEST_DROP + len(HISTORIES) + list(HISTORIES_OF_FILES).index(name))
