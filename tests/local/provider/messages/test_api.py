"""The documented behaviour of the Message Batches API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider_clients.messages import BATCHES, PROVIDER_KEY, MessagesClient, request

if TYPE_CHECKING:
    import httpx

    from local.provider.control import Control


def kind(answer: httpx.Response) -> tuple[int, str]:
    """Return status and type of an error."""
    return answer.status_code, answer.json()["error"]["type"]


def test_a_batch_object_has_every_field(client: MessagesClient, provider: Control) -> None:
    """Also those that are null; `results_url` is absolute once the batch has ended."""
    created = client.create(2)
    assert created.headers["request-id"].startswith("req_")
    batch = created.json()
    assert batch["type"] == "message_batch"
    assert batch["id"].startswith("msgbatch_")
    assert [batch[name] for name in ("ended_at", "cancel_initiated_at", "archived_at", "results_url")] == [None] * 4
    ended = client.wait(batch["id"])
    assert ended["ended_at"] > ended["created_at"]
    assert ended["results_url"] == f"{provider.url}{BATCHES}/{batch['id']}/results"


def test_results_are_json_lines_in_an_order_of_their_own(client: MessagesClient) -> None:
    """Each request has one line, in a fixed order that is not that of the requests."""
    batch_id = client.run_batch(50)
    answer = client.results(batch_id)
    assert answer.headers["content-type"] == "application/x-jsonl"
    assert answer.content.endswith(b"\n")
    ids = [json.loads(line)["custom_id"] for line in answer.content.splitlines()]
    assert sorted(ids) == sorted(f"r-{number}" for number in range(1, 51))
    assert ids != [f"r-{number}" for number in range(1, 51)]
    assert client.results(batch_id).content == answer.content


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([], "requests: List should have at least 1 item after validation, not 0"),
        ([request("a" * 65)], "requests.0.custom_id: String should have at most 64 characters"),
        ([request("")], "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        ([request("a\n")], "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        ([request("a"), request("a")], "requests.1.custom_id: custom_id must be unique within a batch, 'a' is not"),
        ([{"custom_id": 1, "params": {}}], "requests.0.custom_id: Input should be a valid string"),
        ([{"custom_id": "a"}], "requests.0.params: Field required"),
        ([{"custom_id": "a", "params": []}], "requests.0.params: Input should be a valid dictionary"),
        ([request("a") | {"line": 1}], "requests.0.line: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_body_refuses_the_whole_batch(
    client: MessagesClient, wanted: list[dict[str, Any]], message: str
) -> None:
    """400 at creation, and nothing is created."""
    answer = client.create(wanted)
    assert kind(answer) == (400, "invalid_request_error")
    assert answer.json()["error"]["message"] == message
    assert client.get(BATCHES).json() == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unexpected end of data"),
        (b'{"requests":[{"custom_id":"a"', "unexpected end of data"),
        (b"requests", "JSON is malformed: invalid character (byte 0)"),
        (b'{"requests":[{"custom_id":"a","params":{"x":"\xff"}}]}', "invalid UTF-8: invalid start byte"),
    ],
)
def test_a_body_that_is_not_json_is_refused(client: MessagesClient, body: bytes, reason: str) -> None:
    """400, with the API's message for a truncated body."""
    answer = client.post(BATCHES, content=body)
    assert kind(answer) == (400, "invalid_request_error")
    assert answer.json()["error"]["message"] == f"The request body is not valid JSON: {reason}"


def test_an_unknown_field_of_the_body_is_refused(client: MessagesClient) -> None:
    """The create call accepts only `requests`."""
    answer = client.post(BATCHES, json={"requests": [request("a")], "metadata": {}})
    assert answer.json()["error"]["message"] == "metadata: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": None}, "model: Field required"),
        ({"messages": None}, "messages: Field required"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"messages": []}, "messages: Input should have at least 1 items"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages.0.role: Invalid enum value 'robot'"),
        ({"stream": True}, "stream: Streaming is not supported for requests in a message batch"),
        ({"speed": "fast"}, "speed: This parameter is not supported for requests in a message batch"),
        ({"fallbacks": []}, "fallbacks: This parameter is not supported for requests in a message batch"),
        ({"body": 1}, "body: Extra inputs are not permitted"),
    ],
)
def test_wrong_params_are_an_error_in_the_results(client: MessagesClient, params: dict[str, Any], message: str) -> None:
    """The batch is accepted, other requests succeed, and the wrong one has an error."""
    results = client.results_by_id(client.run_batch([request("good"), request("bad", **params)]))
    assert results["good"]["type"] == "succeeded"
    assert results["bad"]["type"] == "errored"
    assert results["bad"]["error"]["type"] == "error"
    assert results["bad"]["error"]["error"] == {"type": "invalid_request_error", "message": message}


