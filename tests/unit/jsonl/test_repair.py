"""Text that is almost JSON is made JSON; the rest of it is unchanged."""

import sys
from time import process_time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.repair import is_strict, repaired

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
    ("broken", "repaired_text"),
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
def test_what_no_parser_accepts_is_replaced_and_the_rest_is_unchanged(broken: bytes, repaired_text: str) -> None:
    """Valid numbers, spaces and escapes are unchanged."""
    assert not is_strict(broken)
    text = repaired(broken)
    assert text is not None
    assert text.decode() == repaired_text
    orjson.loads(text)


@pytest.mark.parametrize("broken", [b"", b'{"a":"cut', b'{"a":1', b'{"a":01}', b"{'a':1}", b'{"a":1}{', b'{"a":"x"y"}'])
def test_what_cannot_be_repaired_is_not_invented(broken: bytes) -> None:
    """A truncated answer is not completed."""
    assert repaired(broken) is None


@given(values)
def test_strict_json_is_not_touched(value: object) -> None:
    """Strings may contain anything."""
    raw = orjson.dumps(value)
    assert is_strict(raw)
    assert repaired(raw) == raw


@given(texts, damage, texts, st.lists(values, max_size=2))
def test_a_damaged_string_is_replaced_where_it_is_damaged(
    before: str, odd: bytes, after: str, rest: list[object]
) -> None:
    """The rest decodes to the same values."""
    start, end = orjson.dumps(before)[1:-1], orjson.dumps(after)[1:-1]
    text = repaired(b'{"a":"%b%b%b","b":%b}' % (start, odd, end, orjson.dumps(rest)))
    assert text is not None
    decoded = orjson.loads(text)
    assert decoded["b"] == rest
    assert decoded["a"].startswith(before)
    assert decoded["a"].endswith(after)
    assert "\ufffd" in decoded["a"]


@given(st.binary(max_size=60))
def test_any_input_gives_strict_json_or_nothing(raw: bytes) -> None:
    """No input raises an exception."""
    text = repaired(raw)
    assert text is None or is_strict(text)


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b"\xff"])
def test_a_long_line_that_is_cut_off_takes_no_longer_than_another(end: bytes) -> None:
    """A megabyte of quotes is scanned once; two scans for each quote would take hours."""
    began = process_time()
    assert repaired(b'{"a":"' + rb"\"quoted\" " * 100_000 + end) is None
    assert process_time() - began < 5


def calls_of(raw: bytes) -> tuple[int, bytes | None]:
    """Return the number of function calls that repairing these bytes takes."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        text = repaired(raw)
    finally:
        sys.setprofile(before)
    return calls, text


FAULTS = [
    (b'{"a":%b1}', b"\x00"),
    (b'{"a":[%b1]}', b"NaN,"),
    (b'{"a":[%b1]}', b"-Infinity,"),
    (b'{"a":[%b1]}', b"1\x00,"),
    (b'{"a":[%b1]}', b'"\x1f",'),
    (b'{"a":"%b"}', rb"\ud83d"),
    (b'{"a":"%b"}', rb"ab\q"),
    (b'{"a":"%b"}', b"\x01"),
    (b'{"a":"%b"}', b"a\xff"),
]


@pytest.mark.parametrize(("around", "fault"), FAULTS)
def test_a_line_full_of_faults_takes_no_call_for_each(around: bytes, fault: bytes) -> None:
    """A line of 50 MB may have 50 million faults; several such lines would delay all results of a batch."""
    count = 400_000 // len(fault)
    calls, text = calls_of(around % (fault * count))
    assert text is not None
    orjson.loads(text)
    assert calls < count / 20


TORN = [
    rb"\ud83d\ude00",
    rb"\ud83d\ud83d\ude00\ude00",
    rb"\\\ud83d\\\ude00",
    rb"\\\"\\\n\f\a\u00af\u00e",
    b"\xef\xbb\xbf\xc3\xa9\xff",
    rb"\\",
    b"\x00\x01",
]
PLACES = range(1 << 16)[-40:]
"""How much stands before it: whatever is read at once ends within it."""


@pytest.mark.parametrize("odd", TORN)
def test_a_block_may_end_anywhere_in_a_string(odd: bytes) -> None:
    """The position of a fault makes no difference."""
    fixed = repaired(b'"%b"' % odd)
    assert fixed is not None
    for place in PLACES:
        before = b'["%b' % (b"x" * place)
        assert repaired(before + odd + b'"]') == before + fixed[1:] + b"]"


@pytest.mark.parametrize(
    "odd", [b"NaN", b"-Infinity", b"\xef\xbb\xbf1", b'"\\ud83d","NaN",-NaN', b'"a\\\\",-NaN,"b\\""']
)
def test_a_block_may_end_anywhere_between_strings(odd: bytes) -> None:
    """An invalid number, and one inside a string."""
    fixed = repaired(b"[%b]" % odd)
    assert fixed is not None
    for place in PLACES:
        before = b'{"%b":[' % (b"x" * place)
        assert repaired(before + odd + b"]}") == before + fixed[1:] + b"}"
