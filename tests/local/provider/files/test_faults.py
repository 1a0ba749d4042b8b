"""Faults in the file batch API: each happens in the call that it names."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.provider_clients.base import WAIT_SECONDS
from tests.support.provider_clients.files import BATCHES, FILES, FilesClient, jsonl

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.provider.control import Control

Call = dict[str, Any]


def lines(answer: httpx.Response) -> list[str]:
    """Return the custom_ids of a file in their order."""
    return [json.loads(line)["custom_id"] for line in answer.content.splitlines() if line]


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_the_answer_to_an_upload_is_lost(
    files: FilesClient, provider: Control, ending: str, when: str, made: int
) -> None:
    """The connection ends without a byte; the file exists or not; the next call succeeds."""
    provider.fail("upload", {"kind": "lose", "when": when, "ending": ending})
    with pytest.raises(httpx.RemoteProtocolError if ending == "close" else httpx.ReadError):
        files.upload(jsonl(1))
    assert len(provider.stats()["files"]) == made
    assert files.upload(jsonl(1)).is_success
    assert provider.stats()["calls"]["upload"] == 2


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_the_answer_to_create_is_lost(files: FilesClient, provider: Control, when: str, created: int) -> None:
    """The batch exists or not, as the metadata in the list show."""
    file_id = files.upload_lines(1)
    provider.fail("create", {"kind": "lose", "when": when})
    with pytest.raises(httpx.RemoteProtocolError):
        files.submit(file_id, metadata={"run": "7"})
    assert provider.stats()["created"] == created
    listed = [(batch["input_file_id"], batch["metadata"]) for batch in files.get(BATCHES).json()["data"]]
    assert listed == [(file_id, {"run": "7"})] * created


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("upload", lambda files, _: files.upload(jsonl(1))),
        ("files", lambda files, _: files.get(FILES)),
        ("file", lambda files, batch: files.get(f"{FILES}/{batch['output_file_id']}")),
        pytest.param("file", lambda files, batch: files.content(batch["input_file_id"]), id="content of an input"),
        ("create", lambda files, batch: files.submit(batch["input_file_id"])),
        ("retrieve", lambda files, batch: files.get(f"{BATCHES}/{batch['id']}")),
        ("list", lambda files, _: files.get(BATCHES)),
        ("results", lambda files, batch: files.content(batch["output_file_id"])),
        ("cancel", lambda files, batch: files.cancel(batch["id"])),
        ("delete_file", lambda files, batch: files.delete(f"{FILES}/{batch['input_file_id']}")),
    ],
)
def test_every_call_can_be_refused(
    files: FilesClient, provider: Control, name: str, call: Callable[[FilesClient, Call], httpx.Response]
) -> None:
    """With this API's error body, before the call takes effect."""
    batch = files.run_batch(1)
    headers = {"retry-after": "7"}
    answer = {"kind": "answer", "status": 429, "error_code": "slow_down", "type": "requests", "headers": headers}
    provider.fail(name, answer)
    refused = call(files, batch)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.json() == {
        "error": {
            "message": "A fault in the provider's settings caused this error.",
            "type": "requests",
            "param": None,
            "code": "slow_down",
        }
    }
    assert call(files, batch).is_success
    assert provider.stats()["faults"] == [{"call": name, "passed": 0, "struck": 1}]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (403, "invalid_request_error", None),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (503, "server_error", None),
    ],
)
def test_a_status_has_a_type_of_its_own(
    files: FilesClient, provider: Control, status: int, kind: str, code: str | None
) -> None:
    """If the fault names none."""
    provider.fail("list", {"kind": "answer", "status": status})
    error = files.get(BATCHES).json()["error"]
    assert (error["type"], error["code"]) == (kind, code)


def test_an_answer_can_come_from_a_proxy(files: FilesClient, provider: Control) -> None:
    """It is not JSON, and the call may have taken effect."""
    provider.fail("upload", {"kind": "answer", "status": 502, "when": "after", "body": "<h1>Bad Gateway</h1>"})
    assert files.upload(jsonl(1)).text == "<h1>Bad Gateway</h1>"
    assert len(provider.stats()["files"]) == 1


def test_the_connection_is_reset_in_the_middle_of_an_upload(files: FilesClient, provider: Control) -> None:
    """No file is created; the client's error depends on how much of the body was not sent yet."""
    provider.fail("upload", {"kind": "reset", "at": 100_000})
    with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        files.upload(jsonl(20_000))
    assert provider.stats()["files"] == []


def test_a_slow_upload_creates_a_file_although_the_client_has_disconnected(
    files: FilesClient, provider: Control
) -> None:
    """After the client's timeout."""
    provider.fail("upload", {"kind": "delay", "seconds": 0.3, "when": "before"})
    with pytest.raises(httpx.ReadTimeout):
        files.post(FILES, files={"file": ("a.jsonl", b"{}")}, data={"purpose": "batch"}, timeout=0.1)
    assert provider.stats()["files"] == []
    stop = time.monotonic() + WAIT_SECONDS
    while not provider.stats()["files"] and time.monotonic() < stop:
        time.sleep(0.02)
    assert len(provider.stats()["files"]) == 1


def test_a_file_and_a_batch_are_listed_late(files: FilesClient, provider: Control) -> None:
    """After a number of listings, though each can be retrieved by its id."""
    provider.fail("upload", {"kind": "unlist", "looks": 2})
    file_id = files.upload_lines(1)
    assert files.get(f"{FILES}/{file_id}").is_success
    assert [len(files.get(FILES).json()["data"]) for _ in range(3)] == [0, 0, 1]
    provider.configure(faults=[{"call": "create", "do": {"kind": "unlist", "looks": 1}}], seconds=None)
    batch_id = files.submit(file_id).json()["id"]
    assert files.batch(batch_id)["id"] == batch_id
    assert [len(files.get(BATCHES).json()["data"]) for _ in range(2)] == [0, 1]


