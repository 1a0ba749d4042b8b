"""The fast path accepts only what the check of each line accepts, and reads the same."""

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.fast_path import GOOD, read_each, read_fast

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
        b'{"type":"x"}', b'[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]',
        b'[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"5m"}}]', b'[{"type":"web_2026"}]',
        b'[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","t\\u0074l":"1h"}}]}]',
        b'[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"iVBORw0KGgo\\/"}}]}]',
        b'[{"role":"user","content":[{"type":"document","source":{"type":"base64","data":"JVBERi0="}}]}]',
        b'[{"role":"user","content":[{"type":"document","source":{"type":"text","data":"x"},"citations":{}}]}]',
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
    """Draw a valid line with one, two or three arbitrary changes."""
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
def test_the_fast_path_accepts_only_what_the_check_of_each_line_accepts(lines: list[bytes], one_model: bool) -> None:  # noqa: FBT001
    """The check of each line decides: the fast path must not miss a fault or read other values."""
    accepted = read_fast(*lines, one_model=one_model)
    assert accepted is None or accepted == read_each(*lines, one_model=one_model)


@given(st.binary(max_size=40), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_a_valid_line_with_any_bytes_is_accepted_only_if_the_check_of_each_line_accepts_it(
    inserted: bytes, place: int, cut: int
) -> None:
    """The bytes may be anywhere and replace anything, including line feeds."""
    lines = (GOOD, GOOD[:place] + inserted + GOOD[max(place, cut) :], GOOD)
    accepted = read_fast(*lines)
    assert accepted is None or accepted == read_each(*b"\n".join(lines).split(b"\n"))
