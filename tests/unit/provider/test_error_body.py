"""The provider's error text is found in every known format of error."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.provider.error_body import ErrorBody, is_empty_json, parse_error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ('{"type":"api_error","message":"boom"}', ErrorBody("api_error", "", "boom")),
        ('{"type":"error","error":{"type":"api_error","message":"boom"}}', ErrorBody("api_error", "", "boom")),
        (
            '{"type":"error","error":{"type":"error","error":{"type":"a","message":"boom"}}}',
            ErrorBody("a", "", "boom"),
        ),
        ('{"message":"boom"}', ErrorBody("", "", "boom")),
        ('{"code":"c","message":"boom","param":"p","type":null}', ErrorBody("", "c", "boom", "p")),
        ('{"code":429,"message":"boom"}', ErrorBody("", "429", "boom")),
        ('"boom"', ErrorBody("", "", "boom")),
        ('{"type":"error","error":"boom"}', ErrorBody("", "", "boom")),
        ('{"error":{"error":"boom"}}', ErrorBody("", "", "boom")),
        ('{"detail":"boom"}', ErrorBody("", "", "boom")),
        (
            '{"detail":[{"loc":["body","model"],"msg":"boom","type":"missing"}]}',
            ErrorBody("", "", "body.model: boom"),
        ),
        ('{"detail":{"type":"t","message":"boom"}}', ErrorBody("t", "", "boom")),
        ('{"message":{"error":{"type":"t","message":"boom"}}}', ErrorBody("t", "", "boom")),
        ('{"message":"{\\"error\\":{\\"type\\":\\"t\\",\\"message\\":\\"boom\\"}}"}', ErrorBody("t", "", "boom")),
        ('"{\\"message\\":\\"boom\\"}"', ErrorBody("", "", "boom")),
        ('{"errors":[{"code":"c","message":"one"},{"message":"two"}]}', ErrorBody("", "c", "one; two")),
        ('["one",{"msg":"two"}]', ErrorBody("", "", "one; two")),
        ('{"error":"invalid_request","error_description":"boom"}', ErrorBody("", "", "invalid_request: boom")),
        ('{"error":{"message":"boom","details":{"error_code":"limit"}}}', ErrorBody("", "limit", "boom")),
        ('{"title":"Bad Request","status":400}', ErrorBody("", "", "Bad Request")),
        ('{"reason":"boom"}', ErrorBody("", "", "boom")),
        ('{"odd":{"shape":1}}', ErrorBody("", "", '{"odd":{"shape":1}}')),
        ('{"message":"outer","errors":[{"message":"inner"}]}', ErrorBody("", "", "outer: inner")),
        ('{"Code":"Throttled","Message":"boom"}', ErrorBody("", "Throttled", "boom")),
        ('{"output":{"error":{"type":"t","message":"boom"}}}', ErrorBody("t", "", "boom")),
        ("17", ErrorBody("", "", "17")),
    ],
)
def test_the_error_text_is_found_in_every_format(error: str, said: ErrorBody) -> None:
    """Type, code and parameter are read from the same place as the text."""
    assert parse_error(error.encode()) == said


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b'{"a"', b"[" * 5000])
def test_a_body_that_is_not_json_has_no_error_text(raw: bytes) -> None:
    """A proxy's page is not an error of the provider."""
    assert parse_error(raw) is None


@pytest.mark.parametrize(
    "raw",
    ["null", "false", "0", '""', '" "', "{}", "[]", '{"code":null,"message":null}', '{"error":{"code":null,"a":[""]}}'],
)
def test_an_error_of_nulls_is_no_error(raw: str) -> None:
    """Relays write an error object of nulls when there is no error."""
    assert is_empty_json(raw.encode())
    said = parse_error(raw.encode())
    assert said is not None
    assert not any(said) or said == ErrorBody("", "", "0")


@pytest.mark.parametrize("raw", ["true", "1", '"x"', '{"code":null,"message":"x"}', '{"a":[{"b":1}]}', "{broken"])
def test_an_error_with_any_content_is_an_error(raw: str) -> None:
    """It is found at any depth."""
    assert not is_empty_json(raw.encode())


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["error", "errors", "message", "type", "code", "detail", "loc", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json)
def test_whatever_an_error_is_it_is_read(value: object) -> None:
    """Reading never raises, and never loses an error that has any content."""
    said = parse_error(msgspec.json.encode(value))
    assert said is not None
    assert all(isinstance(word, str) for word in said)


def deep(levels: int, inner: bytes = b"1", before: bytes = b'{"a":', after: bytes = b"}") -> bytes:
    """Return a value nested to this depth."""
    return before * levels + inner + after * levels


@pytest.mark.parametrize("levels", [5, 11, 500, 900, 5_000, 50_000])
@pytest.mark.parametrize(("before", "after"), [(b'{"a":', b"}"), (b"[", b"]"), (b'{"error":[', b"]}")])
def test_an_error_of_any_depth_is_read_or_is_none(levels: int, before: bytes, after: bytes) -> None:
    """Callers need not know the depth."""
    full, empty = (deep(levels, inner, before, after) for inner in (b'"boom"', b"null"))
    for raw in (full, b'{"message":%b}' % full, b'{"loc":[%b],"msg":"boom"}' % full):
        said = parse_error(raw)
        assert said is None or said.message
        assert not is_empty_json(raw)
    assert is_empty_json(empty) == (parse_error(empty) == ErrorBody())
