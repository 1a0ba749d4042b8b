"""Fields that never work in a batch are refused with advice; unknown fields pass."""

import sys
import tracemalloc
from collections import Counter

import pytest

from conveyor.validation.body_fields import KNOWN_FIELDS, intended_field, unknown_field_problems
from conveyor.validation.checker import check_drop
from tests.support.drops import BODY, CHAT, MESSAGES, PARAMS, RUN, settings
from tests.support.line_problems import REPORTS, codes, problems

FOREIGN = {
    "betas": ["x"],
    "anthropic-beta": "x",
    "anthropic_beta": ["x"],
    "anthropicBeta": "x",
    "anthropic_version": "x",
    "anthropic-version": "2023-06-01",
    "extra_headers": {},
    "extra_body": {},
    "extra_query": {},
    "extraHeaders": {},
    "timeout": 600,
    "max_retries": 2,
    "maxRetries": 2,
    "api_key": "k",
    "base_url": "u",
    "response_format": {"type": "json"},
    "max_completion_tokens": 5,
    "max_output_tokens": 5,
    "maxOutputTokens": 5,
    "max_tokens_to_sample": 5,
    "n": 1,
    "stop": ["a"],
    "stream_options": {},
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": True,
    "seed": 1,
    "user": "u",
    "functions": [],
    "function_call": "auto",
    "parallel_tool_calls": False,
    "reasoning_effort": "low",
    "prompt": "p",
    "input": "p",
    "instructions": "i",
    "system_prompt": "s",
    "systemPrompt": "s",
    "budget_tokens": 2000,
}


@pytest.mark.parametrize("name", FOREIGN)
def test_fields_of_sdks_and_other_apis_are_refused_with_what_to_do_instead(name: str) -> None:
    """Every line of such a drop would fail hours later. In lines for other APIs the field passes."""
    ((code, message),) = problems(**{name: FOREIGN[name]})
    assert (code, f'"params.{name}": ' in message) == ("field-foreign", True)
    assert problems(PARAMS, **{name: FOREIGN[name]}) == [(code, message)]
    assert problems(CHAT, **{name: FOREIGN[name]}) == problems(BODY, **{name: FOREIGN[name]}) == []


def test_betas_in_params_are_refused_with_where_they_belong() -> None:
    """They belong in the drop's metadata, or in the stack's parameter."""
    for name in ("betas", "anthropic-beta", "anthropic_beta", "extra_headers"):
        ((_, message),) = problems(**{name: ["x"]})
        assert "--metadata betas=" in message
        assert "Betas" in message


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("max_token", "max_tokens"),
        ("maxTokens", "max_tokens"),
        ("max-tokens", "max_tokens"),
        ("MAX_TOKENS", "max_tokens"),
        ("max_tokes", "max_tokens"),
        ("sytem", "system"),
        ("sysetm", "system"),
        ("tolos", "tools"),
        ("System", "system"),
        ("systme", "system"),
        ("temprature", "temperature"),
        ("temperatur", "temperature"),
        ("topP", "top_p"),
        ("topk", "top_k"),
        ("stop_sequence", "stop_sequences"),
        ("stopSequences", "stop_sequences"),
        ("metdata", "metadata"),
        ("message", "messages"),
        ("mesages", "messages"),
        ("thinkng", "thinking"),
        ("tool_choise", "tool_choice"),
        ("toolChoice", "tool_choice"),
        ("output-config", "output_config"),
        ("context_managment", "context_management"),
        ("mcp_server", "mcp_servers"),
        ("tool", "tools"),
        ("service-tier", "service_tier"),
    ],
)
def test_a_misspelled_field_is_reported_with_the_right_name(name: str, right: str) -> None:
    """Otherwise every line would be refused, or the field would have no effect."""
    assert problems(**{name: 5}) == [("field-misspelt", f'unknown field "params.{name}"; did you mean "{right}"?')]


def test_a_misspelled_model_is_reported_if_the_model_is_missing() -> None:
    """If there is a model, "mode" may be another field."""
    assert codes(model=None, modle="m") == ["model-invalid", "field-misspelt"]
    assert codes(mode="x") == []


@pytest.mark.parametrize(
    "name",
    [
        "store",
        "cache_hint",
        "context_hint",
        "thread_id",
        "message_id",
        "model_id",
        "new_field",
        "spend",
        "threat",
        "tread",
        "steam",
        "contained",
        "container_id",
        "workspace",
        "thinking_config",
        "min_p",
        "sampling",
        "plan",
        "x",
        "",
        "x" * 5000,
        "Summarise this",
    ],
)
def test_a_field_that_is_new_passes(name: str) -> None:
    """The API gets new fields that our list does not have."""
    assert problems(**{name: [1]}) == []


def test_every_known_field_passes() -> None:
    """None is taken for a misspelling of another."""
    assert not [name for name in KNOWN_FIELDS if intended_field(name, {}) != name]


def test_a_name_that_may_be_text_is_not_quoted() -> None:
    """Messages must never quote a prompt."""
    ((_, message),) = problems(**{"max tokens": 5})
    assert message == 'unknown field; did you mean "max_tokens"?'


def test_a_name_of_millions_of_characters_is_not_compared() -> None:
    """The comparison once took forty times its size, only to find an unknown field."""
    name = "aB-" * 300_000
    tracemalloc.start()
    problems_found = [*unknown_field_problems({name: 5})]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problems_found == []
    assert most < len(name)


@pytest.mark.slow
def test_a_line_of_a_million_fields_is_checked_quickly() -> None:
    """Only the first unknown fields are compared."""
    params = {f"field {number}": 1 for number in range(200_000)}
    assert problems(**params) == []


def test_a_field_of_all_lines_is_compared_with_the_known_ones_once() -> None:
    """A million lines may have a field that is newer than this code."""
    calls = Counter[int]()
    for line in (1, 2):
        sys.setprofile(lambda _frame, event, _arg, line=line: calls.update([line] * (event == "call")))  # type: ignore[misc]
        assert problems(newer_than_this_code=1) == []
        sys.setprofile(None)
    assert calls[2] < calls[1] / 2


def test_the_reported_sdk_arguments_are_refused() -> None:
    """They are refused before anything is sent."""
    checker = check_drop(RUN, settings(), MESSAGES, lambda: [(REPORTS / "sdk-arguments.jsonl").read_bytes()])
    assert [(fault.line, fault.code) for fault in checker.faults] == [
        (1, "field-foreign"),
        (2, "field-foreign"),
        (2, "field-foreign"),
    ]
