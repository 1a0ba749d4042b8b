"""Params that never work in a batch are refused at once, with what to do instead; what depends on the model passes."""

import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.jsonl.lines import Line, read_lines
from conveyor.validation.body_fields import KNOWN_FIELDS, intended_field, unknown_field_problems
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import BODY, CHAT, MESSAGES, PARAMS, RUN, line, settings

REPORTS = Path(__file__).parents[2] / "data" / "reports"


def told(dialect: Dialect = MESSAGES, /, **changes: Any) -> list[tuple[str, str]]:
    """Return code and message of each fault of a line with such params."""
    raw = line("a", **changes)
    found = read_request(Line(1, 0, len(raw), raw), Rules(dialect, 16))
    return [] if isinstance(found, Request) else [(fault.code, fault.message) for fault in found]


def codes(**changes: Any) -> list[str]:
    """Return the codes only."""
    return [code for code, _ in told(**changes)]


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
def test_what_sdks_and_other_apis_have_is_refused_with_what_to_do_instead(name: str) -> None:
    """Every line of such a drop would fail hours later. In the provider's own lines of other APIs it passes."""
    ((code, message),) = told(**{name: FOREIGN[name]})
    assert (code, f'"params.{name}": ' in message) == ("field-foreign", True)
    assert told(PARAMS, **{name: FOREIGN[name]}) == [(code, message)]
    assert told(CHAT, **{name: FOREIGN[name]}) == told(BODY, **{name: FOREIGN[name]}) == []


def test_betas_are_told_where_they_belong() -> None:
    """By the drop's metadata, or by the stack's parameter."""
    for name in ("betas", "anthropic-beta", "anthropic_beta", "extra_headers"):
        ((_, message),) = told(**{name: ["x"]})
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
def test_a_field_that_is_nearly_a_known_one_names_it(name: str, right: str) -> None:
    """It would be refused for every line, or the answer would lack what it says."""
    assert told(**{name: 5}) == [("field-misspelt", f'unknown field "params.{name}"; did you mean "{right}"?')]


def test_a_model_that_is_misspelt_is_named_where_it_is_missing() -> None:
    """Beside a model "mode" may be a field of its own."""
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
    """The API gets fields that no list of ours knows."""
    assert told(**{name: [1]}) == []


def test_every_known_field_passes() -> None:
    """And is no misspelling of another."""
    assert not [name for name in KNOWN_FIELDS if intended_field(name, {}) != name]


def test_a_name_that_may_be_text_is_not_told() -> None:
    """Messages must not quote a prompt."""
    ((_, message),) = told(**{"max tokens": 5})
    assert message == 'unknown field; did you mean "max_tokens"?'


@pytest.mark.parametrize(
    "change",
    [
        {"messages": 4111222233334444},
        {"messages": [4111222233334444]},
        {"messages": [{"role": 4111222233334444, "content": "Hi"}]},
        {"messages": [{"role": "user", "content": 4111222233334444}]},
        {"messages": [{"role": "user", "content": [4111222233334444]}]},
        {"messages": [{"role": "user", "content": [{"type": 4111222233334444}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 4111222233334444}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": 4111222233334444}]}]},
        {"system": 4111222233334444},
        {"system": [4111222233334444]},
        {"tools": 4111222233334444},
        {"metadata": 4111222233334444},
    ],
)
def test_a_number_that_may_be_a_prompts_is_not_told(change: dict[str, Any]) -> None:
    """It may be that of an account."""
    ((_, message),) = told(**change)
    assert "4111" not in message
    assert "a number" in message


def test_a_number_that_is_a_setting_is_told() -> None:
    """So that it is found."""
    assert [message.partition(";")[0] for _, message in told(max_tokens=-5)] == ['"params.max_tokens" is the number -5']
    assert [message.partition(";")[0] for _, message in told(top_k=1.5)] == ['"params.top_k" is the number 1.5']


def test_a_name_of_millions_of_characters_is_not_compared() -> None:
    """It took forty times its size, and was then taken for what it was: a field that nobody knows."""
    name = "aB-" * 300_000
    tracemalloc.start()
    found = [*unknown_field_problems({name: 5})]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == []
    assert most < len(name)


@pytest.mark.slow
def test_a_line_of_a_million_fields_is_looked_at_in_no_time() -> None:
    """Only the first unknown ones are compared."""
    params = {f"field {number}": 1 for number in range(200_000)}
    assert told(**params) == []


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
    """Its place is named; behind good messages, too, and beside other fields."""
    good = {"role": "user", "content": "Hi"}
    for place, messages in enumerate(([message], [good, message, message])):
        assert {found for found, _ in told(messages=messages)} >= {code}
        assert all(f'"params.messages[{place}]' in text for _, text in told(messages=messages))
        assert told(messages=messages) == told(messages=messages, top_k=1, thinking={"type": "adaptive"})


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
    """A rule stricter than the provider's would lock somebody out."""
    assert told(messages=[{"role": "user", "content": "Hi"}, message]) == []


@pytest.mark.parametrize("role", ["human", "tool", "developer"])
def test_roles_of_other_apis_pass_at_a_gateway(role: str) -> None:
    """Whose own lines may hold what the Messages API does not have."""
    assert told(BODY, messages=[{"role": role, "content": [{"type": "image_url"}]}]) == []


@pytest.mark.parametrize(
    "system", [5, {"type": "text", "text": "x"}, True, " \n", ["x"], [{"text": "x"}], [{"type": "text", "text": ""}]]
)
def test_a_system_prompt_that_can_never_be_right_is_a_fault(system: Any) -> None:
    """A string, or an array of parts."""
    assert len(told(system=system)) == 1


@pytest.mark.parametrize("system", ["", "x", [], [{"type": "text", "text": "x"}]])
def test_other_system_prompts_pass(system: Any) -> None:
    """Also none at all."""
    assert told(system=system) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "0"),
        ("temperature", True),
        ("top_p", "1"),
        ("top_k", 1.5),
        ("top_k", "5"),
        ("stop_sequences", "x"),
        ("stop_sequences", [1]),
        ("metadata", "u"),
        ("metadata", []),
        ("thinking", True),
        ("thinking", {}),
        ("tools", {}),
        ("tools", ["t"]),
        ("tool_choice", "auto"),
        ("tool_choice", {}),
        ("output_config", "json"),
        ("service_tier", 1),
        ("mcp_servers", {}),
        ("cache_control", "ephemeral"),
        ("context_management", []),
    ],
)
def test_a_value_of_a_kind_that_no_model_takes_is_a_fault(name: str, value: Any) -> None:
    """The message names the field and what it must be."""
    ((code, message),) = told(**{name: value})
    assert code == "field-invalid"
    assert message.startswith(f'"params.{name}" is ')
    assert "; it must be " in message


