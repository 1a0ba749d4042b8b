"""Result lines of the files dialect: each is decoded by itself, and none stops the others."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.outcome import UNREADABLE, Error, Outcome, Result, failure, is_retryable
from conveyor.money.usage import Usage
from conveyor.provider.files.results import decode_results

MESSAGE = (
    '{"id":"msg_1","model":"claude-haiku-4-5","content":[{"type":"text","text":"a\u2028b"}],'
    '"usage":{"input_tokens":3,"output_tokens":2,"cache_read_input_tokens":null}, "error" : null}'
)
COMPLETION = (
    '{"id":"c","model":"gpt-x","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4,"total_tokens":11}}'
)


def one(line: str) -> Result:
    """Decode one line."""
    (result,) = decode_results([line.encode()])
    return result


@pytest.mark.parametrize(
    "form",
    [
        '{"custom_id":"n-1","response":%s,"error":null}',
        '{"custom_id":"n-1","response":%s}',
        '{"custom_id":"n-1","response": %s , "error": {}}',
        '{"custom_id":"n-1","response":%s,"error":""}',
        '{"custom_id":"n-1","response":%s,"error":[]}',
        '{"id":"r","custom_id":"n-1","response":{"status_code":200,"request_id":"q","body":%s},"error":null}',
        '{"custom_id":"n-1","error":null,"response":{"body":%s,"status_code":"200","error":null}}',
        '{"custom_id":"n-1","result":{"type":"succeeded","message":%s}}',
        '{"custom_id":"n-1","response":null,"result":{"type":"succeeded","message":%s}}',
    ],
)
@pytest.mark.parametrize(
    ("message", "model", "usage"),
    [(MESSAGE, "claude-haiku-4-5", Usage(3, 2, 0, None)), (COMPLETION, "gpt-x", Usage(7, 4))],
)
def test_a_success_keeps_its_message_as_written(form: str, message: str, model: str, usage: Usage) -> None:
    """In each format, with either name for the tokens. A charged result is never taken for a failure."""
    result = one(form % message)
    assert (result.wire_id, result.outcome, result.response.decode()) == ("n-1", Outcome.SUCCEEDED, message)
    assert (result.error, result.model) == (None, model)
    read = (result.usage.input_tokens, result.usage.output_tokens, result.usage.cache_read_input_tokens or 0)
    assert read == (usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens or 0)


@pytest.mark.parametrize(
    ("line", "expected", "again"),
    [
        ('"response":null,"error":{"code":"server_error","message":"m"}', Error("server_error", "m"), True),
        (
            '"response":null,"error":{"code":"invalid_request_error","message":"m"}',
            Error("invalid_request_error", "m"),
            False,
        ),
        ('"error":{"type":"api_error","code":"c","message":"m"}', Error("api_error", "c: m"), True),
        (
            '"error":{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
            Error("overloaded_error", "m"),
            True,
        ),
        (
            '"response":{"error":{"type":"invalid_request_error","message":"m"}}',
            Error("invalid_request_error", "m"),
            False,
        ),
        ('"response":{"type":"error","error":{"type":"api_error","message":"m"}}', Error("api_error", "m"), True),
        ('"response":null,"error":"all is lost"', Error("unknown_error", "all is lost"), True),
        ('"response":null,"error":{"code":17}', Error("17", "17"), True),
        ('"response":null,"error":[1]', Error("unknown_error", "1"), True),
        (
            '"response":{"status_code":200,"body":{"error":{"type":"api_error","message":"m"}}}',
            Error("api_error", "m"),
            True,
        ),
    ],
)
def test_a_failure_is_found_beside_the_response_or_inside_it(line: str, expected: Error, *, again: bool) -> None:
    """The documentation contradicts itself, so every place is read."""
    result = one('{"custom_id":"n-1",' + line + "}")
    assert (result.wire_id, result.outcome, result.error) == ("n-1", Outcome.ERRORED, expected)
    assert is_retryable(result.outcome, result.error) is again


@pytest.mark.parametrize(
    ("status", "body", "kind", "again"),
    [
        (
            400,
            {"error": {"type": "invalid_request_error", "code": "unsupported_value"}},
            "invalid_request_error",
            False,
        ),
        (400, {"error": {"type": "of_its_own"}}, "invalid_request_error", False),
        (401, {}, "authentication_error", True),
        (403, None, "permission_error", True),
        (404, {"error": {"message": "no such model"}}, "not_found_error", False),
        (404, {"error": {"type": "invalid_request_error", "code": "model_not_found"}}, "invalid_request_error", False),
        (408, {"error": {"type": "of_its_own"}}, "api_error", True),
        (409, {}, "api_error", True),
        (413, "too large", "invalid_request_error", False),
        (429, {"error": {"type": "tokens", "code": "rate_limit_exceeded"}}, "rate_limit_error", True),
        (429, {"type": "error", "error": {"type": "rate_limit_error"}}, "rate_limit_error", True),
        (500, {"error": {"type": "server_error"}}, "server_error", True),
        (500, None, "api_error", True),
        (503, "<html>", "api_error", True),
        (504, {}, "timeout_error", True),
        (529, {"error": {"type": "of_its_own"}}, "overloaded_error", True),
    ],
)
def test_an_http_failure_is_worth_sending_again_as_its_status_says(
    status: int, body: Any, kind: str, *, again: bool
) -> None:
    """An error that the request itself causes would only recur."""
    line = {"custom_id": "n-1", "response": {"status_code": status, "request_id": "q", "body": body}, "error": None}
    result = one(msgspec.json.encode(line).decode())
    assert result.error is not None
    assert (result.outcome, result.error.type) == (Outcome.ERRORED, kind)
    assert is_retryable(result.outcome, result.error) is again


@pytest.mark.parametrize("place", ['"response":null,"error":%s', '"error":%s', '"response":{"error":%s}'])
@pytest.mark.parametrize(
    "word", ['{"code":"%s"}', '{"type":"%s","message":"m"}', '{"type":"error","error":{"type":"%s"}}']
)
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("batch_expired", Outcome.EXPIRED),
        ("expired", Outcome.EXPIRED),
        ("batch_cancelled", Outcome.CANCELED),
        ("batch_canceled", Outcome.CANCELED),
        ("cancelled", Outcome.CANCELED),
        ("canceled", Outcome.CANCELED),
    ],
)
def test_a_request_that_was_not_run_is_recognized_by_its_code(
    place: str, word: str, code: str, outcome: Outcome
) -> None:
    """Sending it again may help, and it cost nothing."""
    result = one('{"custom_id":"n-1",' + place % (word % code) + "}")
    assert (result.outcome, result.error) == (outcome, failure(outcome).error)


@pytest.mark.parametrize(
    "line",
    [
        '{"custom_id":"n-1"}',
        '{"custom_id":"n-1","response":null,"error":null}',
        '{"custom_id":"n-1","response":"odd"}',
        '{"custom_id":"n-1","response":[1]}',
        '{"custom_id":"n-1","response":{}}',
        '{"custom_id":"n-1","response":{"status_code":"many"}}',
        '{"custom_id":"n-1","response":{"status_code":200,"body":null}}',
        '{"custom_id":"n-1","response":{"status_code":200}}',
        '{"custom_id":"n-1","result":{"type":"of_next_year"}}',
        '{"custom_id":"n-1","result":5}',
    ],
)
def test_a_line_of_an_unknown_format_affects_only_its_own_request(line: str) -> None:
    """It may have been charged: it is kept, reported, and not sent again."""
    result = one(line)
    assert result.error is not None
    assert (result.wire_id, result.outcome, result.error.type) == ("n-1", Outcome.ERRORED, UNREADABLE)
    assert (result.raw, is_retryable(result.outcome, result.error)) == (line.encode(), False)


@pytest.mark.parametrize(
    "line",
    ["nonsense", '{"custom_id":"n-1","resp', '{"response":{}}', '{"custom_id":5}', '{"custom_id":null}', "[1]", "\x0b"],
)
def test_a_line_that_is_no_result_belongs_to_no_request_and_is_kept(line: str) -> None:
    """Some request has no result then, so the results are read again."""
    assert one(line) == Result("", Outcome.ERRORED, line.encode())


@pytest.mark.parametrize(
    "message",
    [
        '{"id":"m","usage":null}',
        '{"usage":5}',
        '{"id":"m","model":null}',
        '{"id":"m","usage":{"input_tokens":null}}',
        '{"usage":{"input_tokens":"x"}}',
    ],
)
def test_a_message_with_invalid_usage_is_still_a_message(message: str) -> None:
    """Only its tokens are left out of the count."""
    result = one('{"custom_id":"n-1","response":' + message + "}")
    assert (result.outcome, result.response.decode(), result.usage) == (Outcome.SUCCEEDED, message, Usage())


ODD = ["{" * 2000, '{"error":' * 2000, "\xff", "1e999", '"\\ud800"', '{"error":{"error":{"error":null}}}', "-0", "[[]]"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "type", "code", "message", "body", "status_code", "usage"]), inner)
    ),
    max_leaves=8,
).map(msgspec.json.encode)
pieces = st.sampled_from([MESSAGE, COMPLETION, *ODD]).map(lambda text: text.encode("latin-1", "replace")) | json_values


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw a line that is a result, almost a result, or arbitrary."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=20)).replace(b"\n", b"")
    fields = [(b"custom_id", draw(st.just(b'"n-1"') | json_values))]
    names = st.sampled_from([b"response", b"error", b"result", b"x"])
    fields += draw(st.lists(st.tuples(names, pieces), max_size=4))
    if draw(st.booleans()):
        fields[1:] = [(b"response", b'{"status_code":%b,"body":%b}' % (draw(pieces), draw(pieces))), *fields[1:]]
    return b" {" + b",".join(b'"%b":%b' % field for field in fields) + b"}" + draw(st.sampled_from([b"", b"\r", b"x"]))


@given(st.lists(lines(), max_size=6), st.booleans(), st.lists(st.integers(0, 3000), max_size=5).map(sorted))
def test_whatever_a_line_holds_it_is_one_result_and_however_it_is_cut(
    written: list[bytes],
    ended: bool,  # noqa: FBT001
    cuts: list[int],
) -> None:
    """An exception for one line would lose other results. Brackets and commas belong to no request."""
    data = b"\n".join(written) + b"\n" * ended
    places = [0, *(min(cut, len(data)) for cut in cuts), len(data)]
    results = list(decode_results(data[begin:end] for begin, end in pairwise(places)))
    raws = [line.strip(b" \t\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    assert [result.raw for result in results] == [raw for raw in raws if raw.strip(b"[], \t\r")]
    for result in results:
        assert result == next(iter(decode_results([b"\n" + result.raw])))
        assert bool(result.response) is (result.outcome is Outcome.SUCCEEDED)
        is_retryable(result.outcome, result.error)


def test_lines_are_cut_at_line_feeds_only() -> None:
    """JSON strings may contain what other readers take for line ends; a blank line is no result."""
    line = '{"custom_id":"n-1","response":{"content":"\u2028\u0085\u000b"}}'.replace("\u000b", "\\u000b")
    results = list(decode_results([f"\n{line}\r\n \n{line}".encode()]))
    assert [(result.wire_id, result.outcome) for result in results] == [("n-1", Outcome.SUCCEEDED)] * 2
