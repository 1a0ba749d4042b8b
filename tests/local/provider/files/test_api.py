"""The documented behaviour of the file batch API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider_clients.files import BATCHES, FILES, FilesClient, body_line, body_lines, jsonl
from tests.support.provider_clients.messages import PROVIDER_KEY, request

if TYPE_CHECKING:
    import httpx

    from local.provider.control import Control
    from tests.support.provider_clients.messages import MessagesClient


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, type and parameter of an error, whose body has four fields."""
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return answer.status_code, error["type"], error["param"]


def test_an_upload_is_a_file_that_can_be_read_back(files: FilesClient) -> None:
    """The file object has every field, and the content is byte for byte what was sent."""
    content = b'{"custom_id": "\xc3\xa4"}\r\n\n' * 50_000
    answer = files.upload(content, name="lines of May.jsonl")
    assert answer.headers["x-request-id"].startswith("req_")
    file = answer.json()
    assert file.pop("id").startswith("file-")
    assert isinstance(file.pop("created_at"), int)
    assert file == {
        "object": "file",
        "bytes": len(content),
        "filename": "lines of May.jsonl",
        "purpose": "batch",
        "status": "processed",
        "expires_at": None,
    }
    assert files.get(f"{FILES}/{answer.json()['id']}").json() == answer.json()
    assert files.content(answer.json()["id"]).content == content


@pytest.mark.parametrize(
    ("name", "purpose", "param"),
    [("lines.json", "batch", "file"), ("lines.jsonl", "fine-tune", "purpose"), ("lines.jsonl", "", "purpose")],
)
def test_a_wrong_name_or_purpose_refuses_the_upload(files: FilesClient, name: str, purpose: str, param: str) -> None:
    """400, and nothing is stored."""
    assert refusal(files.upload(b"{}", name, purpose)) == (400, "invalid_request_error", param)
    assert files.get(FILES).json()["data"] == []


def test_a_body_that_is_not_a_form_is_refused(files: FilesClient) -> None:
    """JSON, a form without a file, and a truncated form."""
    assert refusal(files.post(FILES, json={"purpose": "batch"}))[0] == 400
    assert refusal(files.post(FILES, data={"purpose": "batch"}))[0] == 400
    assert refusal(files.post(FILES, files={"purpose": (None, "batch")}))[2] == "file"
    broken = {"content-type": "multipart/form-data; boundary=b"}
    assert refusal(files.post(FILES, content=b"--b\r\nContent", headers=broken))[0] == 400


def test_a_file_over_the_limit_is_refused(files: FilesClient, provider: Control) -> None:
    """400, with the API's message."""
    provider.configure(max_file_bytes=100)
    assert files.upload(b"x" * 100).is_success
    answer = files.upload(b"x" * 101)
    assert refusal(answer) == (400, "invalid_request_error", "file")
    assert answer.json()["error"]["message"] == "File is too large."


def test_files_are_listed_by_pages(files: FilesClient, provider: Control) -> None:
    """Newest or oldest first; `after` continues after a file, `purpose` filters."""
    provider.configure(seconds=0)
    ids = [files.upload_lines(1) for _ in range(4)]
    output = files.wait(files.submit(ids[0]).json()["id"])["output_file_id"]

    def page(**query: str | int) -> tuple[list[str], bool]:
        answer = files.get(FILES, params=query).json()
        ids_of_page = [file["id"] for file in answer["data"]]
        assert (answer["object"], answer["first_id"], answer["last_id"]) == ("list", ids_of_page[0], ids_of_page[-1])
        return ids_of_page, answer["has_more"]

    assert page(purpose="batch") == (ids[::-1], False)
    assert page(purpose="batch_output") == ([output], False)
    assert page(order="asc", limit=2) == (ids[:2], True)
    assert page(order="asc", limit=2, after=ids[1]) == (ids[2:], True)
    assert page(after=ids[2]) == (ids[1::-1], False)
    for query in ({"limit": 0}, {"limit": 10_001}, {"order": "up"}):
        assert refusal(files.get(FILES, params=query)) == (400, "invalid_request_error", next(iter(query)))
    assert refusal(files.get(FILES, params={"after": "file-none"})) == (404, "invalid_request_error", "after")


def test_a_deleted_file_is_gone(files: FilesClient, provider: Control) -> None:
    """404 in every call; the provider's statistics still have it."""
    file_id = files.upload_lines(1)
    assert files.delete(f"{FILES}/{file_id}").json() == {"id": file_id, "object": "file", "deleted": True}
    assert refusal(files.get(f"{FILES}/{file_id}"))[0] == 404
    assert refusal(files.content(file_id))[0] == 404
    assert refusal(files.delete(f"{FILES}/{file_id}"))[0] == 404
    assert refusal(files.submit(file_id)) == (404, "invalid_request_error", "input_file_id")
    assert files.get(FILES).json()["data"] == []
    assert [(file["id"], file["deleted"]) for file in provider.stats()["files"]] == [(file_id, True)]


