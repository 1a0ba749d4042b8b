"""Params whose values no model accepts are faults, and fields that are null are not sent."""

from typing import Any

import orjson
import pytest

from conveyor.domain.dialect import Dialect
from conveyor.jsonl.lines import Line
from conveyor.validation.body_fields import KNOWN_FIELDS
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import BODY, CHAT, MESSAGES, PARAMS, line
from tests.support.line_problems import faults_of, problems


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
def test_a_number_that_may_be_from_a_prompt_is_not_quoted(change: dict[str, Any]) -> None:
    """It may be an account number."""
    ((_, message),) = problems(**change)
    assert "4111" not in message
    assert "a number" in message


def test_a_number_that_is_a_setting_is_quoted() -> None:
    """The user can then find it."""
    assert [message.partition(";")[0] for _, message in problems(max_tokens=-5)] == [
        '"params.max_tokens" is the number -5'
    ]
    assert [message.partition(";")[0] for _, message in problems(top_k=1.5)] == ['"params.top_k" is the number 1.5']


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
    ((code, message),) = problems(**{name: value})
    assert code == "field-invalid"
    assert message.startswith(f'"params.{name}" is ')
    assert "; it must be " in message


def test_a_tool_of_another_api_is_a_fault() -> None:
    """The fault shows the expected form."""
    tools = [{"name": "t", "input_schema": {}}, {"type": "function", "function": {"name": "f", "parameters": {}}}]
    ((code, message),) = problems(tools=tools)
    assert (code, "input_schema" in message, "tools[1]" in message) == ("tool-invalid", True, True)


@pytest.mark.parametrize(
    ("value", "code", "expected_text"),
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
def test_an_invalid_number_of_tokens_is_reported_with_its_value(value: Any, code: str, expected_text: str) -> None:
    """Data frames write 1024.0 for a column with a gap, and spreadsheets write numbers as text."""
    ((actual_code, message),) = problems(max_tokens=value)
    assert actual_code == code
    assert expected_text in message


@pytest.mark.parametrize(
    "name", sorted(KNOWN_FIELDS - {"model", "messages"} | {"betas", "n", "anything_new", "max_token"})
)
@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS, BODY])
def test_a_field_that_is_null_is_not_sent(name: str, dialect: Dialect) -> None:
    """SDK objects write null for a field that is not set."""
    good = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    raw = orjson.dumps({"custom_id": "a", "params": {name: None} | good | {name: None}})
    checked = read_request(Line(1, 0, len(raw), raw), Rules(dialect, 16))
    assert isinstance(checked, Request)
    assert orjson.loads(checked.params) == {key: value for key, value in good.items() if key != name}
    assert (checked.has_nulls, checked.max_tokens) == (True, None if name == "max_tokens" else 5)


@pytest.mark.parametrize(("name", "code"), [("model", "model-invalid"), ("messages", "messages-invalid")])
def test_a_required_field_may_not_be_null(name: str, code: str) -> None:
    """It has no default."""
    raw = line("a").replace(b'"params":{', b'"params":{"%b":null,"other":1,' % name.encode())
    raw = (
        raw.replace(b'"model":"m",', b"")
        if name == "model"
        else line("a", messages=None).replace(b"}}", b',"messages":null}}')
    )
    (fault,) = faults_of(raw)
    assert (fault.code, "null" in fault.message) == (code, True)


def test_without_a_default_max_tokens_may_not_be_null() -> None:
    """Null counts as missing."""
    raw = line("a", max_tokens=None).replace(b"}}", b',"max_tokens":null}}')
    (fault,) = faults_of(raw, Rules(MESSAGES, 0))
    assert fault.code == "max-tokens-missing"


def test_in_other_apis_null_is_sent_as_it_is() -> None:
    """Its meaning there is unknown."""
    raw = line("a").replace(b'"model"', b'"stop":null,"model"')
    checked = read_request(Line(1, 0, len(raw), raw), Rules(CHAT, 16))
    assert isinstance(checked, Request)
    assert (b'"stop":null' in checked.params, checked.has_nulls) == (True, False)
