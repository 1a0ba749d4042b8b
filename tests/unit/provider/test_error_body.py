"""The provider's words are found in every shape of an error that was seen in the field."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.provider.error_body import Said, is_nothing, said_in


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ('{"type":"api_error","message":"boom"}', Said("api_error", "", "boom")),
        ('{"type":"error","error":{"type":"api_error","message":"boom"}}', Said("api_error", "", "boom")),
        ('{"type":"error","error":{"type":"error","error":{"type":"a","message":"boom"}}}', Said("a", "", "boom")),
        ('{"message":"boom"}', Said("", "", "boom")),
        ('{"code":"c","message":"boom","param":"p","type":null}', Said("", "c", "boom", "p")),
        ('{"code":429,"message":"boom"}', Said("", "429", "boom")),
        ('"boom"', Said("", "", "boom")),
        ('{"type":"error","error":"boom"}', Said("", "", "boom")),
        ('{"error":{"error":"boom"}}', Said("", "", "boom")),
        ('{"detail":"boom"}', Said("", "", "boom")),
        ('{"detail":[{"loc":["body","model"],"msg":"boom","type":"missing"}]}', Said("", "", "body.model: boom")),
        ('{"detail":{"type":"t","message":"boom"}}', Said("t", "", "boom")),
        ('{"message":{"error":{"type":"t","message":"boom"}}}', Said("t", "", "boom")),
        ('{"message":"{\\"error\\":{\\"type\\":\\"t\\",\\"message\\":\\"boom\\"}}"}', Said("t", "", "boom")),
        ('"{\\"message\\":\\"boom\\"}"', Said("", "", "boom")),
        ('{"errors":[{"code":"c","message":"one"},{"message":"two"}]}', Said("", "c", "one; two")),
        ('["one",{"msg":"two"}]', Said("", "", "one; two")),
        ('{"error":"invalid_request","error_description":"boom"}', Said("", "", "invalid_request: boom")),
        ('{"error":{"message":"boom","details":{"error_code":"limit"}}}', Said("", "limit", "boom")),
        ('{"title":"Bad Request","status":400}', Said("", "", "Bad Request")),
        ('{"reason":"boom"}', Said("", "", "boom")),
        ('{"odd":{"shape":1}}', Said("", "", '{"odd":{"shape":1}}')),
        ('{"message":"outer","errors":[{"message":"inner"}]}', Said("", "", "outer: inner")),
        ('{"Code":"Throttled","Message":"boom"}', Said("", "Throttled", "boom")),
        ('{"output":{"error":{"type":"t","message":"boom"}}}', Said("t", "", "boom")),
        ("17", Said("", "", "17")),
    ],
)
def test_words_are_found_in_whatever_shape(error: str, said: Said) -> None:
    """And type, code and parameter with them, from where the words stand."""
    assert said_in(error.encode()) == said


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b'{"a"', b"[" * 5000])
def test_what_is_not_json_says_nothing(raw: bytes) -> None:
    """A proxy's page is not the provider's word."""
    assert said_in(raw) is None


@pytest.mark.parametrize(
    "raw",
    ["null", "false", "0", '""', '" "', "{}", "[]", '{"code":null,"message":null}', '{"error":{"code":null,"a":[""]}}'],
)
def test_null_filled_is_absent(raw: str) -> None:
    """Relays fill an error with nulls where there is none."""
    assert is_nothing(raw.encode())
    said = said_in(raw.encode())
    assert said is not None
    assert not any(said) or said == Said("", "", "0")


@pytest.mark.parametrize("raw", ["true", "1", '"x"', '{"code":null,"message":"x"}', '{"a":[{"b":1}]}', "{broken"])
def test_what_says_anything_is_there(raw: str) -> None:
    """However deep it stands."""
    assert not is_nothing(raw.encode())


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
    """Never with an exception, and never to nothing where it says anything."""
    said = said_in(msgspec.json.encode(value))
    assert said is not None
    assert all(isinstance(word, str) for word in said)


def deep(levels: int, inner: bytes = b"1", before: bytes = b'{"a":', after: bytes = b"}") -> bytes:
    """Write a value with so many levels."""
    return before * levels + inner + after * levels


@pytest.mark.parametrize("levels", [5, 11, 500, 900, 5_000, 50_000])
@pytest.mark.parametrize(("before", "after"), [(b'{"a":', b"}"), (b"[", b"]"), (b'{"error":[', b"]}")])
def test_an_error_of_any_depth_is_read_or_is_none(levels: int, before: bytes, after: bytes) -> None:
    """Its depth is nothing that a caller must know."""
    full, empty = (deep(levels, inner, before, after) for inner in (b'"boom"', b"null"))
    for raw in (full, b'{"message":%b}' % full, b'{"loc":[%b],"msg":"boom"}' % full):
        said = said_in(raw)
        assert said is None or said.message
        assert not is_nothing(raw)
    assert is_nothing(empty) == (said_in(empty) == Said())
