"""Members of a JSON object as they are written."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.members import DuplicateKey, members, values_of, without_nulls

NAMES = ["a", "b", "é", 'c"', "d\\", "null", "x,y", "\u2028"]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-20, 20)
    | st.sampled_from([1.5, 1e9])
    | st.text(st.sampled_from('{}[],:"\\n a'), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
gaps = st.sampled_from([b"", b"", b" ", b"\t\r "])


@st.composite
def written(draw: st.DrawFn, *, once: bool) -> tuple[bytes, list[tuple[str, Any]]]:
    """Draw an object in any style, with its members."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES), json_values), max_size=5))
    pairs = list(dict(pairs).items()) if once else pairs
    pieces = []
    for name, value in pairs:
        raw = orjson.dumps(name)
        if draw(st.booleans()) and name == "a":
            raw = b'"\\u0061"'
        pieces.append(draw(gaps) + raw + draw(gaps) + b":" + draw(gaps) + orjson.dumps(value) + draw(gaps))
    return b"{" + (b",".join(pieces) or draw(gaps)) + b"}", pairs


@given(written(once=True))
def test_members_are_at_the_reported_places(object_: tuple[bytes, list[tuple[str, Any]]]) -> None:
    """They are in order, whatever their values are."""
    raw, pairs = object_
    found = [orjson.loads(b"{" + raw[member.start : member.end] + b"}") for member in members(raw)]
    assert found == [dict([pair]) for pair in pairs]
    assert {name: orjson.loads(bytes(value)) for name, value in values_of(raw).items()} == dict(pairs)


@given(written(once=True))
def test_null_members_are_removed_and_nothing_else_changes(object_: tuple[bytes, list[tuple[str, Any]]]) -> None:
    """White space around other members is unchanged, too."""
    raw, pairs = object_
    cut = without_nulls(raw)
    assert orjson.loads(cut) == {name: value for name, value in pairs if value is not None}
    assert (cut == raw) is all(value is not None for _, value in pairs)
    rest = iter(raw)
    assert all(byte in rest for byte in cut), "nothing is added"
    assert without_nulls(cut) == cut


@given(written(once=False))
def test_a_duplicate_name_is_found(object_: tuple[bytes, list[tuple[str, Any]]]) -> None:
    """Both may be written in any way and have any values, even values that begin alike."""
    raw, pairs = object_
    names = [name for name, _ in pairs]
    if len(set(names)) == len(names):
        assert len(values_of(raw)) == len(members(raw)) == len(names)
        return
    for read in (members, values_of, without_nulls) if b"null" in raw else (members, values_of):
        with pytest.raises(DuplicateKey) as raised:
            read(raw)
        assert names.count(raised.value.name) > 1


@pytest.mark.parametrize(
    ("raw", "cut"),
    [
        (b'{"a":null}', b"{}"),
        (b'{ "a" : null }', b"{  }"),
        (b'{"a":null,"b":1}', b'{"b":1}'),
        (b'{"b":1, "a":null}', b'{"b":1}'),
        (b'{"b":1,"a":null,"c":null , "d":2,"e":null }', b'{"b":1,"d":2 }'),
        (b'{"b":[null],"c":{"d":null},"e":"null"}', b'{"b":[null],"c":{"d":null},"e":"null"}'),
    ],
)
def test_one_comma_is_removed_with_a_member(raw: bytes, cut: bytes) -> None:
    """A nested null has its own meaning and is kept."""
    assert without_nulls(raw) == cut


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":12,"a":1}',
        b'{"a":1,"a":12}',
        b'{"a":1.5,"a":1}',
        b'{"a":[1],"b":2,"a":[1]}',
        b'{"a":1,"\\u0061":2}',
    ],
)
def test_numbers_that_begin_alike_are_two_values(raw: bytes) -> None:
    """Of all values, only a number may begin with another."""
    with pytest.raises(DuplicateKey):
        values_of(raw)
