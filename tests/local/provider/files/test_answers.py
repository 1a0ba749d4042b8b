"""Answers in the words of the file batch API; OpenAI's SDK reads the chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.provider.files.chat import CHAT
from tests.support.lazily import Lazily
from tests.support.provider_clients.files import body_line
from tests.support.provider_clients.messages import request
from tests.support.provider_clients.wishes import ask

if TYPE_CHECKING:
    from openai.types import chat

    from local.provider.control import Control
    from tests.support.provider_clients.files import FilesClient
else:
    chat = Lazily("openai.types.chat")

TOOLS = [{"type": "function", "function": {"name": "save", "parameters": {}}}]


def chat_line(custom_id: str, **params: Any) -> dict[str, Any]:
    """Return a line for chat completions."""
    return body_line(custom_id, url=CHAT, **({"model": "gpt-x", "max_tokens": None} | params))


def completions(files: FilesClient, *lines: dict[str, Any]) -> dict[str, chat.ChatCompletion]:
    """Run a batch of chat completions, all of which succeed; return what the SDK makes of them."""
    output, errors = files.result_lines(files.run_batch(list(lines), endpoint=CHAT))
    assert errors == {}
    bodies = {name: line["response"]["body"] for name, line in output.items()}
    return {name: chat.ChatCompletion.model_validate(body, strict=True) for name, body in bodies.items()}


def test_a_finish_reason_says_why_a_completion_ends(files: FilesClient) -> None:
    """By a limit in either name, a stop sequence, a tool, a filter; or by itself."""
    found = completions(
        files,
        chat_line("plain"),
        chat_line("cut", max_tokens=2),
        chat_line("newer", max_completion_tokens=2),
        chat_line("stopped", stop=["simulated"]),
        chat_line("one", stop="simulated"),
        chat_line("tool", tools=TOOLS, tool_choice="required"),
        chat_line("refused", messages=ask(outcome="succeeded:refusal")),
    )
    choices = {name: completion.choices[0] for name, completion in found.items()}
    assert {name: choice.finish_reason for name, choice in choices.items()} == {
        "plain": "stop",
        "cut": "length",
        "newer": "length",
        "stopped": "stop",
        "one": "stop",
        "tool": "tool_calls",
        "refused": "content_filter",
    }
    assert choices["stopped"].message.content == choices["one"].message.content == "This is gpt-x, "
    (call,) = choices["tool"].message.tool_calls or []
    assert isinstance(call, chat.ChatCompletionMessageFunctionToolCall)
    assert (call.function.name, choices["tool"].message.content) == ("save", None)


def test_reasoning_eats_the_limit(files: FilesClient) -> None:
    """It is a part of the completion's tokens; without room, there is no text."""
    found = completions(
        files,
        chat_line("short", reasoning_effort="high", max_completion_tokens=100),
        chat_line("long", reasoning_effort="high", messages=ask(answer_tokens=30)),
        chat_line("none", reasoning_effort="none", messages=ask(answer_tokens=30)),
    )
    assert (found["short"].choices[0].finish_reason, found["short"].choices[0].message.content) == ("length", "")
    tokens = {}
    for name, completion in found.items():
        usage = completion.usage
        assert usage is not None
        assert usage.completion_tokens_details is not None
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        tokens[name] = (usage.completion_tokens, usage.completion_tokens_details.reasoning_tokens)
    assert tokens == {"short": (100, 100), "long": (542, 512), "none": (30, 0)}


def test_a_completions_prompt_includes_what_was_cached(files: FilesClient, provider: Control) -> None:
    """Other than in the Message Batches API, which counts it apart."""
    provider.configure(usage={"input_tokens": 10, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 3_000})
    usage = completions(files, chat_line("r-1"))["r-1"].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (3_210, 200)


def test_models_refuse_in_the_words_of_each_form(files: FilesClient, provider: Control) -> None:
    """At the end, in the error file: with a status, or as an error alone."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("warm", {"temperature": 0}),
        ("gone", {"model": "claude-3-opus-20240229"}),
    ]
    lines = [request("good"), *(request(name, **params) for name, params in wrong)]
    output, errors = files.result_lines(files.run_batch(lines))
    assert list(output) == ["good"]
    assert {name: line["error"] for name, line in errors.items()} == {
        "warm": {"code": "invalid_request_error", "message": "`temperature` is deprecated for this model."},
        "gone": {"code": "not_found_error", "message": "model: claude-3-opus-20240229"},
    }
    provider.configure(result_form="status")
    output, errors = files.result_lines(files.run_batch(lines))
    statuses = {name: line["response"]["status_code"] for name, line in errors.items()}
    assert (list(output), statuses) == (["good"], {"warm": 400, "gone": 404})


def test_a_message_caches_its_prompt_in_either_api(files: FilesClient) -> None:
    """The usage is that of the message."""
    system = [{"type": "text", "text": "Be brief. " * 50, "cache_control": {"type": "ephemeral"}}]
    output, _ = files.result_lines(files.run_batch([request("a", system=system), request("b", system=system)]))
    first, second = (output[name]["response"]["usage"] for name in "ab")
    assert first["cache_creation"]["ephemeral_5m_input_tokens"] == second["cache_read_input_tokens"] > 0
