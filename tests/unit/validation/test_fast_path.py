"""The fast path accepts many lines at once if all have the usual format."""

from typing import Any

import pytest

from conveyor.jsonl.frames import Frame
from conveyor.jsonl.lines import LineBlock
from conveyor.validation.fast_path import _SHAPE, FastPath
from tests.support.fast_path import GOOD, PARAMS, read_each, read_fast, usual, without_rows, written

TEXT = [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]
IMAGE = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}, *TEXT]
TOOLS = [{"name": "t", "input_schema": {"type": "object", "properties": {"x": {"type": "number", "maximum": 1e300}}}}]


@pytest.mark.parametrize("spaces", ["", " "])
@pytest.mark.parametrize(
    "request_",
    [
        usual(),
        usual("é/1 😀"),
        usual("x" * 256),
        usual(7),
        usual(1 - 2**53),
        usual(messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}] * 2),
        usual(messages=[{"role": "system", "content": TEXT}, {"role": "user", "content": TEXT}]),
        usual(system='Say "model":\n\\', temperature=0),
        usual(messages=[{"role": "user", "content": 'He said "model" and "messages":'}]),
        usual(max_tokens=None),
        usual(system="Be brief.", temperature=0.5),
        usual(system=TEXT, messages=[{"role": "user", "content": TEXT}, {"role": "assistant", "content": "No."}]),
        usual(messages=[{"role": "user", "content": 'a\n"b"\\ \u2028 é 😀'}]),
        usual(top_p=1, top_k=5, stop_sequences=["a"], metadata={"user_id": "u"}, service_tier="auto"),
        usual(
            tools=TOOLS, tool_choice={"type": "tool", "name": "t"}, thinking={"type": "enabled", "budget_tokens": 1024}
        ),
        usual(messages=[{"role": "user", "content": IMAGE}]),
    ],
)
def test_the_usual_format_is_accepted_on_the_fast_path(request_: dict[str, Any], spaces: str) -> None:
    """Otherwise the whole check would be slow."""
    first = request_["custom_id"]
    ids = (first, 5, 6) if isinstance(first, int) else (first, "b", "c")
    lines = [written(request_ | {"custom_id": name}, spaces) for name in ids]
    assert read_fast(*lines) == read_each(*lines)
    assert read_fast(*lines) is not None


def test_white_space_of_any_style_is_taken_if_all_lines_have_it() -> None:
    """Windows line ends are accepted, too; they are not sent."""
    lines = [
        b' { "custom_id" :"%d","params" :  {"model":"m","messages":[{"role":"user","content":"Hi"}] } }\r' % n
        for n in (1, 2)
    ]
    assert read_fast(*lines) == read_each(*lines)
    assert read_fast(*lines) is not None


def test_an_integer_as_id_ends_with_its_digits() -> None:
    """White space after it was once taken for a part of it, and was scanned again from each of its bytes."""
    lines = [b'{"custom_id":%d%b\r,"params":%b}' % (n, b" " * 50, written(usual()["params"])) for n in (1, 2)]
    assert Frame.of(_SHAPE, lines[0] + b"\n", 0) is None
    assert read_each(*lines) is not None


@pytest.mark.parametrize(
    "lines",
    [
        (b'{"custom_id":"a","params":%b,"params":%b}' % (PARAMS, PARAMS),),
        (b'{"custom_id":"a","params":{},"params":%b}' % PARAMS,),
        (b'{"custom_id":"b","custom_id":"a","params":%b}' % PARAMS,),
        (b'{"custom_id":"a","params":%b,"custom_id":"b"}' % PARAMS,),
        (b'{"params":%b,"custom_id":"a"}' % PARAMS,),
        (GOOD, b'{"custom_id":"a", "params":%b}' % PARAMS),
        (GOOD, b'{"custom_id":"a","params":%b }' % PARAMS),
        (GOOD, GOOD + b" "),
        (b'{"custom_id":"\\u0061","params":%b}' % PARAMS,),
        (b'{"custom_i\\u0064":"a","params":%b}' % PARAMS,),
        (b'{"custom_id":"a\\u0000","params":%b}' % PARAMS,),
        (GOOD + GOOD,),
        (GOOD + b" " + GOOD, b""),
        (GOOD + GOOD, b""),
        (GOOD, b"", GOOD),
        (GOOD + GOOD, PARAMS.replace(b"{", b"{\n", 1)),
        (
            GOOD + GOOD,
            *b'{"custom_id":"a","params":{"model":"m",\n"messages":[{"role":"user","content":"x"}]}}'.split(b"\n"),
        ),
        (written(usual(made=1)),),
        (written(usual(stream=True)),),
        (written(usual(speed="fast")),),
        (GOOD, written(usual(7))),
        (GOOD.replace(b'"a"', b"-0"),),
        (GOOD.replace(b'"a"', b"7.0"),),
        (GOOD.replace(b'"max_tokens":5', b'"max_tokens":null'),),
        (GOOD.replace(b'"max_tokens":5', b'"max_tokens":5,"temperature":null'),),
        (written(usual(messages=[{"role": "user", "content": " "}])),),
        (written(usual(messages=[{"role": "user", "content": [{"type": "text", "text": "\n"}]}])),),
        (written(usual(messages=[{"role": "human", "content": "Hi"}])),),
        (written(usual(system=" ")),),
        (written(usual(system=[{"type": "text", "text": " "}])),),
        (written(usual(tools=[{"type": "function"}])),),
        (written(usual(thinking={})),),
        (written(usual(messages=[{"role": "user", "content": [{"type": "image"}]}])),),
        (written(usual(messages=[{"role": "user", "content": [{"type": "image_url"}]}])),),
        (written(usual() | {"extra": 1}),),
    ],
)
def test_other_formats_are_left_to_the_check_of_each_line(lines: tuple[bytes, ...]) -> None:
    """Even a valid one: its length cannot be computed from the length of its line."""
    assert read_fast(*lines) is None


def test_a_style_that_changes_in_the_middle_of_a_drop_is_followed() -> None:
    """Files may be joined from others."""
    fast_path = FastPath()
    for spaces in ("", " ", ""):
        data = written(usual(), spaces) + b"\n"
        assert without_rows(fast_path.read(LineBlock(data, 0, len(data), 0))) == read_each(data[:-1])


@pytest.mark.parametrize(
    "changes", [{"max_tokens": 6}, {"model": "other"}, {"temperature": 1}, {"system": "s"}, {"top_k": 1}]
)
def test_lines_that_differ_before_their_first_text_are_accepted_too(changes: dict[str, Any]) -> None:
    """They only take slightly longer."""
    lines = [written(usual("a")), written(usual("b", **changes)), written(usual("c", temperature=0, system="x"))]
    assert read_fast(*lines) == read_each(*lines)
    assert read_fast(*lines) is not None
