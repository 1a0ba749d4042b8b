"""Finding the end of a JSON value without decoding it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.prefix import State, read_prefix

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)
roots = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=6), values, max_size=4)


@pytest.mark.slow
@given(roots, st.booleans(), st.none() | st.integers(0, 3), st.binary(max_size=9))
def test_a_value_ends_where_a_decoder_says(root: Any, is_ascii: bool, indent: int | None, rest: bytes) -> None:  # noqa: FBT001
    """Anything may follow it; and every beginning of it is incomplete JSON."""
    data = json.dumps(root, ensure_ascii=is_ascii, indent=indent).encode(errors="surrogatepass")
    prefix = read_prefix(data + rest)
    assert (prefix.state, prefix.end, prefix.has_trailing_comma) == (State.WHOLE, len(data), False)
    assert (b"\n" in prefix.breaks) == (b"\n" in data)
    if isinstance(root, dict):
        assert [json.loads(key) for key in prefix.keys] == list(root)
    assert {read_prefix(data[:cut]).state for cut in range(len(data))} <= {State.CUT}


@given(st.text(alphabet='[]{},:" 1a\n', max_size=14))
def test_invalid_json_is_never_whole(text: str) -> None:
    """The exception is a comma before a bracket, a common mistake."""
    prefix = read_prefix(text.encode())
    if prefix.state is State.WHOLE and not prefix.has_trailing_comma:
        json.loads(text[: prefix.end])
    elif prefix.state is State.BROKEN:
        with pytest.raises(json.JSONDecodeError):
            json.JSONDecoder().raw_decode(text.strip())


@pytest.mark.parametrize("text", ["[1,]", '{"a":1,}', '[{"a":1},\n]', "[[1,],2]"])
def test_a_comma_before_a_bracket_is_reported(text: str) -> None:
    """No JSON parser accepts it."""
    prefix = read_prefix(text.encode())
    assert (prefix.state, prefix.end, prefix.has_trailing_comma) == (State.WHOLE, len(text), True)


@pytest.mark.parametrize(
    "text",
    ["[}", "{1:2}", '{"a" 1}', '{"a":}', "[1 2]", "[,]", "{,}", '{"a":1 "b"}', "]", ",", "x", '["a\nb"]', "[1,,]"],
)
def test_what_cannot_become_json_is_broken(text: str) -> None:
    """No continuation would make it JSON."""
    assert read_prefix(text.encode()).state is State.BROKEN


def test_a_long_string_and_a_deep_value_take_little_memory() -> None:
    """The stack has one bracket for each level, and there is no recursion."""
    assert read_prefix(b"[" * 200_000).state is State.CUT
    assert read_prefix(b'["' + b"a\\n" * 200_000).state is State.CUT
    assert read_prefix(b'["' + b"\\" * 200_001).state is State.CUT
