"""Requests as they are sent."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.dialect import Dialect
from conveyor.domain.drop import nonce, wire_id
from conveyor.jsonl.lines import read_blocks, read_lines
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import BODY, CHAT, DIALECTS, MESSAGES, PARAMS, RUN, line, settings

WRITTEN = b'{ "a":1.0}'
POST = b'"method":"POST","url":"/v1/messages",'
dialects = st.sampled_from(list(DIALECTS.values()))


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [
        (MESSAGES, b'{"custom_id":"%b","params":{ "a":1.0}}'),
        (PARAMS, b'{"custom_id":"%b","params":{ "a":1.0}}'),
        (BODY, b'{"custom_id":"%b",' + POST + b'"body":{ "a":1.0}}'),
        (CHAT, b'{"custom_id":"%b",' + POST.replace(b"messages", b"chat/completions") + b'"body":{ "a":1.0}}'),
    ],
)
def test_the_users_params_stay_as_they_were_written(dialect: Dialect, wanted: bytes) -> None:
    """They follow an id that identifies the line."""
    sent = Envelope(dialect.form, RUN, 5).requests([17], [WRITTEN], [False])
    assert sent == wanted % wire_id(nonce(RUN), 17).encode()


def test_a_default_is_put_before_what_the_user_wrote() -> None:
    """The rest is unchanged byte for byte."""
    wanted = b'{"custom_id":"%b","params":{"max_tokens":5, "a":1.0}}' % wire_id(nonce(RUN), 17).encode()
    assert Envelope(MESSAGES.form, RUN, 5).requests([17], [WRITTEN], [True]) == wanted


@given(
    st.integers(1, 10**6),
    st.lists(st.tuples(st.binary(max_size=9), st.booleans()), min_size=1),
    st.integers(0, 99),
    dialects,
)
def test_the_length_of_many_requests_is_known_from_sums(
    first: int, requests: list[tuple[bytes, bool]], default: int, dialect: Dialect
) -> None:
    """The length is announced before the first request is written."""
    envelope = Envelope(dialect.form, RUN, default)
    sent = envelope.requests(
        range(first, first + len(requests)), [b"{" + rest for rest, _ in requests], [each for _, each in requests]
    )
    params = sum(1 + len(rest) + envelope.growth(rest) for rest, _ in requests)
    defaulted = sum(defaulted for _, defaulted in requests)
    assert envelope.size(first, first + len(requests) - 1, params, defaulted) == len(sent)


ITEMS = st.sampled_from(
    [
        line("a"),
        line("b", max_tokens=None),
        line("c").replace(b"max_tokens", b"max\\u005ftokens"),
        b'{"params": {}, "x": {"params": 5}, ' + line("d")[1:],
        b" \t" + line("e", system="[\u2028]") + b"\r",
        line("\u2028\u2029\x85", system="\u2029 \u0085\u2028 \u0165\u2020\u2027"),
        line("\u2029").replace(b'"m",', b'"m",\r\t\r'),
        line("f").replace(b'"max_tokens":5', b'"max_tokens":5,"max_tokens":6'),
        b"",
        b" \r",
        b"not a request",
        line("g", max_tokens=0),
        line("h", model="n"),
        line("i", model="n", max_tokens=None),
        line("j", tools=[]),
        line("k", messages=None, max_tokens=None),
        line("l").replace(b'"model"', b'"stream":null , "model"'),
        line("m", max_tokens=None).replace(b"}}", b', "max_tokens" : null }}'),
        line("n").replace(b'"model"', b'"a":null,"model"').replace(b"}}", b',"b":null,"c":null}}'),
        line("o", system="null\u2028").replace(b"}}", b',"x\xe2\x80\xa8":null}}'),
        line("p").replace(b'"params"', b'"body"'),
        line("q")
        .replace(b'"params"', b'"method":"POST","url":"/v1/messages","body"')
        .replace(b"}}", b',"top_k":null}}'),
        line("r").replace(b'"r"', b"7"),
    ]
)


def sent_of(dialect: Dialect, body: bytes) -> list[dict[str, Any]]:
    """Return the requests of a body as a provider of the dialect reads them."""
    if dialect is MESSAGES:
        requests: list[dict[str, Any]] = orjson.loads(body)["requests"]
        return requests
    assert body.endswith(b"\n")
    return [orjson.loads(each) for each in body.removesuffix(b"\n").split(b"\n")]


@pytest.mark.slow
@given(st.lists(ITEMS, max_size=6), st.booleans(), st.booleans(), st.integers(1, 3), dialects)
def test_what_is_sent_is_what_was_checked(
    items: list[bytes],
    marked: bool,  # noqa: FBT001
    ended: bool,  # noqa: FBT001
    per_batch: int,
    dialect: Dialect,
) -> None:
    """Each valid line is sent once and with the announced length, whatever its format and the lines around it.

    The body has the format of the dialect.
    """
    numbered = [
        each.replace(b'"custom_id":"', b'"custom_id":"%d' % number).replace(
            b'"custom_id":7', b'"custom_id":-7%d' % number
        )
        for number, each in enumerate(items)
    ]
    data = b"\xef\xbb\xbf" * marked + b"\n".join(numbered) + b"\n" * ended
    drop_settings = settings(max_requests_per_batch=per_batch)
    form, rules = dialect.form, Rules(dialect, drop_settings.default_max_tokens)
    envelope = Envelope(form, RUN, drop_settings.default_max_tokens)
    checked = [(each.number, read_request(each, rules)) for each in read_lines([data])]
    good = [(number, request) for number, request in checked if isinstance(request, Request)]
    wanted = [
        envelope.requests([number], [each.params], [dialect.is_message and each.max_tokens is None])
        for number, each in good
    ]
    bodies: list[bytes] = []
    for batch in check_drop(RUN, drop_settings, dialect, lambda: [data]).batches:
        stretches = read_blocks([data[batch.first_byte : batch.end_byte]], start=batch.first_byte)
        body = b"".join(envelope.body(batch, stretches))
        if batch.requests:
            assert len(body) == batch.body_bytes
            bodies.append(body)
        sent = sent_of(dialect, body) if batch.requests else []
        assert len(sent) == batch.requests
        if dialect.one_model and sent:
            assert {request["body"]["model"] for request in sent} == {batch.model}
    inner = [body.removeprefix(form.start).removesuffix(form.end) for body in bodies]
    assert form.separator.join(inner) == form.separator.join(wanted)


@pytest.mark.parametrize(
    ("dialect", "name", "call"),
    [
        (PARAMS, "params", {}),
        (BODY, "body", {"method": "POST", "url": "/v1/messages"}),
        (CHAT, "body", {"method": "POST", "url": "/v1/chat/completions"}),
    ],
)
def test_a_file_holds_one_json_object_on_each_line(dialect: Dialect, name: str, call: dict[str, str]) -> None:
    """It has an id, the params or body, and method and url if the format has them; no other line feeds."""
    data = line("a", system="a\u2028\n") + b"\n\n" + line("b", max_tokens=7)
    (batch,) = check_drop(RUN, settings(), dialect, lambda: [data]).batches
    body = b"".join(Envelope(dialect.form, RUN, 16).body(batch, read_blocks([data])))
    given = [orjson.loads(each)["params"] for each in data.split(b"\n\n")]
    assert body.count(b"\n") == 2
    assert [orjson.loads(each) for each in body.splitlines()] == [
        {"custom_id": wire_id(nonce(RUN), number), **call, name: params}
        for number, params in zip((1, 3), given, strict=True)
    ]


ENDS = "\u2028\u2029\x85"
WORDS = st.text(st.sampled_from(f'{ENDS}\n\r\v\f\x1c\x1d\x1e\\"/uaé\u2020\u2027\u202a\x86Ã…日\U0001f600'), max_size=20)
TEXTS = st.lists(st.tuples(WORDS, WORDS, st.booleans(), st.booleans()), min_size=1, max_size=8)


@given(TEXTS, st.sampled_from([PARAMS, BODY, CHAT]))
def test_a_file_has_as_many_lines_as_requests_whoever_counts_them(
    texts: list[tuple[str, str, bool, bool]], dialect: Dialect
) -> None:
    """Strings and ids may contain anything; the length is as announced, and the values are unchanged.

    Both paths are tested: an unknown field or a carriage return ends the fast path.
    """
    lines = []
    for number, (custom_id, text, odd, spaced) in enumerate(texts):
        extra = {"x": {text: text}} if odd else {"system": f"x{text}"}
        written = line(f"{custom_id[:10]}{number}", messages=[{"role": "user", "content": f"x{text}"}], **extra)
        lines.append(written.replace(b'"m",', b'"m",\r\r') if spaced else written)
    data = b"\n".join(lines) + b"\n"
    (batch,) = check_drop(RUN, settings(), dialect, lambda: [data]).batches
    body = b"".join(Envelope(dialect.form, RUN, 16).body(batch, read_blocks([data])))
    assert len(body) == batch.body_bytes
    assert len(body.decode().splitlines()) == body.count(b"\n") == batch.requests == len(texts)
    field = "params" if dialect is PARAMS else "body"
    sent = [orjson.loads(each)[field] for each in body.decode().splitlines()]
    assert sent == [orjson.loads(each)["params"] for each in lines]


def test_only_what_may_end_a_line_is_escaped_and_only_in_files() -> None:
    """Everything else is unchanged byte for byte; a body that is one JSON value has no lines."""
    params = '{"a":"é\u2027\u2028\u2029\u202a\x84\x85\x86日\\u2028","b":"\\r"}'.encode()
    in_file = '{"a":"é\u2027\\u2028\\u2029\u202a\x84\\u0085\x86日\\u2028","b":"\\r"}'.encode()
    for dialect, wanted in ((PARAMS, in_file), (BODY, in_file), (CHAT, in_file), (MESSAGES, params)):
        assert wanted in Envelope(dialect.form, RUN, 5).requests([17], [params], [False])


def test_a_request_is_as_large_as_it_is_sent() -> None:
    """A request that is too large once escaped is refused before anything is sent."""
    data = line("a", system="x" + "\u2028" * 500) + b"\n"
    small = settings(max_bytes_per_batch=len(data) + 200)
    assert check_drop(RUN, small, MESSAGES, lambda: [data]).faults == []
    (fault,) = check_drop(RUN, small, PARAMS, lambda: [data]).faults
    assert fault.code == "request-too-large"
