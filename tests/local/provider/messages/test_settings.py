"""The settings of the provider: outcomes, times, limits, its clock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.provider_clients.messages import BATCHES, MessagesClient, request

if TYPE_CHECKING:
    from local.provider.control import Control


def test_the_same_request_always_gets_the_same_answer(client: MessagesClient) -> None:
    """Text, usage and id of a message depend only on the request; the text quotes the last user message."""
    first, second = (client.results_by_id(client.run_batch(3)) for _ in range(2))
    assert first == second
    message = first["r-2"]["message"]
    assert message["content"][0]["text"].endswith("You asked: “What is r-2?”")
    assert message["usage"]["input_tokens"] > 0
    assert len({result["message"]["id"] for result in first.values()}) == 3


def test_an_answer_keeps_to_max_tokens(client: MessagesClient) -> None:
    """A longer answer is cut with the stop reason `max_tokens`."""
    message = client.results_by_id(client.run_batch([request("short", max_tokens=2)]))["short"]["message"]
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 2)
    assert len(message["content"][0]["text"]) == 8


@pytest.mark.parametrize(
    ("stop_reason", "expected"), [("null", None), ("a_reason_of_next_year", "a_reason_of_next_year"), ("", "end_turn")]
)
def test_an_answer_ends_for_any_reason(
    client: MessagesClient, provider: Control, stop_reason: str, expected: str | None
) -> None:
    """Also for one that the API does not document, or JSON's null."""
    provider.configure(outcomes={"1": f"succeeded:{stop_reason}".removesuffix(":")})
    assert client.results_by_id(client.run_batch(1))["r-1"]["message"]["stop_reason"] == expected


def test_outcomes_are_set_by_position_and_by_rule(client: MessagesClient, provider: Control) -> None:
    """A position overrides a rule; a missing result counts as succeeded, but has no line."""
    outcomes = {"1": "errored:invalid_request_error", "2": "missing", "4": "succeeded:refusal"}
    provider.configure(outcomes=outcomes, every={"2": "expired"})
    batch_id = client.run_batch(6)
    results = client.results_by_id(batch_id)
    assert {custom_id: result["type"] for custom_id, result in sorted(results.items())} == {
        "r-1": "errored",
        "r-3": "succeeded",
        "r-4": "succeeded",
        "r-5": "succeeded",
        "r-6": "expired",
    }
    assert results["r-4"]["message"]["stop_reason"] == "refusal"
    assert client.wait(batch_id)["request_counts"] == {
        "processing": 0,
        "succeeded": 4,
        "errored": 1,
        "canceled": 0,
        "expired": 1,
    }


@pytest.mark.parametrize(
    "kind",
    [
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "rate_limit_error",
        "timeout_error",
        "api_error",
        "overloaded_error",
    ],
)
def test_a_line_can_carry_each_kind_of_error(client: MessagesClient, provider: Control, kind: str) -> None:
    """The type is in the inner error object, beside a message."""
    provider.configure(outcomes={"1": f"errored:{kind}"})
    error = client.results_by_id(client.run_batch(1))["r-1"]["error"]
    assert error["error"]["type"] == kind
    assert error["error"]["message"]


def test_answers_can_be_long(client: MessagesClient, provider: Control) -> None:
    """`answer_chars` sets the minimum length."""
    provider.configure(answer_chars=3000)
    message = client.results_by_id(client.run_batch([request("long", max_tokens=4096)]))["long"]["message"]
    assert len(message["content"][0]["text"]) == 3000


def test_the_queue_has_a_limit(client: MessagesClient, provider: Control) -> None:
    """A batch that does not fit is 429 until another has ended."""
    provider.configure(queue_limit=5, seconds=None)
    client.create(3)
    refused = client.create(3)
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    provider.configure(seconds=0)
    assert client.create(3).is_success


def test_a_batch_can_be_ended(client: MessagesClient, provider: Control) -> None:
    """With `seconds: null` it does not end; a later value applies to running batches too."""
    provider.configure(seconds=None)
    batch_id = client.create(1).json()["id"]
    provider.configure(seconds=0)
    assert client.get(f"{BATCHES}/{batch_id}").json()["processing_status"] == "ended"


def test_a_batch_can_be_held_back_by_its_number(client: MessagesClient, provider: Control) -> None:
    """`batch_seconds` is about the n-th batch created, and a later value applies to running batches too."""
    provider.configure(seconds=0, batch_seconds={"1": None, "3": 100}, now=1_800_000_000.0)
    ids = [client.create(1).json()["id"] for _ in range(3)]

    def ended() -> list[bool]:
        return [client.get(f"{BATCHES}/{each}").json()["processing_status"] == "ended" for each in ids]

    assert ended() == [False, True, False]
    provider.configure(ahead_seconds=100)
    assert ended() == [False, True, True]
    provider.configure(batch_seconds={"1": 101})
    assert ended() == [False, True, True]
    provider.configure(batch_seconds={})
    assert ended() == [True, True, True]


