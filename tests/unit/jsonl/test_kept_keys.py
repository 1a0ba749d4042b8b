"""Which keys of a line come back with its outcome, and how they are written."""

import json

import msgspec
import orjson
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.members import kept_members
from tests.support.belt import request

OURS = ["custom_id", "params", "response", "error", "line", "outcome", "retryable"]
CALL = ["body", "method", "url"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=6,
)
decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@given(values=st.dictionaries(TEXTS | st.sampled_from([*OURS[2:], *CALL]), VALUES, max_size=5), call=st.booleans())
def test_all_keys_but_ours_come_back_in_their_order_with_their_values(values: dict[str, object], *, call: bool) -> None:
    """Whatever they are called and hold; those that name the call only where lines may name one."""
    values = {name: value for name, value in values.items() if name not in OURS[:2]}
    line = orjson.dumps({**orjson.loads(request("a")), **values})
    members = kept_members(decode(line), names_call=call)
    ours = {*OURS, *CALL} if call else {*OURS}
    kept = [(name, value) for name, value in values.items() if name not in ours]
    assert list(orjson.loads(b'{"first":0' + members + b"}").items())[1:] == kept
    assert bool(members) is bool(kept)


def test_a_value_is_not_written_anew() -> None:
    """Numbers keep their digits, and texts their escapes."""
    line = b'{"custom_id":"a","n":1.50E+3 , "t":"\\u00e9\\/", "o":{"b": [1,  2]},"params":{}}'
    assert kept_members(decode(line), names_call=False) == b',"n":1.50E+3,"t":"\\u00e9\\/","o":{"b": [1,  2]}'


@given(
    values=st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5),
    blanks=st.tuples(*[st.text("\r\t ", max_size=2)] * 2),
)
def test_a_carriage_return_between_the_parts_of_a_value_is_a_blank(
    values: dict[str, object], blanks: tuple[str, str]
) -> None:
    """Athena, and others that end a line at one, would make two rows of it. All else is as it was written."""
    values = {name: value for name, value in values.items() if name not in OURS}
    line = json.dumps(
        {"custom_id": "a", "params": {}, **values}, separators=(f",{blanks[0]}", f":{blanks[1]}")
    ).encode()
    members = kept_members(decode(line), names_call=False)
    assert b"\r" not in members
    assert orjson.loads(b'{"first":0' + members + b"}") == {"first": 0, **values}
    assert members == kept_members(decode(line.replace(b"\r", b" ")), names_call=False)
