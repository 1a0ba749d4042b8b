"""Beta features: unknown names are refused, and fields that need a beta are an error without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider_clients.messages import BATCHES, MessagesClient, request

LONG = "output-300k-2026-03-24"


def error_message(client: MessagesClient, betas: str, **params: Any) -> str:
    """Send one request; return the message of its error, or an empty string."""
    headers = {"anthropic-beta": betas} if betas else {}
    batch = client.post(BATCHES, json={"requests": [request("r-1", **params)]}, headers=headers).raise_for_status()
    client.wait(batch.json()["id"])
    result = client.results_by_id(batch.json()["id"])["r-1"]
    return result["error"]["error"]["message"] if result["type"] == "errored" else ""


@pytest.mark.parametrize(
    ("params", "beta", "message"),
    [
        ({"mcp_servers": [{}]}, "mcp-client-2025-11-20", "mcp_servers: Extra inputs are not permitted"),
        ({"context_management": {}}, "context-management-2025-06-27", "context_management: Extra inputs"),
        ({"compaction": {}}, "compact-2026-09-04", "compaction: Extra inputs"),
        ({"output_config": {"task_budget": {}}}, "task-budgets-2026-03-13", "output_config.task_budget: Extra"),
        ({"thinking": {"block_binding": {}}}, "thinking-binding-controls-2026-08-01", "thinking.block_binding: Extra"),
        ({"tools": [{}, {"type": "advisor_20260301"}]}, "advisor-tool-2026-03-01", "tools.1: Input tag"),
        ({"tools": [{"type": "computer_20250124"}]}, "computer-use-2025-01-24", "tools.0: Input tag"),
        ({"model": "claude-opus-5-5", "max_tokens": 128_001}, LONG, "max_tokens: 128001 > 128000, which is the max"),
        ({"model": "claude-sonnet-4-6", "max_tokens": 300_000}, LONG, "max_tokens: 300000 > 128000"),
    ],
)
def test_what_needs_a_beta_is_an_error_without_it(
    client: MessagesClient, params: dict[str, Any], beta: str, message: str
) -> None:
    """In the results, since params are checked last."""
    assert error_message(client, "", **params).startswith(message)
    assert error_message(client, f"message-batches-2024-09-24, {beta}", **params) == ""


@pytest.mark.parametrize(
    ("model", "tokens", "most"),
    [
        ("claude-opus-5-5", 300_001, 300_000),
        ("claude-haiku-5-5", 300_000, 128_000),
        ("claude-haiku-4-5-20251001", 64_001, 64_000),
    ],
)
def test_longer_outputs_are_for_some_models_and_have_a_limit(
    client: MessagesClient, model: str, tokens: int, most: int
) -> None:
    """Other models keep their own limit."""
    assert f"{tokens} > {most}" in error_message(client, LONG, model=model, max_tokens=tokens)


@pytest.mark.parametrize("given", ["a-1", f"{LONG},a-1", f"a-1 , {LONG}"])
def test_an_unknown_beta_refuses_the_call_and_creates_nothing(client: MessagesClient, given: str) -> None:
    """At creation, with the API's message."""
    answer = client.post(BATCHES, json={"requests": [request("r-1")]}, headers={"anthropic-beta": given})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["message"].startswith("Unexpected value(s) `a-1` for the `anthropic-beta` header.")
    assert client.get(BATCHES, headers={"anthropic-beta": given}).status_code == 400
    assert client.get(BATCHES).json()["data"] == []


def test_several_headers_mean_the_same_as_one(client: MessagesClient) -> None:
    """With names separated by commas."""
    headers = [("anthropic-beta", LONG), ("anthropic-beta", "mcp-client-2025-11-20")]
    wanted = [request("r-1", model="claude-opus-5", max_tokens=200_000, mcp_servers=[])]
    batch = client.post(BATCHES, json={"requests": wanted}, headers=headers).raise_for_status().json()
    client.wait(batch["id"])
    assert client.results_by_id(batch["id"])["r-1"]["type"] == "succeeded"