def test_a_batch_object_has_every_field(files: FilesClient) -> None:
    """A new batch is always `validating`; unknown fields are null."""
    file_id = files.upload_lines(3)
    batch = files.submit(file_id, metadata={"job": "7"}).json()
    assert batch.pop("id").startswith("batch_")
    assert batch.pop("expires_at") - batch.pop("created_at") == 86_400
    unknown = "errors output_file_id error_file_id usage in_progress_at finalizing_at completed_at failed_at expired_at"
    assert batch == dict.fromkeys([*unknown.split(), "cancelling_at", "cancelled_at"]) | {
        "object": "batch",
        "endpoint": "/v1/messages",
        "model": "claude-haiku-5-5",
        "input_file_id": file_id,
        "completion_window": "24h",
        "status": "validating",
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": {"job": "7"},
    }


def test_a_batch_of_params_ends_in_flat_lines(files: FilesClient, provider: Control) -> None:
    """The output file has the messages of successes, the error file all other results."""
    provider.configure(outcomes={"2": "errored:overloaded_error", "3": "expired", "4": "canceled"})
    batch = files.run_batch(5)
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 5, "completed": 2, "failed": 3}
    assert batch["created_at"] <= batch["in_progress_at"] <= batch["finalizing_at"] <= batch["completed_at"]
    output, errors = files.result_lines(batch)
    assert sorted(output) == ["r-1", "r-5"]
    assert output["r-1"]["error"] is None
    assert output["r-1"]["response"]["content"][0]["text"].endswith("You asked: “What is r-1?”")
    assert {custom_id: line["error"]["code"] for custom_id, line in sorted(errors.items())} == {
        "r-2": "overloaded_error",
        "r-3": "batch_expired",
        "r-4": "batch_cancelled",
    }
    assert [line["response"] for line in errors.values()] == [None] * 3


def test_a_batch_of_bodies_ends_in_lines_with_a_status(files: FilesClient, provider: Control) -> None:
    """A refused request has a status and a body, but no `error`; one that never ran has no response."""
    provider.configure(outcomes={"2": "errored:not_found_error", "3": "expired"})
    output, errors = files.result_lines(files.run_batch(body_lines(3)))
    assert output["r-1"]["id"].startswith("batch_req_")
    response = output["r-1"]["response"]
    assert (response["status_code"], response["body"]["type"], output["r-1"]["error"]) == (200, "message", None)
    refused = errors["r-2"]["response"]
    assert (refused["status_code"], errors["r-2"]["error"]) == (404, None)
    assert refused["body"]["error"] == {
        "message": "model: not found",
        "type": "not_found_error",
        "param": None,
        "code": "not_found_error",
    }
    assert (errors["r-3"]["response"], errors["r-3"]["error"]["code"]) == (None, "batch_expired")


def test_wrong_params_are_an_error_of_their_line(files: FilesClient) -> None:
    """As in the Message Batches API for `/v1/messages`; other endpoints require only a model."""
    lines = [request("good"), request("bad", max_tokens=None)]
    output, errors = files.result_lines(files.run_batch(lines))
    assert (list(output), list(errors)) == (["good"], ["bad"])
    assert errors["bad"]["error"]["message"] == "max_tokens: Field required"
    elsewhere = [body_line("a", url="/v1/responses", max_tokens=None), body_line("b", url="/v1/responses", model=None)]
    output, errors = files.result_lines(files.run_batch(elsewhere, endpoint="/v1/responses"))
    assert (list(output), list(errors)) == (["a"], ["b"])


def test_chat_completions_have_their_own_answers(files: FilesClient) -> None:
    """With `choices`, and other names of tokens."""
    chat = "/v1/chat/completions"
    output, _ = files.result_lines(files.run_batch([body_line("a", url=chat)], endpoint=chat))
    body = output["a"]["response"]["body"]
    assert body["choices"][0]["message"]["content"].endswith("You asked: “What is a?”")
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]


def test_a_batch_can_end_without_an_output_file(files: FilesClient, provider: Control) -> None:
    """Also a `completed` batch can have no success; the id of an empty file is null."""
    provider.configure(every={"1": "errored:api_error"})
    batch = files.run_batch(2)
    assert (batch["status"], batch["output_file_id"]) == ("completed", None)
    assert files.lines(batch["error_file_id"]).keys() == {"r-1", "r-2"}
    provider.configure(every={})
    assert files.run_batch(2)["error_file_id"] is None


