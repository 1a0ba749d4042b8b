"""Anthropic's SDK reads every kind of answer and error, and its types have all our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from tests.support.lazily import Lazily
from tests.support.provider_clients.messages import PROVIDER_KEY, request
from tests.support.provider_clients.sdk import wait_for_end
from tests.support.provider_clients.wishes import ask

if TYPE_CHECKING:
    import anthropic
    from anthropic import types
    from anthropic.types import Message
    from anthropic.types.messages import MessageBatchResult

    from local.provider.control import Control
else:
    anthropic, types = Lazily("anthropic"), Lazily("anthropic.types")

TOOLS = [{"name": "save", "input_schema": {"type": "object"}}]


@pytest.fixture
def sdk(provider: Control) -> anthropic.Anthropic:
    """Return the SDK with its defaults, but without retries."""
    return anthropic.Anthropic(base_url=provider.url, api_key=PROVIDER_KEY, max_retries=0)


def results_of(sdk: anthropic.Anthropic, *lines: dict[str, Any]) -> dict[str, MessageBatchResult]:
    """Run a batch of these lines; return its results by custom_id, once they agree with the SDK's types.

    The SDK itself lets an answer pass that does not.
    """
    headers = {"anthropic-version": "2023-06-01"}  # the newer version refuses sampling, whatever the model
    batch = sdk.messages.batches.create(requests=lines, extra_headers=headers)  # type: ignore[arg-type]  # plain ones
    wait_for_end(sdk, batch)
    answered = [line.to_json() for line in sdk.messages.batches.results(batch.id)]
    checked = [
        types.messages.MessageBatchIndividualResponse.model_validate_json(line, strict=True) for line in answered
    ]
    return {line.custom_id: line.result for line in checked}


def messages_of(sdk: anthropic.Anthropic, *lines: dict[str, Any]) -> dict[str, Message]:
    """Run a batch of these lines, all of which succeed; return the messages by custom_id."""
    results = results_of(sdk, *lines)
    return {name: result.message for name, result in results.items() if result.type == "succeeded"}


def test_the_sdk_reads_each_stop_reason(sdk: anthropic.Anthropic) -> None:
    """All that it has a type for."""
    reasons: tuple[str, ...] = get_args(types.StopReason)
    messages = messages_of(sdk, *(request(reason, messages=ask(outcome=f"succeeded:{reason}")) for reason in reasons))
    assert {name: message.stop_reason for name, message in messages.items()} == {reason: reason for reason in reasons}
    details = messages["refusal"].stop_details
    assert details is not None
    assert (details.type, messages["refusal"].content) == ("refusal", [])


def test_the_sdk_reads_why_answers_stop_by_themselves(sdk: anthropic.Anthropic) -> None:
    """Text, a tool, a stop sequence, and thinking that leaves no room for text."""
    messages = messages_of(
        sdk,
        request("cut", max_tokens=3),
        request("stopped", stop_sequences=["simulated"]),
        request("tool", model="claude-opus-5", tools=TOOLS, tool_choice={"type": "any"}),
        request("thought", thinking={"type": "adaptive"}, max_tokens=100),
        request("both", thinking={"type": "adaptive"}, max_tokens=1_000, messages=ask(answer_tokens=9)),
    )
    assert messages["cut"].stop_reason == "max_tokens"
    assert (messages["stopped"].stop_reason, messages["stopped"].stop_sequence) == ("stop_sequence", "simulated")
    (tool,) = messages["tool"].content
    assert isinstance(tool, types.ToolUseBlock)
    assert (messages["tool"].stop_reason, tool.name) == ("tool_use", "save")
    (thought,) = messages["thought"].content
    assert isinstance(thought, types.ThinkingBlock)
    assert (messages["thought"].stop_reason, messages["thought"].usage.output_tokens) == ("max_tokens", 100)
    assert [type(block) for block in messages["both"].content] == [
        types.ThinkingBlock,
        types.TextBlock,
    ]
    details = messages["both"].usage.output_tokens_details
    assert details is not None
    assert messages["both"].usage.output_tokens - details.thinking_tokens == 9


def test_the_sdk_reads_what_the_cache_saved(sdk: anthropic.Anthropic) -> None:
    """Tokens written, by how long they are kept, and tokens read."""
    system = [{"type": "text", "text": "Be brief. " * 50, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    messages = messages_of(sdk, request("first", system=system), request("second", system=system))
    first, second = messages["first"].usage, messages["second"].usage
    tokens = first.cache_creation_input_tokens
    assert tokens
    assert first.cache_creation == types.CacheCreation(ephemeral_1h_input_tokens=tokens, ephemeral_5m_input_tokens=0)
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, tokens)


def test_the_sdk_reads_why_a_model_refuses(sdk: anthropic.Anthropic) -> None:
    """Each as the error of its type, which no exception is raised for."""
    results = results_of(sdk, request("warm", temperature=0.5), request("gone", model="claude-3-opus-20240229"))
    errors = {name: result.error.error for name, result in results.items() if result.type == "errored"}
    warm, gone = errors["warm"], errors["gone"]
    assert isinstance(warm, types.InvalidRequestError)
    assert warm.message == "`temperature` is deprecated for this model."
    assert isinstance(gone, types.NotFoundError)
    assert gone.message == "model: claude-3-opus-20240229"
