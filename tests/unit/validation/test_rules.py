"""A line is a request, or all its faults are reported."""

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.findings import Fault
from conveyor.jsonl.lines import LONGEST_LINE, Line
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES

GOOD: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}


def line_of(raw: bytes) -> Line:
    """Return bytes as line 7."""
    return Line(7, 100, 100 + len(raw), raw)


def codes(raw: bytes, default_max_tokens: int = 0) -> list[str]:
    """Return the codes of all faults of a line."""
    checked = read_request(line_of(raw), Rules(MESSAGES, default_max_tokens))
    return [] if isinstance(checked, Request) else [fault.code for fault in checked]


def params(**changes: Any) -> bytes:
    """Return a line with changed fields of `params`; None removes a field."""
    kept = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return orjson.dumps({"custom_id": "a", "params": kept})


def test_a_good_line_keeps_the_bytes_of_its_params() -> None:
    """Numbers and spaces are sent unchanged, not encoded again."""
    written = b'{"model":"m", "max_tokens":1,"messages":[{"role":"user","content":"Hi","x":[1.50,-0]}] }'
    raw = b'{"params" : %b , "custom_id":"\xc3\xa9/1", "extra":1}' % written
    read = read_request(line_of(raw), Rules(MESSAGES, 0))
    assert isinstance(read, Request)
    assert read[:4] == ("é/1", written, "m", 1)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xff{}", ["not-utf8"]),
        (b'{"custom_id":"a"', ["not-json"]),
        (b"[1]", ["not-an-object"]),
        (b"{}", ["custom-id-missing", "params-missing"]),
        (b'{"custom_id":"","params":1}', ["custom-id-invalid", "params-invalid"]),
        (
            b'{"custom_id":5.0,"params":{}}',
            ["custom-id-invalid", "model-invalid", "messages-invalid", "max-tokens-missing"],
        ),
        (orjson.dumps({"custom_id": "é" * 257, "params": GOOD}), ["custom-id-too-long"]),
        (b'{"custom_id":"a","method":"POST","url":"/v1/messages","body":{}}', ["params-missing"]),
        (params(model=""), ["model-invalid"]),
        (params(messages=[]), ["messages-invalid"]),
        (params(max_tokens=0), ["max-tokens-invalid"]),
        (params(max_tokens=1.5), ["max-tokens-invalid"]),
        (params(max_tokens=True), ["max-tokens-invalid"]),
        (params(max_tokens="many"), ["max-tokens-invalid"]),
        (params(stream=True), ["field-refused"]),
        (params(speed="fast"), ["field-refused"]),
        (params(fallbacks=[]), ["field-refused"]),
        (params(billing_policy={"bill_to": "user_profile"}), ["field-refused"]),
        (params(stream=True, speed="fast", model=1), ["model-invalid", "field-refused", "field-refused"]),
        (b'{"custom_id":"a","params":{"model":"m","max_tokens":1,"messages":["\xff"]}}', ["not-utf8"]),
    ],
)
def test_every_fault_of_a_line_is_reported_with_its_code(raw: bytes, expected: list[str]) -> None:
    """All faults of a line can be corrected at once."""
    assert codes(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        params(stream=False),
        params(billing_policy={"bill_to": "organization"}),
        params(temperature=1e300),
        params(temperature=1, top_p=0, top_k=5, stop_sequences=["a"], store=True, cache_hint={}),
        params(tools=[{"name": "t"}], anything_new={"x": [1]}, output_format={"type": "json_schema"}),
        orjson.dumps({"custom_id": "é" * 256, "params": GOOD}),
        b'{"custom_id":"\\ud83d\\ude00","params":%b}' % orjson.dumps(GOOD),
    ],
)
def test_what_the_provider_accepts_is_not_refused(raw: bytes) -> None:
    """A rule stricter than the provider's would refuse valid drops."""
    assert codes(raw) == []


def test_a_fault_names_line_and_id_without_quoting_the_line() -> None:
    """Messages are sent in notifications; a prompt must not be."""
    raw = orjson.dumps({"custom_id": "mine", "params": GOOD | {"max_tokens": "SECRET", "messages": "SECRET"}})
    faults = read_request(line_of(raw), Rules(MESSAGES, 0))
    assert isinstance(faults, list)
    assert {(fault.line, fault.byte, fault.custom_id) for fault in faults} == {(7, 100, "mine")}
    assert "SECRET" not in orjson.dumps([msgspec.structs.asdict(fault) for fault in faults]).decode()


def test_a_line_beyond_the_limit_names_the_limit() -> None:
    """Such a line is never held in memory."""
    (fault,) = list(read_request(Line(1, 0, LONGEST_LINE + 1, None), Rules(MESSAGES, 0)))
    assert isinstance(fault, Fault)
    assert f"{LONGEST_LINE:,}" in fault.message


def test_a_default_serves_lines_without_max_tokens_only() -> None:
    """A default of 0 means none, and an invalid value is not replaced."""
    assert codes(params(max_tokens=None)) == ["max-tokens-missing"]
    assert codes(params(max_tokens=None), 10) == []
    assert codes(params(max_tokens=0), 10) == ["max-tokens-invalid"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
near_params = st.fixed_dictionaries(
    {},
    optional={
        "model": st.just("m") | json_values,
        "messages": st.just([1]) | json_values,
        "max_tokens": st.integers(-1, 2**70) | json_values,
        "stream": st.booleans() | json_values,
        "billing_policy": json_values,
        "speed": json_values,
        "x": json_values,
    },
)
near_lines = st.fixed_dictionaries(
    {}, optional={"custom_id": st.text(max_size=5) | json_values, "params": near_params | json_values, "x": json_values}
)


@given(st.binary(max_size=60) | near_lines.map(msgspec.json.encode))
def test_any_bytes_are_either_a_request_or_faults(raw: bytes) -> None:
    """No input makes the check fail."""
    checked = read_request(line_of(raw), Rules(MESSAGES, 16))
    assert isinstance(checked, Request) or checked
