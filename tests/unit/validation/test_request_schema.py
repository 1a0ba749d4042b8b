"""`docs/schemas/request.schema.json`: what it refuses, the stack refuses, so an editor or a test may rely on it."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given

from conveyor.jsonl.lines import Line
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES
from tests.support.fast_path import GOOD
from tests.support.schemas import validator
from tests.unit.validation.test_fast_path_agrees import odd_lines

PARAMS: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
SAID = [{"type": "text", "text": "Hi"}]


def is_accepted(line: bytes) -> bool:
    """Return whether the core takes a line."""
    return isinstance(read_request(Line(1, 0, len(line), line), Rules(MESSAGES, 16)), Request)


@given(odd_lines())
@example(GOOD)
@example(GOOD.replace(b'"max_tokens":5', b'"max_tokens":null'))
def test_a_line_that_is_accepted_keeps_the_schema(line: bytes) -> None:
    """Any value may stand in any field; the other way round need not be true."""
    if is_accepted(line):
        validator("request").validate(orjson.loads(line))


@pytest.mark.parametrize(
    "params",
    [
        PARAMS | {"max_tokens": None},
        PARAMS | {"messages": [{"role": "user", "content": SAID}, {"role": "assistant", "content": ""}]},
        PARAMS | {"system": SAID, "temperature": 0, "top_k": 5, "stop_sequences": ["x"], "stream": False},
        PARAMS | {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [], "tool_choice": {"type": "any"}},
        PARAMS | {"speed": None, "fallbacks": None, "system": None, "metadata": {"user_id": "u"}},
    ],
)
def test_both_take_a_usual_request(params: dict[str, Any]) -> None:
    """With ids of both kinds, and with columns of a table beside."""
    for custom_id in ("a", "x" * 256, 0, -(2**53) + 1):
        record = {"custom_id": custom_id, "params": params, "ticket": 7}
        assert is_accepted(orjson.dumps(record))
        assert validator("request").is_valid(record)


@pytest.mark.parametrize(
    "change",
    [
        {"custom_id": None}, {"custom_id": ""}, {"custom_id": "x" * 257}, {"custom_id": 2**53}, {"custom_id": True},
        {"custom_id": ["a"]}, {"params": None}, {"params": "{}"}, {"params": [PARAMS]},
    ],
)  # fmt: skip
def test_both_refuse_a_wrong_line(change: dict[str, Any]) -> None:
    """A key that is null is as good as none."""
    record = {"custom_id": "a", "params": PARAMS} | change
    assert not is_accepted(orjson.dumps(record))
    assert not validator("request").is_valid(record)
    left = {name: value for name, value in record.items() if value is not None}
    assert not validator("request").is_valid(left)


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""}, {"model": 4}, {"max_tokens": 0}, {"max_tokens": "64"}, {"max_tokens": 2**53}, {"messages": []},
        {"messages": "Hi"}, {"messages": ["Hi"]}, {"messages": [{"content": "Hi"}]}, {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": 4}]}, {"messages": [{"role": "user", "content": ["Hi"]}]},
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, {"system": 4}, {"system": ["Hi"]},
        {"temperature": "0"}, {"top_k": 0.5}, {"stop_sequences": "x"}, {"stop_sequences": [1]}, {"metadata": "u"},
        {"thinking": {"budget_tokens": 1}}, {"tools": {"name": "t"}}, {"tool_choice": "any"}, {"stream": True},
        {"speed": "fast"}, {"fallbacks": ["m"]}, {"output_config": []},
    ],
)  # fmt: skip
def test_both_refuse_wrong_params(change: dict[str, Any]) -> None:
    """Each is a mistake that an editor can show while the file is written."""
    record = {"custom_id": "a", "params": PARAMS | change}
    assert not is_accepted(orjson.dumps(record))
    assert not validator("request").is_valid(record)
