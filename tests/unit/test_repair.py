"""Text that is nearly JSON is made JSON, and nothing else of it is changed."""

from time import process_time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.repair import is_strict, repaired

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
damage = st.sampled_from(
    [b"\xff", b"\xe2\x80", b"\xed\xa0\xbd", b"\x00", b"\x1f", b"\t", rb"\ud83d", rb"\uDFFF", rb"\q"]
)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (rb'{"a":"cut \ud83d"}', '{"a":"cut \ufffd"}'),
        (rb'{"a":"\udc00\ud83d\ude00\uD83D\uDE00"}', '{"a":"\ufffd\\ud83d\\ude00\\uD83D\\uDE00"}'),
        (rb'{"a":"\ud83d\ud83d\ude00"}', '{"a":"\ufffd\\ud83d\\ude00"}'),
        (rb'{"a":"\\ud83d \\\ud83d \n\u00e9", "b":1.50}', '{"a":"\\\\ud83d \\\\\ufffd \\n\\u00e9", "b":1.50}'),
        (rb'{"a":"\d\u12"}', '{"a":"\ufffdd\ufffdu12"}'),
        (b'{"a":"x\x01y\x1fz"}', '{"a":"x\ufffdy\ufffdz"}'),
        (b'{"a":"x\xffy\xe2\x82"}', '{"a":"x\ufffdy\ufffd"}'),
        (b'{"\xff\\ud83d":1}', '{"\ufffd\ufffd":1}'),
        (b'{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN"}', '{"a":null,"b":[null,null],"c":"NaN"}'),
        (b'\xef\xbb\xbf{"a":\x001}', ' {"a": 1}'),
    ],
)
def test_what_no_reader_takes_is_replaced_and_all_else_stays_as_written(broken: bytes, mended: str) -> None:
    """Numbers, spaces and escapes that are right included."""
    assert not is_strict(broken)
    text = repaired(broken)
    assert text is not None
    assert text.decode() == mended
    orjson.loads(text)


@pytest.mark.parametrize("broken", [b"", b'{"a":"cut', b'{"a":1', b'{"a":01}', b"{'a':1}", b'{"a":1}{', b'{"a":"x"y"}'])
def test_what_is_no_json_even_so_is_not_made_up(broken: bytes) -> None:
    """Half an answer is none."""
    assert repaired(broken) is None


@given(values)
def test_strict_json_is_not_touched(value: object) -> None:
    """Whatever a string holds."""
    raw = orjson.dumps(value)
    assert is_strict(raw)
    assert repaired(raw) == raw


@given(texts, damage, texts, st.lists(values, max_size=2))
def test_a_damaged_string_is_replaced_where_it_is_damaged(
    before: str, odd: bytes, after: str, rest: list[object]
) -> None:
    """What is around it parses to the same."""
    start, end = orjson.dumps(before)[1:-1], orjson.dumps(after)[1:-1]
    text = repaired(b'{"a":"%b%b%b","b":%b}' % (start, odd, end, orjson.dumps(rest)))
    assert text is not None
    found = orjson.loads(text)
    assert found["b"] == rest
    assert found["a"].startswith(before)
    assert found["a"].endswith(after)
    assert "\ufffd" in found["a"]


@given(st.binary(max_size=60))
def test_whatever_comes_is_strict_json_or_nothing(raw: bytes) -> None:
    """No input is an exception."""
    text = repaired(raw)
    assert text is None or is_strict(text)


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b"\xff"])
def test_a_long_line_that_is_cut_off_takes_no_longer_than_another(end: bytes) -> None:
    """An answer full of quotes, a megabyte of it, is looked at once: twice for each quote would take hours."""
    began = process_time()
    assert repaired(b'{"a":"' + rb"\"quoted\" " * 100_000 + end) is None
    assert process_time() - began < 5
