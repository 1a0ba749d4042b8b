"""The ways in which providers of the file batch API differ, each by a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider_clients.files import BATCHES, FILES, FilesClient, body_lines
from tests.support.provider_clients.messages import requests

if TYPE_CHECKING:
    from local.provider.control import Control


def test_a_batch_goes_through_all_statuses(files: FilesClient, provider: Control) -> None:
    """Validating, in progress, finalizing, completed, each for its time; the ids of result files come last."""
    provider.configure(validating_seconds=10, seconds=100, finalizing_seconds=1000, now=1_800_000_000.0)
    batch_id = files.create_batch(2)
    seen = []
    for ahead in (0, 10, 110, 1110):
        provider.configure(ahead_seconds=ahead)
        batch = files.batch(batch_id)
        seen.append((batch["status"], batch["request_counts"]["completed"], batch["output_file_id"] is not None))
    assert seen == [
        ("validating", 0, False),
        ("in_progress", 0, False),
        ("finalizing", 2, False),
        ("completed", 2, True),
    ]
    moments = [batch[name] - batch["created_at"] for name in ("in_progress_at", "finalizing_at", "completed_at")]
    assert moments == [10, 110, 1110]


def test_a_batch_expires_with_what_was_done(files: FilesClient, provider: Control) -> None:
    """Unfinished requests are `batch_expired` in the error file."""
    provider.configure(seconds=None, now=1_800_000_000.0)
    batch_id = files.create_batch(4)
    provider.configure(ahead_seconds=86_400)
    batch = files.batch(batch_id)
    assert (batch["status"], batch["expired_at"]) == ("expired", batch["expires_at"])
    output, errors = files.result_lines(batch)
    assert (len(output), {line["error"]["code"] for line in errors.values()}) == (2, {"batch_expired"})


def test_a_cancel_while_finalizing_changes_the_counts(files: FilesClient, provider: Control) -> None:
    """To those of the cancelled batch."""
    provider.configure(seconds=0, finalizing_seconds=100)
    batch_id = files.create_batch(4)
    assert files.batch(batch_id)["request_counts"]["completed"] == 4
    files.cancel(batch_id)
    assert files.wait(batch_id)["request_counts"]["completed"] == 2


def test_a_batch_outlives_its_input(files: FilesClient, provider: Control) -> None:
    """The file may be deleted after the creation."""
    provider.configure(seconds=None)
    batch_id = files.create_batch(2)
    files.delete(f"{FILES}/{files.batch(batch_id)['input_file_id']}")
    provider.configure(seconds=0)
    assert files.lines(files.batch(batch_id)["output_file_id"]).keys() == {"r-1", "r-2"}


def test_counts_can_be_unknown_at_first(files: FilesClient, provider: Control) -> None:
    """Null until the batch is in progress."""
    provider.configure(counts_at_first=False, seconds=None)
    created = files.submit(files.upload_lines(2)).json()
    assert created["request_counts"] is None
    assert files.batch(created["id"])["request_counts"] == {"total": 2, "completed": 0, "failed": 0}


def test_statuses_can_have_other_spellings(files: FilesClient, provider: Control) -> None:
    """In capitals, and with one l."""
    provider.configure(status_case="upper", cancel_spelling="canceled", seconds=None)
    batch_id = files.create_batch(1)
    assert files.batch(batch_id)["status"] == "IN_PROGRESS"
    assert files.cancel(batch_id).json()["status"] == "CANCELING"
    assert files.wait(batch_id)["status"] == "CANCELED"


@pytest.mark.parametrize(("form", "value"), [("null", None), ("empty", ""), ("missing", "no such key")])
def test_the_id_of_a_missing_file_has_many_forms(
    files: FilesClient, provider: Control, form: str, value: str | None
) -> None:
    """Before the end, and after it if no line failed."""
    provider.configure(absent_file=form, seconds=None)
    batch_id = files.create_batch(1)
    assert files.batch(batch_id).get("output_file_id", "no such key") == value
    provider.configure(seconds=0)
    batch = files.batch(batch_id)
    assert batch["output_file_id"].startswith("file-")
    assert batch.get("error_file_id", "no such key") == value


def test_a_missing_file_can_be_an_empty_file(files: FilesClient, provider: Control) -> None:
    """It is listed and read like any other."""
    provider.configure(absent_file="zero")
    batch = files.run_batch(1)
    error_file = batch["error_file_id"]
    assert files.get(f"{FILES}/{error_file}").json()["bytes"] == 0
    assert files.content(error_file).content == b""
    assert error_file in {file["id"] for file in files.get(FILES).json()["data"]}


def test_metadata_is_ignored_or_refused(files: FilesClient, provider: Control) -> None:
    """Ignored metadata is null; refused metadata is a 400 that names it."""
    provider.configure(metadata="ignored")
    assert files.submit(files.upload_lines(1), metadata={"a": "b"}).json()["metadata"] is None
    provider.configure(metadata="refused")
    refused = files.submit(files.upload_lines(1), metadata={"a": "b"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "metadata")
    assert files.submit(files.upload_lines(1)).is_success


@pytest.mark.parametrize(("name", "path"), [("lists_files", FILES), ("lists_batches", BATCHES)])
def test_a_listing_can_be_unsupported(files: FilesClient, provider: Control, name: str, path: str) -> None:
    """405, while other calls work."""
    provider.configure(**{name: False})
    answer = files.get(path)
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "invalid_request_error")
    assert files.run_batch(1)["status"] == "completed"


def test_a_list_can_be_an_array(files: FilesClient, provider: Control) -> None:
    """Of all items, newest first, whatever the page."""
    provider.configure(list_form="array", seconds=None)
    ids = [files.create_batch(1) for _ in range(3)]
    query = {"limit": "1", "after": "nothing"}
    assert [batch["id"] for batch in files.get(BATCHES, params=query).json()] == ids[::-1]
    assert len(files.get(FILES, params=query).json()) == 3


def test_create_can_answer_with_a_job(files: FilesClient, provider: Control) -> None:
    """With a warning beside it; retrieve returns the batch itself."""
    provider.configure(created_form="job")
    answer = files.submit(files.upload_lines(1)).json()
    assert answer["warning"] is None
    assert files.batch(answer["job"]["id"])["id"] == answer["job"]["id"]


def test_times_can_be_text(files: FilesClient, provider: Control) -> None:
    """ISO 8601, in UTC, of batches and of files."""
    provider.configure(time_form="iso", now=1_800_000_000.5, seconds=0)
    batch = files.run_batch(1)
    assert batch["created_at"] == batch["completed_at"] == "2027-01-15T08:00:00.500Z"
    assert files.get(f"{FILES}/{batch['input_file_id']}").json()["created_at"] == batch["created_at"]


def test_errors_of_a_batch_can_be_a_plain_array(files: FilesClient, provider: Control) -> None:
    """Without the list object."""
    provider.configure(batch_errors_form="plain")
    assert files.run_batch([b"{"])["errors"][0]["code"] == "invalid_json_line"


def test_other_completion_windows_can_be_offered(files: FilesClient, provider: Control) -> None:
    """Then `24h` is refused."""
    provider.configure(completion_windows=["48h"])
    assert files.submit(files.upload_lines(1), completion_window="48h").json()["completion_window"] == "48h"
    assert files.submit(files.upload_lines(1)).status_code == 400


def test_the_form_of_results_can_be_set(files: FilesClient, provider: Control) -> None:
    """For every form of input."""
    provider.configure(result_form="status")
    assert files.lines(files.run_batch(1)["output_file_id"])["r-1"]["response"]["status_code"] == 200
    provider.configure(result_form="flat")
    assert files.lines(files.run_batch(body_lines(1))["output_file_id"])["r-1"]["response"]["type"] == "message"
    provider.configure(result_form="anthropic", outcomes={"2": "expired"})
    output, errors = files.result_lines(files.run_batch(2))
    assert output["r-1"]["result"]["type"] == "succeeded"
    assert errors["r-2"]["result"] == {"type": "expired"}


ERROR = {"code": "overloaded_error", "message": "Overloaded"}
REFUSED = {"message": "Overloaded", "type": "overloaded_error", "param": None, "code": "overloaded_error"}


@pytest.mark.parametrize("lines", [requests(1), body_lines(1)])
@pytest.mark.parametrize(
    ("form", "response", "error"),
    [
        ("error", None, ERROR),
        ("inside", {"error": {"type": "overloaded_error", "message": "Overloaded"}}, None),
        ("status", {"status_code": 529, "body": {"error": REFUSED}}, None),
        ("both", {"status_code": 400, "body": None}, ERROR),
    ],
)
def test_the_failure_of_a_line_can_be_in_four_places(  # noqa: PLR0913, PLR0917 - a table of four, twice
    files: FilesClient, provider: Control, lines: list[Any], form: str, response: Any, error: Any
) -> None:
    """By `failure_form`, for every form of input."""
    provider.configure(failure_form=form, every={"1": "errored:overloaded_error"})
    line = files.lines(files.run_batch(lines)["error_file_id"])["r-1"]
    if line["response"]:
        line["response"].pop("request_id", None)
    assert (line["response"], line["error"]) == (response, error)


def test_results_are_deleted_after_their_retention(files: FilesClient, provider: Control) -> None:
    """The batch object still names the file, which is 404."""
    batch = files.run_batch(1)
    provider.configure(ahead_seconds=29 * 86_400)
    assert files.batch(batch["id"])["output_file_id"] == batch["output_file_id"]
    assert files.content(batch["output_file_id"]).status_code == 404
    assert [file["deleted"] for file in provider.stats()["files"]] == [False, True]