def test_a_tool_of_another_api_is_a_fault() -> None:
    """With the form that is wanted."""
    tools = [{"name": "t", "input_schema": {}}, {"type": "function", "function": {"name": "f", "parameters": {}}}]
    ((code, message),) = told(tools=tools)
    assert (code, "input_schema" in message, "tools[1]" in message) == ("tool-invalid", True, True)


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (1024.0, "max-tokens-float", "1024"),
        (1e3, "max-tokens-float", "1000"),
        ("1024", "max-tokens-string", "1024"),
        (1024.5, "max-tokens-invalid", "1024.5"),
        (-5.0, "max-tokens-invalid", "-5"),
        ("1e3", "max-tokens-invalid", "string"),
        ("", "max-tokens-invalid", "empty string"),
        (0, "max-tokens-invalid", "0"),
        (1e300, "max-tokens-invalid", "1e+300"),
        ("9" * 5000, "max-tokens-invalid", "string"),
        ([], "max-tokens-invalid", "empty array"),
        (True, "max-tokens-invalid", "true"),
    ],
)
def test_a_number_of_tokens_that_is_nearly_one_is_told_how_to_write_it(value: Any, code: str, words: str) -> None:
    """A data frame makes 1024.0 of a column with a gap, and spreadsheets make text of numbers."""
    ((found, message),) = told(max_tokens=value)
    assert found == code
    assert words in message


@pytest.mark.parametrize(
    "name", sorted(KNOWN_FIELDS - {"model", "messages"} | {"betas", "n", "anything_new", "max_token"})
)
@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS, BODY])
def test_a_field_that_is_null_is_not_sent(name: str, dialect: Dialect) -> None:
    """It is what an SDK's own objects write for a field that nobody set."""
    good = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    raw = orjson.dumps({"custom_id": "a", "params": {name: None} | good | {name: None}})
    found = read_request(Line(1, 0, len(raw), raw), Rules(dialect, 16))
    assert isinstance(found, Request)
    assert orjson.loads(found.params) == {key: value for key, value in good.items() if key != name}
    assert (found.has_nulls, found.max_tokens) == (True, None if name == "max_tokens" else 5)


@pytest.mark.parametrize(("name", "code"), [("model", "model-invalid"), ("messages", "messages-invalid")])
def test_what_is_needed_may_not_be_null(name: str, code: str) -> None:
    """Nothing can be put in its place."""
    raw = line("a").replace(b'"params":{', b'"params":{"%b":null,"other":1,' % name.encode())
    raw = (
        raw.replace(b'"model":"m",', b"")
        if name == "model"
        else line("a", messages=None).replace(b"}}", b',"messages":null}}')
    )
    (fault,) = faults_of(raw)
    assert (fault.code, "null" in fault.message) == (code, True)


def test_without_a_default_max_tokens_may_not_be_null() -> None:
    """As if it were not there."""
    raw = line("a", max_tokens=None).replace(b"}}", b',"max_tokens":null}}')
    (fault,) = faults_of(raw, Rules(MESSAGES, 0))
    assert fault.code == "max-tokens-missing"


def test_in_other_apis_null_is_sent_as_it_is() -> None:
    """What it means there we do not know."""
    raw = line("a").replace(b'"model"', b'"stop":null,"model"')
    found = read_request(Line(1, 0, len(raw), raw), Rules(CHAT, 16))
    assert isinstance(found, Request)
    assert (b'"stop":null' in found.params, found.has_nulls) == (True, False)


def faults_of(data: bytes, rules: Rules | None = None) -> list[Fault]:
    """Return all faults of a drop."""
    found = [read_request(each, rules or Rules(MESSAGES, 16)) for each in read_lines([data])]
    return [fault for each in found if not isinstance(each, Request) for fault in each]


def test_the_reported_sdk_arguments_are_refused() -> None:
    """Before anything is sent."""
    checker = check_drop(RUN, settings(), MESSAGES, lambda: [(REPORTS / "sdk-arguments.jsonl").read_bytes()])
    assert [(fault.line, fault.code) for fault in checker.faults] == [
        (1, "field-foreign"),
        (2, "field-foreign"),
        (2, "field-foreign"),
    ]


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
    """All others pass."""
    data = (REPORTS / "09-accepted-but-surely-refused.jsonl").read_bytes()
    refused = {fault.custom_id for fault in faults_of(data)}
    names = {orjson.loads(each)["custom_id"] for each in data.splitlines()}
    assert names - refused == LEFT_TO_THE_PROVIDER
