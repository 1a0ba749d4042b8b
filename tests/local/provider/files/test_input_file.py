"""The lines of an input file: which are valid, and how others make the batch fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider_clients.files import FilesClient, body_line, body_lines, jsonl
from tests.support.provider_clients.messages import request, requests

if TYPE_CHECKING:
    from local.provider.control import Control

GOOD = request("good")


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ([GOOD, b"{not json"], "invalid_json_line", 2),
        ([GOOD, b"[]"], "invalid_json_line", 2),
        ([GOOD, b"", request("b")], "invalid_json_line", 2),
        ([b'{"custom_id":"a","params":{"model":"\xff"}}'], "invalid_json_line", 1),
        ([b"\xef\xbb\xbf" + jsonl([GOOD]).strip()], "invalid_json_line", 1),
        ([GOOD, GOOD], "duplicate_custom_id", 2),
        ([GOOD, {"params": {}}], "missing_required_parameter", 2),
        ([{"custom_id": "a"}], "missing_required_parameter", 1),
        ([{"custom_id": "a", "params": []}], "missing_required_parameter", 1),
        ([GOOD, body_line("b")], "missing_required_parameter", 2),
        ([body_line("a"), GOOD], "missing_required_parameter", 2),
        ([{"custom_id": 1, "params": {}}], "invalid_request", 1),
        ([body_line("a") | {"method": "GET"}], "invalid_request", 1),
        ([body_line("a"), body_line("b", url="/v1/responses")], "url_mismatch", 2),
        ([body_line("a"), body_line("b", model="another")], "model_mismatch", 2),
    ],
)
def test_a_wrong_line_fails_the_batch(files: FilesClient, lines: list[Any], code: str, line: int) -> None:
    """After its creation, with the number of the line."""
    (fault,) = files.faults(lines)
    assert (fault["code"], fault["line"]) == (code, line)
    assert fault.keys() == {"code", "line", "message", "param"}


def test_nothing_of_a_failed_batch_runs(files: FilesClient, provider: Control) -> None:
    """It has no files, no counts, and cannot be cancelled; valid lines do not run either."""
    provider.configure(validating_seconds=0.2)
    batch_id = files.create_batch([GOOD, b"{"])
    assert files.batch(batch_id)["status"] == "validating"
    assert files.cancel(batch_id).json()["status"] == "validating"
    batch = files.wait(batch_id)
    assert batch["failed_at"] is not None
    assert [batch[name] for name in ("output_file_id", "error_file_id", "in_progress_at", "completed_at")] == [None] * 4
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert files.cancel(batch_id).json() == batch
    (account,) = provider.stats()["batches"]
    assert (account["failed"], account["processing_status"], account["first_custom_id"]) == (True, "ended", "good")


def test_up_to_a_hundred_faults_of_a_file_are_reported(files: FilesClient) -> None:
    """In the order of the lines."""
    faults = files.faults([GOOD, *[b"{"] * 3, GOOD])
    assert [(fault["line"], fault["code"]) for fault in faults] == [
        (2, "invalid_json_line"),
        (3, "invalid_json_line"),
        (4, "invalid_json_line"),
        (5, "duplicate_custom_id"),
    ]
    assert len(files.faults([b"{"] * 101)) == 100


def test_an_empty_file_and_one_with_too_many_lines_fail_as_a_whole(files: FilesClient, provider: Control) -> None:
    """The fault has no line."""
    provider.configure(max_file_requests=2)
    for lines, code in (([], "empty_file"), (requests(3), "too_many_tasks")):
        (fault,) = files.faults(lines)
        assert (fault["code"], fault["line"]) == (code, None)
    assert files.run_batch(2)["status"] == "completed"


def test_a_full_queue_fails_the_batch(files: FilesClient, provider: Control) -> None:
    """After its creation; a failed batch does not count in the queue."""
    provider.configure(queue_limit=5, seconds=None)
    running = files.create_batch(3)
    (fault,) = files.faults(requests(3))
    assert (fault["code"], fault["line"]) == ("token_limit_exceeded", None)
    files.create_batch(2)
    provider.configure(seconds=0)
    assert files.wait(running)["status"] == "completed"


def test_settings_can_make_lines_invalid(files: FilesClient, provider: Control) -> None:
    """With any code; a number after the last line has no effect."""
    provider.configure(blame={"2": "model_not_found", "9": "invalid_request"}, error_line_base=0)
    (fault,) = files.faults(requests(3))
    assert (fault["code"], fault["line"]) == ("model_not_found", 1)


def test_settings_can_require_one_form_of_line(files: FilesClient, provider: Control) -> None:
    """By `line_form`; without it, the first line decides."""
    provider.configure(line_form="body")
    assert files.faults(requests(1))[0]["param"] == "body"
    assert files.run_batch(body_lines(1))["status"] == "completed"
    provider.configure(line_form="params")
    assert files.faults(body_lines(1))[0]["param"] == "params"


def test_line_ends_do_not_matter(files: FilesClient) -> None:
    """CRLF, and a last line without a newline."""
    content = jsonl(3).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    batch = files.wait(files.submit(files.upload(content).json()["id"]).json()["id"])
    assert files.lines(batch["output_file_id"]).keys() == {"r-1", "r-2", "r-3"}


def test_settings_can_split_lines_naively(files: FilesClient, provider: Control) -> None:
    """As a server does that also splits at other separators: half a request is not JSON."""
    for end in ("\u2028", "\u2029", "\x85"):
        params = f'{{"model": "m", "max_tokens": 5, "messages": [{{"role": "user", "content": "one{end}two"}}]}}'
        file = files.upload(f'{{"custom_id": "a", "params": {params}}}'.encode()).json()["id"]
        for naive, status in ((False, "completed"), (True, "failed")):
            provider.configure(naive_lines=naive)
            batch = files.wait(files.submit(file).json()["id"])
            assert batch["status"] == status
        assert [fault["code"] for fault in batch["errors"]["data"]] == ["invalid_json_line"] * 2


def test_a_custom_id_is_any_text(files: FilesClient) -> None:
    """The API documents no maximum length and no alphabet."""
    custom_id = "Straße 7/" * 20
    assert list(files.lines(files.run_batch([request(custom_id)])["output_file_id"])) == [custom_id]


def test_models_may_differ_if_the_lines_have_params(files: FilesClient) -> None:
    """The batch object then has no model."""
    batch = files.run_batch([request("a"), request("b", model="another")])
    assert (batch["status"], batch["model"]) == ("completed", None)