def test_the_newer_api_version_refuses_sampling(client: MessagesClient) -> None:
    """With `2026-10-21` a temperature is an error in the results, with `2023-06-01` it is not."""
    warm = [request("warm", temperature=1.0)]
    assert client.results_by_id(client.run_batch(warm))["warm"]["type"] == "succeeded"
    client.headers["anthropic-version"] = "2026-10-21"
    assert client.results_by_id(client.run_batch(warm))["warm"]["type"] == "errored"


def test_the_key_is_checked(client: MessagesClient) -> None:
    """401 without a key and with a wrong one; `x-api-key` and a bearer token are both accepted."""
    assert kind(client.get(BATCHES, headers={"x-api-key": "wrong"})) == (401, "authentication_error")
    del client.headers["x-api-key"]
    assert kind(client.get(BATCHES)) == (401, "authentication_error")
    assert client.get(BATCHES, headers={"authorization": f"Bearer {PROVIDER_KEY}"}).is_success


def test_the_version_is_required(client: MessagesClient) -> None:
    """400 for an unknown version, and for none."""
    assert kind(client.get(BATCHES, headers={"anthropic-version": "2020-01-01"})) == (400, "invalid_request_error")
    del client.headers["anthropic-version"]
    assert kind(client.get(BATCHES)) == (400, "invalid_request_error")


@pytest.mark.parametrize("known_length", [True, False])
def test_a_body_over_the_limit_gets_the_short_413(
    client: MessagesClient, provider: Control, *, known_length: bool
) -> None:
    """Without top-level `type` and request id, whether or not the length is known in advance."""
    provider.configure(max_body_bytes=100)
    answer = client.post(BATCHES, content=b"x" * 101 if known_length else iter([b"x" * 101]))
    assert answer.status_code == 413
    assert "request-id" not in answer.headers
    assert answer.json() == {
        "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"},
    }


def test_what_does_not_exist_is_404(client: MessagesClient, provider: Control) -> None:
    """Unknown batches and paths, and results before the end."""
    provider.configure(seconds=None)
    for path in (f"{BATCHES}/msgbatch_none", f"{BATCHES}/msgbatch_none/results", "/v1/elsewhere"):
        assert kind(client.get(path)) == (404, "not_found_error")
    assert kind(client.get(BATCHES, params={"after_id": "msgbatch_none"})) == (404, "not_found_error")
    running = client.create(1).json()["id"]
    assert kind(client.results(running)) == (404, "not_found_error")


def test_a_running_batch_is_not_deleted_and_an_ended_one_not_cancelled(
    client: MessagesClient, provider: Control
) -> None:
    """Both are 400 and change nothing."""
    provider.configure(seconds=None)
    batch_id = client.create(1).json()["id"]
    assert kind(client.delete(f"{BATCHES}/{batch_id}")) == (400, "invalid_request_error")
    provider.configure(seconds=0)
    assert kind(client.post(f"{BATCHES}/{batch_id}/cancel")) == (400, "invalid_request_error")


def test_pages_go_both_ways(client: MessagesClient) -> None:
    """`after_id` lists older batches, `before_id` the nearest newer ones; `has_more` is about the same direction."""
    ids = [client.create(1).json()["id"] for _ in range(5)][::-1]

    def page(**query: str | int) -> tuple[list[str], bool]:
        answer = client.get(BATCHES, params=query).json()
        ids_of_page = [batch["id"] for batch in answer["data"]]
        assert (answer["first_id"], answer["last_id"]) == (ids_of_page[0], ids_of_page[-1])
        return ids_of_page, answer["has_more"]

    assert page() == (ids, False)
    assert page(limit=2) == (ids[:2], True)
    assert page(limit=2, after_id=ids[1]) == (ids[2:4], True)
    assert page(limit=2, after_id=ids[2]) == (ids[3:], False)
    assert page(limit=2, before_id=ids[4]) == (ids[2:4], True)
    assert page(limit=2, before_id=ids[2]) == (ids[:2], False)


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_a_limit_out_of_bounds_is_refused(client: MessagesClient, limit: str) -> None:
    """It must be from 1 to 1000."""
    assert kind(client.get(BATCHES, params={"limit": limit})) == (400, "invalid_request_error")
