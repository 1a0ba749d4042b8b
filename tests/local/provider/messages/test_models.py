"""Models refuse what they do not support: at the end of the batch, as a line's error, in the vendor's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from local.provider.models.table import TABLE, Model, find_model, is_answered
from tests.support.provider_clients.messages import MessagesClient, request

if TYPE_CHECKING:
    from local.provider.control import Control

PRICES = Path(__file__).parents[4] / ".venv" / "prices" / "lib" / "python3.13" / "site-packages"
LITELLM = PRICES / "litellm" / "model_prices_and_context_window_backup.json"
NAMES = [name for model in TABLE.models for name in model.names]
USER, ASSISTANT = {"role": "user", "content": "?"}, {"role": "assistant", "content": "It is"}
TOOLS = [{"name": "save", "input_schema": {"type": "object"}}]
BUDGET = {"type": "enabled", "budget_tokens": 2048}
SAMPLING = "`temperature` is deprecated for this model."
PREFILL = "This model does not support assistant message prefill. The conversation must end with a user message."
FORCED = 'tool_choice: type "tool" and "any" are not supported for this model.'
DISABLED = '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive" and'
BETWEEN = 'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of'
ENABLED = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and'
TOO_SMALL = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
TOO_LONG = "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-opus-4-5-2"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("claude-opus-4-7", {"temperature": 0}, SAMPLING),
    ("claude-fable-5", {"temperature": 1}, SAMPLING),
    ("claude-haiku-5-5", {"top_p": 0.9}, "`top_p` is deprecated for this model."),
    ("claude-sonnet-5", {"top_k": 5}, "`top_k` is deprecated for this model."),
    ("claude-sonnet-4-6", {"messages": [USER, ASSISTANT]}, PREFILL),
    ("claude-sonnet-5-5", {"tools": TOOLS, "tool_choice": {"type": "any"}}, FORCED),
    ("claude-fable-5-1", {"tools": TOOLS, "tool_choice": {"type": "tool", "name": "save"}}, FORCED),
    ("claude-opus-5-5", {"thinking": {"type": "disabled"}}, DISABLED),
    ("claude-sonnet-5-5", {"thinking": {"type": "disabled"}}, BETWEEN),
    ("claude-opus-5", {"thinking": {"type": "between_tools"}}, '"thinking.type.between_tools" is not supported'),
    ("claude-opus-4-7", {"thinking": BUDGET, "max_tokens": 4096}, ENABLED),
    ("claude-haiku-4-5", {"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported on this model"),
    ("claude-haiku-4-5", {"thinking": {"type": "enabled", "budget_tokens": 1023}}, TOO_SMALL),
    ("claude-haiku-4-5", {"thinking": BUDGET, "max_tokens": 2048}, "`max_tokens` must be greater than `thinking.b"),
    ("claude-opus-4-5-20251101", {"max_tokens": 64_001}, TOO_LONG),
]
"""A model, params, and how the error begins."""
ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("claude-opus-4-6", {"temperature": 0, "top_k": 5}),
    ("claude-opus-4-8", {"temperature": 1, "top_p": 1}),
    ("claude-haiku-4-5", {"messages": [USER, ASSISTANT]}),
    ("claude-sonnet-5-5", {"messages": [USER, ASSISTANT, USER]}),
    ("claude-fable-5", {"tools": TOOLS, "tool_choice": {"type": "any"}}),
    ("claude-opus-5-5", {"tools": TOOLS, "tool_choice": {"type": "auto"}}),
    ("claude-haiku-5-5", {"thinking": {"type": "disabled"}}),
    ("claude-sonnet-5-5", {"thinking": {"type": "between_tools"}}),
    ("claude-sonnet-4-6", {"thinking": BUDGET, "max_tokens": 2049}),
    ("claude-sonnet-5", {"max_tokens": 128_000}),
    ("mistral-large", {"temperature": 0, "thinking": BUDGET, "messages": [USER, ASSISTANT]}),
]


def test_a_setting_that_the_model_refuses_is_a_lines_error(client: MessagesClient) -> None:
    """The batch is accepted, and its other requests are answered."""
    lines = [request(f"r-{number}", model=model, **params) for number, (model, params, _) in enumerate(REFUSED)]
    results = client.results_by_id(client.run_batch([request("good"), *lines]))
    assert results.pop("good")["type"] == "succeeded"
    errors = [results[line["custom_id"]]["error"]["error"] for line in lines]
    assert {error["type"] for error in errors} == {"invalid_request_error"}
    expected = [message for _, _, message in REFUSED]
    assert [error["message"][: len(start)] for error, start in zip(errors, expected, strict=True)] == expected


def test_the_same_settings_pass_where_the_model_supports_them(client: MessagesClient) -> None:
    """A model of another vendor is not checked."""
    lines = [request(f"r-{number}", model=model, **params) for number, (model, params) in enumerate(ACCEPTED)]
    results = client.results_by_id(client.run_batch(lines))
    assert {name: result for name, result in results.items() if result["type"] != "succeeded"} == {}


def test_a_misspelt_or_retired_model_is_not_found(client: MessagesClient) -> None:
    """In the results, too: the batch itself is accepted."""
    names = ("claude-sonet-5", "claude-3-opus-20240229", "claude-mythos-preview")
    results = client.results_by_id(client.run_batch([request(name, model=name) for name in names]))
    errors = {name: result["error"]["error"] for name, result in results.items()}
    assert errors == {name: {"type": "not_found_error", "message": f"model: {name}"} for name in names}


def test_a_model_retires_by_the_providers_clock(client: MessagesClient, provider: Control) -> None:
    """It is answered until the end of its last day."""
    last = datetime(2026, 11, 30, 23, 59, tzinfo=UTC).timestamp()
    provider.configure(now=last, seconds=0)
    assert client.run_one(model="claude-sonnet-4-5-20250929")["type"] == "succeeded"
    provider.configure(ahead_seconds=60)
    assert client.run_one(model="claude-sonnet-4-5-20250929")["error"]["error"]["type"] == "not_found_error"


def test_models_of_samples_and_tests_are_answered(client: MessagesClient) -> None:
    """Although the vendor does not sell them."""
    assert "claude-3-sonnet-20240229" in TABLE.answered
    results = client.results_by_id(client.run_batch([request(name, model=name) for name in TABLE.answered]))
    assert {result["type"] for result in results.values()} == {"succeeded"}


def test_the_table_lists_the_models_that_the_sdk_names() -> None:
    """Those and no others, under all their names."""
    from anthropic.types import ModelParam  # noqa: PLC0415 - it takes seconds

    (named,) = (args for args in map(get_args, get_args(ModelParam)) if args)
    assert {find_model(name) for name in named} == set(TABLE.models)
    assert set(NAMES) <= set(named)


def test_models_retire_when_the_sdk_says_so() -> None:
    """Its warning names the day."""
    from anthropic._data.deprecated_models import DEPRECATED_MODELS  # noqa: PLC0415 - it takes seconds

    for name, day in DEPRECATED_MODELS.items():
        text = day.replace("th,", "")
        model = find_model(name)
        assert model is not None
        assert model.retires == datetime.strptime(text, "%B %d %Y").replace(tzinfo=UTC).date()
        assert not is_answered(name, datetime(2027, 1, 1, tzinfo=UTC).date())


def test_the_sdk_warns_of_thinking_budgets_only_where_they_are_accepted() -> None:
    """It recommends adaptive thinking, which these models support as well."""
    from anthropic.resources.messages import messages  # noqa: PLC0415 - it takes seconds

    for name in messages.MODELS_TO_WARN_WITH_THINKING_ENABLED:
        model = find_model(name)
        assert model is not None
        assert model.thinking >= {"enabled", "adaptive"}


def test_the_sdk_knows_all_kinds_of_thinking() -> None:
    """The table names no other, and each is accepted by some model."""
    from anthropic.types import ThinkingConfigParam  # noqa: PLC0415 - it takes seconds

    kinds = {get_args(get_type_hints(config)["type"])[0] for config in get_args(ThinkingConfigParam)}
    assert kinds == set[str]().union(*(model.thinking for model in TABLE.models))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_litellm_says_the_same_of_a_model(name: str) -> None:
    """Of each model that it lists; none of the two newest."""
    row = json.loads(LITELLM.read_text()).get(name)
    model = find_model(name)
    assert model is not None
    assert (row is None) is (name in ("claude-fable-5-2", "claude-mythos-5-2"))
    assert row is None or _as_litellm(model) == {
        "max_output_tokens": row["max_output_tokens"],
        "supports_sampling_params": row.get("supports_sampling_params", True),
        "supports_assistant_prefill": row["supports_assistant_prefill"],
        "supports_forced_tool_use": row.get("supports_forced_tool_use", True),
        "supports_adaptive_thinking": row.get("supports_adaptive_thinking", False),
    }


def _as_litellm(model: Model) -> dict[str, Any]:
    return {
        "max_output_tokens": model.max_tokens,
        "supports_sampling_params": model.sampling == "any",
        "supports_assistant_prefill": model.prefill,
        "supports_forced_tool_use": model.forced_tools,
        "supports_adaptive_thinking": "adaptive" in model.thinking,
    }
