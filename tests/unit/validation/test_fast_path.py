"""A glance at many lines takes only what a look at each would take, and reads the same in it."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conveyor.jsonl.lines import LineBlock, read_lines
from conveyor.jsonl.template import Frame
from conveyor.validation.fast_path import _SHAPE, FastPath, FastPathResult
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES

RULES = Rules(MESSAGES, 16)


def taken(*lines: bytes, one_model: bool = False) -> FastPathResult | None:
    """Glance at some lines."""
    data = b"".join(line + b"\n" for line in lines)
    return told(FastPath(one_model=one_model).read(LineBlock(data, 0, len(data), 0)))


def told(seen: FastPathResult | None) -> FastPathResult | None:
    """Leave out of a glance what it keeps for further questions."""
    return seen and seen._replace(rows=())


def looked_at(*lines: bytes, one_model: bool = False) -> FastPathResult | None:
    """Look at each of some lines; None where one is no request, or there are others than these.

    `one_model`: also where they name several.
    """
    found = [read_request(line, RULES) for line in read_lines([b"".join(line + b"\n" for line in lines)])]
    requests = [request for request in found if isinstance(request, Request)]
    if len(requests) != len(lines) or len(found) != len(lines):
        return None
    models = {request.model for request in requests} if one_model else {""}
    if len(models) != 1:
        return None
    tokens = [request.max_tokens for request in requests]
    return FastPathResult(
        [str(request.custom_id) for request in requests],
        sum(len(request.params) for request in requests),
        sum(token for token in tokens if token),
        tokens.count(None),
        models.pop(),
        (),
    )


def usual(custom_id: Any = "a", **changes: Any) -> dict[str, Any]:
    """Make a request with some fields of `params` changed; None takes one away."""
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], **changes}
    return {"custom_id": custom_id, "params": {name: value for name, value in body.items() if value is not None}}


def written(request: Any, spaces: str = "") -> bytes:
    """Write JSON with or without spaces, as the usual libraries do."""
    return json.dumps(request, ensure_ascii=False).encode() if spaces else orjson.dumps(request)


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
def test_what_is_usual_is_taken_at_a_glance(request_: dict[str, Any], spaces: str) -> None:
    """Else all of it would be slow."""
    first = request_["custom_id"]
    ids = (first, 5, 6) if isinstance(first, int) else (first, "b", "c")
    lines = [written(request_ | {"custom_id": name}, spaces) for name in ids]
    assert taken(*lines) == looked_at(*lines)
    assert taken(*lines) is not None


def test_white_space_of_any_style_is_taken_if_all_lines_have_it() -> None:
    """And of line ends of Windows, which are no part of what is sent."""
    lines = [
        b' { "custom_id" :"%d","params" :  {"model":"m","messages":[{"role":"user","content":"Hi"}] } }\r' % n
        for n in (1, 2)
    ]
    assert taken(*lines) == looked_at(*lines)
    assert taken(*lines) is not None


def test_an_integer_as_id_ends_with_its_digits() -> None:
    """White space behind it was taken for a part of it, and all of that looked at again from each of its bytes."""
    lines = [b'{"custom_id":%d%b\r,"params":%b}' % (n, b" " * 50, written(usual()["params"])) for n in (1, 2)]
    assert Frame.of(_SHAPE, lines[0] + b"\n", 0) is None
    assert looked_at(*lines) is not None


GOOD = written(usual())
PARAMS = written(usual()["params"])


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
def test_what_is_written_otherwise_is_left_to_a_closer_look(lines: tuple[bytes, ...]) -> None:
    """Also where it is good: its length could not be told from the length of its line."""
    assert taken(*lines) is None


def test_a_style_that_changes_in_the_middle_of_a_drop_is_followed() -> None:
    """Files are put together from others."""
    fast_path = FastPath()
    for spaces in ("", " ", ""):
        data = written(usual(), spaces) + b"\n"
        assert told(fast_path.read(LineBlock(data, 0, len(data), 0))) == looked_at(data[:-1])


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
def test_a_field_that_is_given_twice_does_not_hide_between_messages(message: bytes, between: bytes, end: bytes) -> None:
    """Where a line is alike up to its first text, and from the end of its last one on."""
    head = b'{"custom_id":"%b","params":{"model":"m","max_tokens":5,"messages":['
    good = head % b"a" + message + b"]" + end + b"}}"
    assert taken(good, good.replace(b'"a"', b'"b"')) is not None
    bad = head % b"b" + message + b"]," + between + b',"messages":[' + message + b"]" + end + b"}}"
    assert looked_at(bad) is None
    for lines in ((bad,), (good, bad), (bad, good), (good, good.replace(b'"a"', b'"c"'), bad)):
        assert taken(*lines) is None


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
def test_a_field_that_is_given_twice_does_not_hide_at_the_end(end: bytes) -> None:
    """Also where the lines are alike."""
    lines = [
        b'{"custom_id":"%d","params":{"model":"m","max_tokens":5,"messages":[%b],%b}}' % (n, MESSAGE, end)
        for n in (1, 2)
    ]
    assert looked_at(lines[0]) is None
    assert taken(*lines) is None


@pytest.mark.parametrize(
    "changes", [{"max_tokens": 6}, {"model": "other"}, {"temperature": 1}, {"system": "s"}, {"top_k": 1}]
)
def test_lines_that_differ_before_their_first_text_are_taken_too(changes: dict[str, Any]) -> None:
    """They only take a little longer."""
    lines = [written(usual("a")), written(usual("b", **changes)), written(usual("c", temperature=0, system="x"))]
    assert taken(*lines) == looked_at(*lines)
    assert taken(*lines) is not None


ODD = st.sampled_from(
    [
b"1e999", b"-1e999", b"1E+400", b"9" * 400, b"-" + b"9" * 400, b"1e-999", b"0.1e309", b"-0", b"01", b"1.",
        b".5", b"1e", b"+1", b"NaN", b"Infinity", b"-Infinity", b"5.0", b"5e0", b"1e2", b"9007199254740992",
        b"9007199254740991", b"18446744073709551616", b"0", b"-1", b"true", b"false", b"null", b'""', b'"x"', b"[]",
        b"{}", b"[1e999]", b'{"a":1e999}', b'{"a":%b}' % (b"9" * 400), b"[" * 1500 + b"]" * 1500,
        b'{"a":' * 1100 + b"1" + b"}" * 1100, b"[" * 1020 + b"]" * 1020, b'"\\ud800"', b'"\\udc00\\ud800"',
        b'"\\ud83d\\ude00"', b'"\\uD800x"', b'"\\ud800\\n"', b'{"\\ud800":1}', b'["\\udfff"]', b'"\\x"', b'"\xff"',
        b'["\xff"]', b'{"\xc0\x80":1}', b'"\xed\xa0\x80"', b'"\x01"', b'"\x7f"', b'"a\tb"', b'"\xe2\x80\xa8"',
        b'"\\u0000"', b'"\\/"', b'"unended', b"[1,]", b'{"a":1,}', b"nul", b"", b"1 1", b'"a" "b"', b"//",
        b'{"a":1,"a":2}', b'[{"type":"text","text":"x"}]', b'[{"type":"text","text":1e999}]',
        b'[{"type":"text","text":"x","text":"y"}]', b'[{"type":"text","text":"\\ud800"}]', b'[{"type":"text"}]',
        b'[{"type":"image","x":1e999}]', b'[{"type":"image","x":["\\ud800"]}]', b'[{"type":"image","x":"\xff"}]',
        b'[{"type":"image","x":%b%b}]' % (b"[" * 1018, b"]" * 1018), b'[{"type":"text","text":"x"} ]', b"[ ]",
        b'[{"role":"user","content":"x"}]', b'[{"role":"user","content":"x","x":1e999}]',
        b'" "', b'"1024"', b"7", b"-7", b'[{"role":"user","content":" "}]', b'[{"role":"human","content":"x"}]',
        b'[{"role":"assistant","content":""}]', b'[{"role":"user","content":[]}]', b'["x"]', b'[{"type":"function"}]',
        b'[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]',
        b'{"type":"x"}',
        b'[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"u"}},{"type":"text","text":"x"}]}]',
        b'[{"role":"user","content":[{"type":"image_url"}]}]',
        b'[{"role":"user","content":[{"type":"text","text":" "}]}]',
        b'[{"role":"user","content":"x"}],"model":"m","messages":[{"role":"user","content":"y"}]', b'5,"max_tokens":5',
        b'[{"role":1,"content":"x"}]', b'[{"role":"user","content":5}]', b'[{"role":"user","content":1e999}]',
        b'[{"role":"user","content":null}]', b'[{"role":"user","content":[1e999]}]',
        b'[{"role":"user","content":"\\ud800"}]', b'[{"role":"user"}]',
        b'[{"role":"user","content":"x","content":[1e999]}]', b'[{"role":"user","content":[1e999],"content":"x"}]',
    ]
)  # fmt: skip
FIELDS = [
    b"model", b"messages", b"max_tokens", b"system", b"temperature", b"top_p", b"top_k", b"stop_sequences", b"metadata",
    b"service_tier", b"thinking", b"tools", b"tool_choice", b"output_config", b"output_format", b"stream", b"speed",
    b"made", b"mod\\u0065l", b"x", b"max_token", b"betas", b"fallbacks", b"container",
]  # fmt: skip
gaps = st.sampled_from([b"", b"", b"", b" ", b"\t", b" \r", b"\xc2\xa0", b"\x0c"])


@st.composite
def odd_lines(draw: st.DrawFn) -> bytes:
    """Write a line that is good but for one, two or three things, which may be anything."""
    fields = [(b"model", b'"m"'), (b"max_tokens", b"5"), (b"messages", b'[{"role":"user","content":"Hi"}]')]
    for _ in range(draw(st.integers(0, 3))):
        fields.insert(draw(st.integers(0, len(fields))), (draw(st.sampled_from(FIELDS)), draw(ODD)))
    gap = draw(gaps)
    params = b"{%b}" % (b"," + gap).join(b'"%b":%b%b' % (name, gap, value) for name, value in fields)
    keys = [
        (b"custom_id", draw(st.sampled_from([b'"a"', b'"b"', b'"\xc3\xa9"', b'"\\n"', b'""']) | ODD)),
        (b"params", params),
    ]
    if draw(st.integers(0, 9)) == 0:
        keys.insert(
            draw(st.integers(0, 2)), draw(st.sampled_from([(b"params", params), (b"x", b"1e999"), (b"x", b'"\xff"')]))
        )
    inner = b",".join(b'"%b":%b%b' % (name, draw(gaps), value) for name, value in keys)
    return (
        draw(gaps)
        + b"{"
        + inner
        + draw(gaps)
        + b"}"
        + draw(gaps)
        + draw(st.sampled_from([b"", b"", b"", b"}", b"x", b"{}", GOOD]))
    )


@given(st.lists(odd_lines() | st.just(GOOD), min_size=1, max_size=3), st.booleans())
@example([b'{"custom_id":"a","params":{"model":"m","messages":[{"role":"user","content":"\xff"}]}}'], False)  # noqa: FBT003  # as it is drawn
@example([GOOD, GOOD.replace(b'"m"', b'"n"')], True)  # noqa: FBT003  # as it is drawn
def test_a_glance_takes_only_what_a_closer_look_takes(lines: list[bytes], one_model: bool) -> None:  # noqa: FBT001
    """The closer look is the authority: speed must not let a fault through, nor change what is read."""
    found = taken(*lines, one_model=one_model)
    assert found is None or found == looked_at(*lines, one_model=one_model)


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
def test_however_usual_fields_are_put_together_nothing_is_taken_that_is_given_twice(
    pairs: list[tuple[str, Any]],
    ids: list[Any],
    spaced: bool,  # noqa: FBT001  # as it is drawn
    first: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    """Lines that are alike, or nearly."""
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
    found = taken(*lines)
    assert found is None or found == looked_at(*lines)


@given(st.binary(max_size=40), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_a_good_line_with_any_bytes_in_it_is_taken_only_if_a_closer_look_takes_it(
    inserted: bytes, place: int, cut: int
) -> None:
    """Wherever they stand, and whatever they replace: line feeds included."""
    lines = (GOOD, GOOD[:place] + inserted + GOOD[max(place, cut) :], GOOD)
    found = taken(*lines)
    assert found is None or found == looked_at(*b"\n".join(lines).split(b"\n"))


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
def test_a_value_that_is_replaced_by_a_later_one_is_looked_at_too(twice: bytes) -> None:
    """It is sent, and would spoil the body of a whole batch."""
    line = written(usual(top_k=1)).removesuffix(b"}}") + b"," + twice + b"}}"
    assert looked_at(line) is None
    assert taken(line) is None
    assert taken(line, written(usual("b", top_k=1))) is None
