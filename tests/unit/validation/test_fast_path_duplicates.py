"""No duplicate field passes the fast path, wherever it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fast_path import read_each, read_fast, usual, written

MESSAGE = b'{"role":"user","content":"Hi"}'
BLOCK = b'{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]}'


@pytest.mark.parametrize("message", [MESSAGE, BLOCK, MESSAGE + b"," + BLOCK])
@pytest.mark.parametrize(
    "between",
    [
        b'"model":"n"', b'"max_tokens":7', b'"temperature":1', b'"system":[{"type":"text","text":"x"}],"system":""',
        b'"m\\u006fdel":"n"', b'"messages":[{"role":"user","content":"x"}]', b'"model":"m","max_tokens":5',
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", [b"", b',"system":"s","temperature":0', b',"system":[{"type":"text","text":"x"}]'])
def test_a_duplicate_field_between_messages_is_found(message: bytes, between: bytes, end: bytes) -> None:
    """The lines are alike up to their first text, and after their last one."""
    head = b'{"custom_id":"%b","params":{"model":"m","max_tokens":5,"messages":['
    good = head % b"a" + message + b"]" + end + b"}}"
    assert read_fast(good, good.replace(b'"a"', b'"b"')) is not None
    bad = head % b"b" + message + b"]," + between + b',"messages":[' + message + b"]" + end + b"}}"
    assert read_each(bad) is None
    for lines in ((bad,), (good, bad), (bad, good), (good, good.replace(b'"a"', b'"c"'), bad)):
        assert read_fast(*lines) is None


@pytest.mark.parametrize(
    "end",
    [
        b'"model":"n"',
        b'"m\\u006fdel":"n"',
        b'"messages":[%b]' % MESSAGE,
        b'"max_tokens":5',
        b'"system":"s","system":""',
        b'"system":[{"type":"text","text":"x"}],"system":"s"',
        b'"system":[],"system":"s"',
    ],
)
def test_a_duplicate_field_at_the_end_is_found(end: bytes) -> None:
    """The lines may be alike."""
    lines = [
        b'{"custom_id":"%d","params":{"model":"m","max_tokens":5,"messages":[%b],%b}}' % (n, MESSAGE, end)
        for n in (1, 2)
    ]
    assert read_each(lines[0]) is None
    assert read_fast(*lines) is None


TEXTS = st.sampled_from(["Hi", "a\nb", 'say "model": 5', '"', "é", "\\", "", " ", '"}],"model":"n"'])
BLOCKS = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("text"), "text": TEXTS}, optional={"cache_control": st.just({"type": "ephemeral"})}
    ),
    max_size=2,
)
CONVERSATIONS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS | BLOCKS}),
    min_size=1,
    max_size=2,
)
PAIRS = st.lists(
    st.tuples(st.just("messages"), CONVERSATIONS)
    | st.tuples(st.just("system"), TEXTS | BLOCKS)
    | st.sampled_from([("model", "m"), ("max_tokens", 5), ("max_tokens", 6), ("temperature", 0)]),
    max_size=3,
)


@given(
    PAIRS, st.lists(st.sampled_from(["a", "b", 1, 2]), min_size=1, max_size=3), st.booleans(), st.booleans(), st.data()
)
def test_no_combination_of_usual_fields_with_a_duplicate_is_accepted(
    pairs: list[tuple[str, Any]],
    ids: list[Any],
    spaced: bool,  # noqa: FBT001  # as it is drawn
    first: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    """The lines are alike, or almost alike."""
    comma, colon = (", ", ": ") if spaced else (",", ":")
    good = [("model", "m"), ("max_tokens", 5), ("messages", [{"role": "user", "content": "Hi"}])]
    given_once = [pair for pair in good if first or pair[0] not in dict(pairs)]
    fields = [
        f"{json.dumps(name)}{colon}{json.dumps(value)}"
        for name, value in data.draw(st.permutations(given_once + pairs))
    ]
    lines = [
        f'{{"custom_id"{colon}{json.dumps(name)}{comma}"params"{colon}{{{comma.join(fields)}}}}}'.encode()
        for name in ids
    ]
    accepted = read_fast(*lines)
    assert accepted is None or accepted == read_each(*lines)


@pytest.mark.parametrize(
    "twice",
    [
        b'"tools":["\xff"],"tools":[]',
        b'"t\\u006fols":["\xff"],"tools":[]',
        b'"metadata":1e999,"metadata":{}',
        b'"metadata":%b1%b,"metadata":{}' % (b"[" * 1500, b"]" * 1500),
        b'"system":["\xff"],"system":"a"',
        b'"system":"a","messages":[{"role":"user","content":["\xff"],"content":"Hi"}]',
        b'"messages":[{"role":"user","content":[1e999]}],"messages":[{"role":"user","content":"Hi"}]',
    ],
)
def test_a_value_that_is_replaced_by_a_later_one_is_checked_too(twice: bytes) -> None:
    """It is sent, and could make the body of a whole batch invalid."""
    line = written(usual(top_k=1)).removesuffix(b"}}") + b"," + twice + b"}}"
    assert read_each(line) is None
    assert read_fast(line) is None
    assert read_fast(line, written(usual("b", top_k=1))) is None
