"""A file of a wrong type is recognized by its beginning; a valid drop is never taken for one."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.file_types.conversion import Conversion, conversion_of
from conveyor.file_types.detect import WINDOW, WrongFileType, reject_wrong_type
from conveyor.jsonl.complexity import MOST_VALUES
from conveyor.jsonl.lines import LONGEST_LINE
from tests.support.wrong_files import CONVERTED, JSONL, LINES, MARK, RECOGNISED, array, asked, type_of_file


def test_a_request_is_recognized_whatever_its_text_looks_like() -> None:
    """A tar archive has "ustar" at this place, with NULs around it."""
    before = b'{"custom_id":"1","params":{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"'
    line = before + b"x" * (256 - len(before)) + b'mustard please"}]}}\n'
    assert line[257:262] == b"ustar"
    assert b"".join(reject_wrong_type([line * 3])) == line * 3
    (text,) = filter(None, [type_of_file(b"x" * 256 + b"mustard")])
    assert text.code == "file-is-text"


@pytest.mark.slow
def test_an_object_of_too_many_fields_is_left_to_the_checks_of_lines() -> None:
    """Decoding the fields here would take many times their size."""
    fields = ",".join(f'"{number:x}":1' for number in range(MOST_VALUES + 1))
    data = f"{{{fields}}}".encode()
    tracemalloc.start()
    try:
        assert type_of_file(data) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(data)


def test_byte_order_marks_are_skipped_in_one_step() -> None:
    """Copying the rest for each mark would take minutes."""
    data = (MARK + b"\n") * 1_000_000 + b"{}"
    assert b"".join(reject_wrong_type([data])) == data


@pytest.mark.parametrize(("code", "data", "words"), RECOGNISED.values(), ids=RECOGNISED)
def test_a_file_that_no_command_converts_is_reported_with_what_to_do(code: str, data: bytes, words: str) -> None:
    """It needs a recipe, or another file."""
    wrong = type_of_file(data)
    assert wrong is not None
    assert wrong.code == code
    assert words in str(wrong)
    has_recipe = "From a t" in str(wrong) or "docs/files.md" in str(wrong)
    found = conversion_of(wrong.file_type, "inbox/x.jsonl", 0)
    assert (found and replace(found, prepare="")) == (Conversion("", "requests.jsonl") if has_recipe else None)
    assert "skip" not in str(wrong)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["requests", "data", "columns", "error", "method", "x"]) | st.text(max_size=5)


@st.composite
def good_lines(draw: st.DrawFn) -> bytes:
    """Draw a request in any style: with other keys, in any order, on one line."""
    line: dict[str, Any] = draw(st.dictionaries(names, values, max_size=3))
    line |= {"custom_id": draw(st.text(min_size=1) | st.integers())}
    line |= {draw(st.sampled_from(["params", "body"])): draw(st.dictionaries(names, values, max_size=3))}
    order = draw(st.permutations(list(line)))
    written = json.dumps({name: line[name] for name in order}, ensure_ascii=draw(st.booleans()))
    begin = draw(st.sampled_from([b"", b" ", b"\t", MARK, MARK + b" ", b"\r"]))
    return begin + written.encode(errors="replace") + draw(st.sampled_from([b"", b"\r", b" "]))


blank = st.lists(st.sampled_from([b"\n", b"\r\n", b" \n", b"\t\r\n", MARK + b"\n"]), max_size=5).map(b"".join)
others = st.sampled_from(
    [b"[]", b"[", b"]", b"x", b"{", b"}", b"a,b", b"<html>", b"{'a': 1}", b'"x"', b"\xff", b"\0", b"{},"]
)


@given(blank, good_lines(), st.lists(good_lines() | others | st.just(b"")), st.integers(1, 99), st.booleans())
@example(b"", b'{"custom_id":"a","params":{\r"model":"m"}}', [b"{}"], 99, False)  # noqa: FBT003  # as it is drawn
def test_a_file_that_begins_with_a_request_is_passed_on_as_it_is(
    before: bytes,
    first: bytes,
    more: list[bytes],
    size: int,
    ended: bool,  # noqa: FBT001
) -> None:
    """Later lines may contain anything: the checks of lines report it."""
    assert type_of_file(before + b"\n".join([first, *more]) + b"\n" * ended, size) is None


@pytest.mark.slow
@given(st.lists(others, min_size=1, max_size=3), st.lists(good_lines(), min_size=3, max_size=5), st.integers(1, 99))
@example([b"[", b"{},"], [b'{"custom_id": "a", "params": {}}'] * 3, 99)
def test_a_file_of_which_only_the_first_lines_are_wrong_is_one_of_lines(
    broken: list[bytes], good: list[bytes], size: int
) -> None:
    """They are reported as faults of lines."""
    assert type_of_file(b"\n".join([*broken, *good]), size) is None


@given(
    st.sampled_from([data for _, data in CONVERTED.values()] + [data for _, data, _ in RECOGNISED.values()]),
    st.integers(1, 999),
)
def test_a_type_is_recognized_however_the_file_is_cut(data: bytes, size: int) -> None:
    """S3 returns it in ranges, and gzip in pieces."""
    whole, cut = type_of_file(data), type_of_file(data, size)
    assert str(cut) == str(whole)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_no_content_makes_the_detection_fail(data: bytes, size: int) -> None:
    """No content raises an unexpected exception."""
    assert str(type_of_file(data, size)) == str(type_of_file(data))


def test_a_first_line_as_long_as_a_line_may_be_is_passed_on() -> None:
    """All of it is read, even if it begins like another type."""
    line = b'{"requests": [{"a": "' + b"x" * (LONGEST_LINE - 99) + b'"}], "custom_id": "a", "params": {}}'
    assert len(line) <= LONGEST_LINE
    assert type_of_file(line + b"\n" + JSONL) is None


def test_a_body_on_a_line_that_is_too_long_to_be_a_request_is_reported() -> None:
    """So are an array, and lines that end with a carriage return; none needs to be read to its end."""
    one = json.dumps(asked(1, "x" * WINDOW)).encode()
    many = [one] * (LONGEST_LINE // len(one) + 2)
    for data, code in (
        (b'{"requests": [' + b",".join(many) + b"]}", "file-is-request-body"),
        (b"[" + b",".join(many) + b"]", "file-is-json-array"),
        (b"\r".join(many), "file-has-cr-lines"),
    ):
        wrong = type_of_file(data)
        assert wrong is not None
        assert wrong.code == code


def test_blank_lines_before_the_first_one_are_not_held() -> None:
    """Any number of them is passed on without being stored."""
    taken = []

    def chunks() -> Iterator[bytes]:
        for number in range(5):
            taken.append(number)
            yield b"\n" * 100
        yield array()

    passed = reject_wrong_type(chunks())
    assert next(passed) == b"\n" * 100
    assert taken == [0]
    with pytest.raises(WrongFileType):
        list(passed)


def test_a_comma_at_the_end_of_a_large_array_is_found() -> None:
    """It is far beyond the part that is read first."""
    many = b"[" + b",\n".join([LINES[0].encode()] * 9000) + b",\n]\n"
    assert len(many) > 2 * WINDOW
    wrong = type_of_file(many, 100_000)
    assert wrong is not None
    assert "comma after its last element" in str(wrong)
