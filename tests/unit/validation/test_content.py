"""Messages and system prompts that no model accepts are faults; what depends on the model passes."""

from typing import Any

import orjson
import pytest

from tests.support.drops import BODY
from tests.support.line_problems import REPORTS, faults_of, problems

MESSAGE_SHAPES = [
    ("Hi", "message-invalid"),
    (1, "message-invalid"),
    (None, "message-invalid"),
    (["user", "Hi"], "message-invalid"),
    ({}, "role-invalid"),
    ({"content": "Hi"}, "role-invalid"),
    ({"role": None, "content": "Hi"}, "role-invalid"),
    ({"role": 1, "content": "Hi"}, "role-invalid"),
    ({"role": "human", "content": "Hi"}, "role-invalid"),
    ({"role": "developer", "content": "Hi"}, "role-invalid"),
    ({"role": "Tool", "content": "Hi"}, "role-invalid"),
    ({"role": "user"}, "content-invalid"),
    ({"role": "user", "content": None}, "content-invalid"),
    ({"role": "user", "content": 5}, "content-invalid"),
    ({"role": "user", "content": {"type": "text"}}, "content-invalid"),
    ({"role": "user", "content": ""}, "content-empty"),
    ({"role": "user", "content": []}, "content-empty"),
    ({"role": "user", "content": " \n\u00a0"}, "content-empty"),
    ({"role": "user", "content": ["Hi"]}, "part-invalid"),
    ({"role": "user", "content": [None]}, "part-invalid"),
    ({"role": "user", "content": [{"text": "Hi"}]}, "part-invalid"),
    ({"role": "user", "content": [{}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": None}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": ["text"]}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "text"}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "text", "text": 5}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "text", "text": ""}]}, "content-empty"),
    ({"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": " "}]}, "content-empty"),
    ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "image"}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "document", "source": "AAAA"}]}, "part-invalid"),
    ({"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}, "part-invalid"),
    (
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}],
        },
        "part-invalid",
    ),
    (
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "data": "data:image/png;base64,AA"}}],
        },
        "part-invalid",
    ),
    (
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/jpg", "data": "AA"}}],
        },
        "part-invalid",
    ),
    ({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": "{}"}]}, "part-invalid"),
]


@pytest.mark.parametrize(("message", "code"), MESSAGE_SHAPES)
def test_a_message_of_a_shape_that_can_never_be_right_is_a_fault(message: Any, code: str) -> None:
    """Its place is named, also after valid messages and beside other fields."""
    good = {"role": "user", "content": "Hi"}
    for place, messages in enumerate(([message], [good, message, message])):
        assert {found for found, _ in problems(messages=messages)} >= {code}
        assert all(f'"params.messages[{place}]' in text for _, text in problems(messages=messages))
        assert problems(messages=messages) == problems(messages=messages, top_k=1, thinking={"type": "adaptive"})


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "Hi"},
        {"role": "assistant", "content": "Hi"},
        {"role": "assistant", "content": ""},
        {"role": "narrator", "content": "Hi"},
        {"role": "user", "content": "Hi", "anything": None},
        {"role": "user", "content": [{"type": "video", "x": 1}]},
        {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": None, "citations": None}]},
        {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]},
        {
            "role": "user",
            "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": ""}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]},
    ],
)
def test_what_depends_on_the_model_or_may_be_new_passes(message: dict[str, Any]) -> None:
    """A rule stricter than the provider's would refuse valid drops."""
    assert problems(messages=[{"role": "user", "content": "Hi"}, message]) == []


@pytest.mark.parametrize("role", ["human", "tool", "developer"])
def test_roles_of_other_apis_pass_at_a_gateway(role: str) -> None:
    """Lines for other APIs may have what the Messages API does not."""
    assert problems(BODY, messages=[{"role": role, "content": [{"type": "image_url"}]}]) == []


@pytest.mark.parametrize(
    "system", [5, {"type": "text", "text": "x"}, True, " \n", ["x"], [{"text": "x"}], [{"type": "text", "text": ""}]]
)
def test_a_system_prompt_that_can_never_be_right_is_a_fault(system: Any) -> None:
    """It must be a string or an array of parts."""
    assert len(problems(system=system)) == 1


@pytest.mark.parametrize("system", ["", "x", [], [{"type": "text", "text": "x"}]])
def test_other_system_prompts_pass(system: Any) -> None:
    """None is allowed, too."""
    assert problems(system=system) == []


LEFT_TO_THE_PROVIDER = {
    "first role assistant",
    "only assistant",
    "role system in messages",
    "unknown block type",
    "image bad base64",
    "image media_type bmp",
    "tool_use without tool_result",
    "tool_result without tool_use",
    "tool_result id unknown",
    "max_tokens 10^9",
    "temperature 5",
    "temperature 1.5",
    "temperature -1",
    "top_p 5",
    "top_k -1",
    "model misspelt",
    "model retired",
    "model of openai",
    "model with space",
    "model of bedrock",
    "model capital",
    "thinking budget >= max_tokens",
    "thinking budget < 1024",
    "thinking no budget",
    "thinking unknown type",
    "system null",
    "metadata extra key",
    "metadata user_id 600 chars",
    "stop_sequences whitespace",
    "service_tier batch",
    "tool no input_schema",
    "tool name with space",
    "tools duplicate names",
    "tool_choice without tools",
    "cache_control ttl 2h",
    "5 cache_control blocks",
    "output_config format bad",
    "trailing assistant whitespace",
}
"""Values that depend on the model, or on lists that grow: the provider says so itself."""


def test_the_reported_shapes_that_can_never_be_right_are_faults() -> None:
    """All other lines pass."""
    data = (REPORTS / "09-accepted-but-surely-refused.jsonl").read_bytes()
    refused = {fault.custom_id for fault in faults_of(data)}
    names = {orjson.loads(each)["custom_id"] for each in data.splitlines()}
    assert names - refused == LEFT_TO_THE_PROVIDER