def test_a_batch_can_be_given_its_id(client: MessagesClient, provider: Control) -> None:
    """`batch_ids` is about the n-th batch created: a kept run names the id that its batch had."""
    provider.configure(batch_ids={"2": "msgbatch_kept"})
    first, second = (client.create(1).json()["id"] for _ in range(2))
    assert (first == "msgbatch_kept", second) == (False, "msgbatch_kept")
    assert client.get(f"{BATCHES}/{second}").json()["id"] == second


def test_a_cancel_can_last_for_ever(client: MessagesClient, provider: Control) -> None:
    """`canceling_seconds: null` never ends; a second cancel changes nothing."""
    provider.configure(seconds=None, canceling_seconds=None, now=1_000.0)
    batch_id = client.create(1).json()["id"]
    first = client.post(f"{BATCHES}/{batch_id}/cancel").json()
    provider.configure(ahead_seconds=80_000)
    again = client.post(f"{BATCHES}/{batch_id}/cancel").json()
    assert again["processing_status"] == "canceling"
    assert again["cancel_initiated_at"] == first["cancel_initiated_at"]


def test_the_clock_can_be_set(client: MessagesClient, provider: Control) -> None:
    """A day later, a running batch has expired with the results of the requests that were done."""
    provider.configure(seconds=None, now=1_800_000_000.5)
    batch_id = client.create(4).json()["id"]
    provider.configure(ahead_seconds=86_400)
    batch = client.get(f"{BATCHES}/{batch_id}").json()
    assert batch["created_at"] == "2027-01-15T08:00:00.500000Z"
    assert batch["ended_at"] == batch["expires_at"] == "2027-01-16T08:00:00.500000Z"
    assert batch["request_counts"] == {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0, "expired": 2}


def test_a_batch_can_outlive_its_expiry(client: MessagesClient, provider: Control) -> None:
    """With `expire: false` it continues until it is cancelled."""
    provider.configure(seconds=None, expire=False)
    batch_id = client.create(1).json()["id"]
    provider.configure(ahead_seconds=100_000)
    assert client.get(f"{BATCHES}/{batch_id}").json()["processing_status"] == "in_progress"


def test_results_are_deleted_after_their_retention(client: MessagesClient, provider: Control) -> None:
    """29 days after creation the batch is still listed, archived, and its results are 404."""
    batch_id = client.run_batch(1)
    provider.configure(ahead_seconds=29 * 86_400)
    batch = client.get(BATCHES).json()["data"][0]
    assert (batch["archived_at"] is not None, batch["results_url"]) == (True, None)
    assert client.results(batch_id).status_code == 404


def test_results_url_can_point_elsewhere(client: MessagesClient, provider: Control) -> None:
    """So that a test can check that a client sends its key to no other host."""
    provider.configure(results_origin="https://elsewhere.example")
    batch_id = client.run_batch(1)
    url = client.get(f"{BATCHES}/{batch_id}").json()["results_url"]
    assert url == f"https://elsewhere.example{BATCHES}/{batch_id}/results"


def test_wrong_settings_are_refused_by_name(provider: Control) -> None:
    """Nothing changes, and the answer names the field."""
    for changes, place in (({"sconds": 1}, "sconds"), ({"outcomes": {"1": "gone"}}, "outcomes")):
        with pytest.raises(ValueError, match=place):
            provider.configure(**changes)
    with pytest.raises(ValueError, match="Invalid value 'explode'"):
        provider.fail("create", {"kind": "explode"})


def test_statistics_show_what_happened(client: MessagesClient, provider: Control) -> None:
    """Calls by name, batches with their size and first request; a reset deletes them."""
    batch_id = client.create(2).json()["id"]
    client.create([])
    client.get(BATCHES)
    stats = provider.stats()
    assert stats["calls"] == {"create": 2, "retrieve": 0, "list": 1, "results": 0, "cancel": 0, "delete": 0}
    assert stats["created"] == 1
    (batch,) = stats["batches"]
    assert (batch["id"], batch["requests"], batch["first_custom_id"]) == (batch_id, 2, "r-1")
    provider.reset()
    assert (provider.stats()["created"], provider.stats()["batches"]) == (0, [])


def test_a_batch_of_the_maximum_size_is_accepted(client: MessagesClient) -> None:
    """100,000 requests have one result each; a batch with one more is refused."""
    params = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"?"}]}'
    items = [b'{"custom_id":"%d","params":%s}' % (number, params) for number in range(100_001)]
    body = b'{"requests":[%s]}'
    refused = client.post(BATCHES, content=body % b",".join(items), timeout=60)
    limit = "requests: List should have at most 100000 items after validation, not 100001"
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, limit)
    created = client.post(BATCHES, content=body % b",".join(items[1:]), timeout=60)
    client.wait(created.json()["id"])
    lines = client.results(created.json()["id"]).content.splitlines()
    assert len({json.loads(line)["custom_id"] for line in lines}) == len(lines) == 100_000