def test_a_listing_of_the_other_api_does_not_count(files: FilesClient, provider: Control) -> None:
    """A listing of Message Batches hides no batch of files any longer."""
    provider.fail("create", {"kind": "unlist", "looks": 1})
    files.create_batch(1)
    assert files.get("/v1/messages/batches", headers={"anthropic-version": "2023-06-01"}).is_success
    assert [len(files.get(BATCHES).json()["data"]) for _ in range(2)] == [0, 1]


def test_an_uploaded_file_is_404_for_a_while(files: FilesClient, provider: Control) -> None:
    """Two create calls do not find it, the third does."""
    file_id = files.upload_lines(1)
    provider.fail("create", {"kind": "answer", "status": 404}, times=2)
    assert [files.submit(file_id).status_code for _ in range(3)] == [404, 404, 200]


def test_a_fault_can_mean_the_files_of_one_batch(files: FilesClient, provider: Control) -> None:
    """The n-th batch created by either API; other content is not affected."""
    first, second = files.run_batch(1), files.run_batch(1)
    provider.fail("results", {"kind": "answer", "status": 500}, batch=2, times=None)
    assert files.content(first["output_file_id"]).status_code == 200
    assert files.content(second["output_file_id"]).status_code == 500
    assert files.content(second["input_file_id"]).status_code == 200


@pytest.mark.parametrize("ending", ["clean", "close", "reset"])
def test_an_output_file_is_truncated(files: FilesClient, provider: Control, ending: str) -> None:
    """The first bytes arrive; only a clean end looks complete."""
    file_id = files.run_batch(2_000)["output_file_id"]
    whole = files.content(file_id).content
    provider.fail("results", {"kind": "cut", "at": 100_000, "ending": ending})
    got = bytearray()
    try:
        with files.stream("GET", f"{FILES}/{file_id}/content") as answer:
            for chunk in answer.iter_raw():
                got += chunk
    except (httpx.RemoteProtocolError, httpx.ReadError):
        assert ending != "clean"
    else:
        assert ending == "clean"
    assert got == whole[:100_000]


def test_results_are_deleted(files: FilesClient, provider: Control) -> None:
    """From that call on, both files are 404 and not listed."""
    provider.configure(outcomes={"1": "errored:api_error"})
    batch = files.run_batch(2)
    provider.fail("results", {"kind": "archive"})
    assert files.content(batch["output_file_id"]).status_code == 404
    assert files.content(batch["error_file_id"]).status_code == 404
    assert [file["id"] for file in files.get(FILES).json()["data"]] == [batch["input_file_id"]]


def test_a_read_of_both_files_sees_each_stray_line_once(files: FilesClient, provider: Control) -> None:
    """Foreign, extra and repeated lines are in the output file, also those of failed requests."""
    provider.configure(outcomes={"1": "errored:api_error"})
    batch = files.run_batch(3)
    spoil = {"kind": "spoil", "foreign": ["other-1"], "extra": ['{"custom_id":"x"}'], "repeated": [1, 2]}
    provider.fail("results", spoil, times=2)
    output, errors = (files.content(batch[name]) for name in ("output_file_id", "error_file_id"))
    ids = lines(output)
    assert (ids[0], ids[2], ids[4:]) == ("other-1", "x", ["r-1", "r-2"])
    assert sorted(ids) == ["other-1", "r-1", "r-2", "r-2", "r-3", "x"]
    assert lines(errors) == ["r-1"]


def test_stray_lines_are_in_the_error_file_if_there_is_no_output_file(files: FilesClient, provider: Control) -> None:
    """A repeated line may have another outcome."""
    provider.configure(every={"1": "errored:api_error"})
    batch = files.run_batch(2)
    provider.fail("results", {"kind": "spoil", "foreign": ["other-1"], "repeated": [1], "repeated_as": "succeeded"})
    *_, last = files.content(batch["error_file_id"]).content.splitlines()
    assert json.loads(last)["response"]["type"] == "message"
    provider.fail("results", {"kind": "spoil", "foreign": ["other-1"]})
    assert lines(files.content(batch["error_file_id"]))[0] == "other-1"


def test_lines_are_spoiled_in_the_file_that_holds_them(files: FilesClient, provider: Control) -> None:
    """Missing and malformed lines, another order, other line ends."""
    provider.configure(every={"3": "errored:api_error"})
    batch = files.run_batch(30)
    names = ("output_file_id", "error_file_id")
    output, errors = (files.content(batch[name]).content for name in names)
    spoil = {"kind": "spoil", "missing": [1, 3], "shuffle": 7, "crlf": True, "final_newline": False}
    provider.fail("results", spoil, times=2)
    for name, whole, gone in zip(names, (output, errors), ('"r-1"', '"r-3"'), strict=True):
        got = files.content(batch[name]).content.split(b"\r\n")
        kept = [line for line in whole.splitlines() if gone.encode() not in line]
        assert got != kept
        assert sorted(got) == sorted(kept)
    provider.fail("results", {"kind": "spoil", "malformed": [6]}, times=2)
    assert files.content(batch["output_file_id"]).content == output
    assert b'"r-6"' in errors
    assert len(files.content(batch["error_file_id"]).content) < len(errors)
