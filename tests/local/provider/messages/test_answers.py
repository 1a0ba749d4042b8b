"""Answers: why they stop, what thinking costs them, and what a prompt asks of its own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider_clients.messages import MessagesClient, request
from tests.support.provider_clients.wishes import ask

if TYPE_CHECKING:
    from local.provider.control import Control

TOOLS = [{"name": "search", "input_schema": {}}, {"name": "save", "input_schema": {}}]


def message_of(client: MessagesClient, **params: Any) -> dict[str, Any]:
    """Send one request; return the message that answers it."""
    message: dict[str, Any] = client.run_one(**params)["message"]
    return message


def test_an_answer_stops_before_a_stop_sequence(client: MessagesClient) -> None:
    """The first one in the text, which is named and left out; an answer without one ends by itself."""
    message = message_of(client, stop_sequences=["asked", ", simulated", "never"])
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", ", simulated")
    assert message["content"] == [{"type": "text", "text": "This is claude-haiku-5-5"}]
    assert message["usage"]["output_tokens"] == 6
    assert message_of(client, stop_sequences=["never"])["stop_reason"] == "end_turn"


def test_max_tokens_can_come_before_a_stop_sequence(client: MessagesClient) -> None:
    """Then nothing of the sequence is told."""
    message = message_of(client, stop_sequences=["asked"], max_tokens=2)
    assert (message["stop_reason"], message["stop_sequence"]) == ("max_tokens", None)


@pytest.mark.parametrize(
    ("choice", "name"),
    [({"type": "any"}, "search"), ({"type": "tool", "name": "save"}, "save"), ({"type": "auto"}, "")],
)
def test_a_forced_tool_is_used(client: MessagesClient, choice: dict[str, Any], name: str) -> None:
    """The one that is named, or the first; with `auto` the model answers by text."""
    message = message_of(client, tools=TOOLS, tool_choice=choice)
    assert message["stop_reason"] == ("tool_use" if name else "end_turn")
    assert [block.get("name", "") for block in message["content"]] == [name]


def test_a_line_says_how_it_ends(client: MessagesClient) -> None:
    """At whichever position it is sent; settings by position come first."""
    client_error = {"outcome": "errored:overloaded_error", "message": "Overloaded today"}
    lines = [
        request("plain"),
        request("refused", messages=ask(outcome="succeeded:refusal")),
        request("tool", messages=ask(outcome="succeeded:tool_use"), tools=TOOLS),
        request("failed", messages=ask(**client_error)),
        request("late", messages=ask(outcome="expired")),
    ]
    for order in (lines, lines[::-1]):
        results = client.results_by_id(client.run_batch(order))
        assert results["refused"]["message"]["stop_reason"] == "refusal"
        assert results["tool"]["message"]["stop_reason"] == "tool_use"
        assert results["failed"]["error"]["error"] == {"type": "overloaded_error", "message": "Overloaded today"}
        assert (results["plain"]["type"], results["late"]["type"]) == ("succeeded", "expired")


def test_settings_come_before_what_a_line_says(client: MessagesClient, provider: Control) -> None:
    """So a test can still break any position."""
    provider.configure(outcomes={"1": "canceled"})
    assert client.run_one(messages=ask(outcome="succeeded:refusal"))["type"] == "canceled"


def test_lines_have_the_lengths_they_ask_for(client: MessagesClient) -> None:
    """So the spread of a batch is known; the wish itself is not quoted."""
    lengths = [1, 10, 400, 25]
    lines = [request(f"r-{number}", messages=ask("Why?", answer_tokens=number), max_tokens=500) for number in lengths]
    results = client.results_by_id(client.run_batch(lines))
    for number in lengths:
        message = results[f"r-{number}"]["message"]
        assert message["usage"]["output_tokens"] == number
        assert len(message["content"][0]["text"]) == 4 * number
        assert "simulate>" not in message["content"][0]["text"]


def test_a_line_can_name_its_usage(client: MessagesClient, provider: Control) -> None:
    """Field by field, after that of the settings."""
    provider.configure(usage={"input_tokens": 5, "output_tokens": 6})
    usage = message_of(client, messages=ask(usage={"output_tokens": 7_000}))["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["service_tier"]) == (5, 7_000, "batch")


def test_a_wish_that_cannot_be_read_is_a_lines_error(client: MessagesClient) -> None:
    """It names the field."""
    error = client.run_one(messages=ask(answer_chars=3))["error"]["error"]
    assert error["type"] == "invalid_request_error"
    assert "answer_chars" in error["message"]


@pytest.mark.parametrize(
    ("model", "thinking", "tokens"),
    [
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 2000}, 1000),
        ("claude-opus-5-5", {"type": "adaptive"}, 512),
        ("claude-haiku-5-5", {"type": "disabled"}, 0),
        ("claude-haiku-5-5", None, 0),
    ],
)
def test_thinking_that_is_asked_for_is_an_output(
    client: MessagesClient, model: str, thinking: dict[str, Any] | None, tokens: int
) -> None:
    """Its text is left out, its tokens are counted on top of those of the answer."""
    message = message_of(client, model=model, thinking=thinking, max_tokens=4096, messages=ask(answer_tokens=20))
    assert message["usage"]["output_tokens"] == tokens + 20
    assert message["usage"]["output_tokens_details"] == {"thinking_tokens": tokens}
    assert [block["type"] for block in message["content"]] == (["thinking"] if tokens else []) + ["text"]


def test_thinking_eats_max_tokens(client: MessagesClient) -> None:
    """First it shortens the text, then there is none; all of it is paid for."""
    cases = [(90, ["thinking", "text"]), (100, ["thinking"]), (5_000, ["thinking"])]
    for tokens, blocks in cases:
        message = message_of(client, messages=ask(answer_tokens=20, thinking_tokens=tokens), max_tokens=100)
        assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 100)
        assert [block["type"] for block in message["content"]] == blocks


def test_newer_models_can_think_unasked(client: MessagesClient, provider: Control) -> None:
    """With `thinking_tokens`: those that think by default, unless the request turns it off."""
    provider.configure(thinking_tokens=1_000)
    usual = {"max_tokens": 64}
    lines = [
        request("default", **usual),
        request("off", thinking={"type": "disabled"}, **usual),
        request("older", model="claude-opus-4-8", **usual),
        request("between", model="claude-sonnet-5-5", thinking={"type": "between_tools"}, **usual),
        request("asked", model="claude-opus-4-8", thinking={"type": "adaptive"}, **usual),
    ]
    results = client.results_by_id(client.run_batch(lines))
    reasons = {name: result["message"]["stop_reason"] for name, result in results.items()}
    thought = {"default": "max_tokens", "asked": "max_tokens"}
    assert reasons == thought | dict.fromkeys(("off", "older", "between"), "end_turn")


def test_ids_can_depend_on_the_params_only(client: MessagesClient, provider: Control) -> None:
    """Then two runs of the same lines have the same answers, byte for byte, whatever the requests are called."""
    lines = [request("one", messages=ask()), request("two", messages=ask())]
    results = client.results_by_id(client.run_batch(lines))
    assert results["one"] != results["two"]
    provider.configure(ids_of_params=True)
    results = client.results_by_id(client.run_batch(lines))
    assert results["one"] == results["two"]