def test_output_files_are_files_too(files: FilesClient) -> None:
    """They have a length and a purpose, and can be deleted."""
    batch = files.run_batch(3)
    file = files.get(f"{FILES}/{batch['output_file_id']}").json()
    assert (file["purpose"], file["created_at"]) == ("batch_output", batch["completed_at"])
    assert file["bytes"] == len(files.content(file["id"]).content)
    assert refusal(files.submit(file["id"]))[2] == "input_file_id"
    files.delete(f"{FILES}/{file['id']}")
    assert refusal(files.content(file["id"]))[0] == 404


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"input_file_id": "file-none"}, 404, "input_file_id"),
        ({"endpoint": None}, 400, "endpoint"),
        ({"endpoint": "messages"}, 400, "endpoint"),
        ({"completion_window": "1h"}, 400, "completion_window"),
        ({"metadata": {"n": 1}}, 400, "metadata"),
        ({"metadata": {str(number): "" for number in range(17)}}, 400, "metadata"),
        ({"metadata": {"k" * 65: ""}}, 400, "metadata"),
        ({"metadata": {"k": "v" * 513}}, 400, "metadata"),
        ({"window": "24h"}, 400, "window"),
    ],
)
def test_a_wrong_field_refuses_the_batch_by_name(
    files: FilesClient, fields: dict[str, Any], status: int, param: str
) -> None:
    """Nothing is created."""
    assert refusal(files.submit(files.upload_lines(1), **fields)) == (status, "invalid_request_error", param)
    assert files.get(BATCHES).json()["data"] == []


def test_batches_are_listed_by_pages(files: FilesClient) -> None:
    """Newest first; `after` continues with older ones."""
    file_id = files.upload_lines(1)
    assert files.get(BATCHES).json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    ids = [files.submit(file_id).json()["id"] for _ in range(3)][::-1]
    first = files.get(BATCHES, params={"limit": 2}).json()
    assert ([batch["id"] for batch in first["data"]], first["has_more"]) == (ids[:2], True)
    rest = files.get(BATCHES, params={"limit": 2, "after": first["last_id"]}).json()
    assert ([batch["id"] for batch in rest["data"]], rest["has_more"]) == (ids[2:], False)
    assert refusal(files.get(BATCHES, params={"limit": 101}))[2] == "limit"
    assert refusal(files.get(BATCHES, params={"after": "batch_none"}))[0] == 404


def test_a_cancelled_batch_keeps_what_was_done(files: FilesClient, provider: Control) -> None:
    """The rest is in the error file; a second or late cancel is a 200 without effect."""
    provider.configure(seconds=None)
    batch_id = files.create_batch(4)
    assert files.cancel(batch_id).json()["status"] == "cancelling"
    assert files.cancel(batch_id).is_success
    batch = files.wait(batch_id)
    assert (batch["status"], batch["request_counts"]["completed"]) == ("cancelled", 2)
    assert batch["cancelling_at"] <= batch["cancelled_at"]
    output, errors = files.result_lines(batch)
    assert len(output) == 2
    assert {line["error"]["code"] for line in errors.values()} == {"batch_cancelled"}
    assert files.cancel(batch_id).json() == batch


def test_the_key_comes_as_either_header_and_no_version_is_needed(files: FilesClient) -> None:
    """401 without a key and with a wrong one."""
    assert refusal(files.get(BATCHES, headers={"authorization": "Bearer wrong"}))[0] == 401
    del files.headers["authorization"]
    answer = files.get(FILES)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert files.get(FILES, headers={"x-api-key": PROVIDER_KEY}).is_success


def test_what_does_not_exist_is_404(files: FilesClient) -> None:
    """Unknown batches, files and paths, with the error body of this API."""
    for path in (f"{BATCHES}/batch_none", f"{FILES}/file-none", f"{FILES}/file-none/content", f"{FILES}/a/b/c"):
        assert refusal(files.get(path))[:2] == (404, "invalid_request_error")
    assert refusal(files.cancel("batch_none"))[0] == 404
    assert refusal(files.put(BATCHES))[0] == 405


def test_both_apis_work_side_by_side(files: FilesClient, client: MessagesClient, provider: Control) -> None:
    """Neither shows the batches of the other; the provider's statistics have both."""
    one, other = client.create(1).json()["id"], files.create_batch(1, metadata={"job": "7"})
    assert [batch["id"] for batch in client.get("/v1/messages/batches").json()["data"]] == [one]
    assert [batch["id"] for batch in files.get(BATCHES).json()["data"]] == [other]
    assert client.get(f"/v1/messages/batches/{other}").status_code == 404
    assert refusal(files.get(f"{BATCHES}/{one}"))[0] == 404
    stats = provider.stats()
    assert [(batch["id"], batch["dialect"]) for batch in stats["batches"]] == [(one, "messages"), (other, "files")]
    assert [batch["metadata"] for batch in stats["batches"]] == [None, {"job": "7"}]
    assert [batch["input_file_id"] for batch in stats["batches"]] == [None, stats["files"][0]["id"]]
    assert (stats["created"], stats["calls"]["create"], stats["calls"]["upload"]) == (2, 2, 1)


def test_a_batch_of_the_maximum_size_is_accepted(files: FilesClient) -> None:
    """50,000 requests have one result each; one more request fails the batch."""
    params = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"?"}]}'
    lines = [b'{"custom_id":"%d","params":%s}' % (number, params) for number in range(50_001)]
    assert [fault["code"] for fault in files.faults(lines)] == ["too_many_tasks"]
    batch = files.wait(files.submit(files.upload(jsonl(lines[1:])).json()["id"]).json()["id"])
    read = files.content(batch["output_file_id"]).content.splitlines()
    assert len(set(read)) == len(read) == batch["request_counts"]["completed"] == 50_000
