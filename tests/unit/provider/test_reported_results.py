"""Result lines reported from providers, and variants: each has one correct reading in both dialects."""

import orjson
import pytest

from conveyor.domain.outcome import UNREADABLE, Outcome, is_retryable
from conveyor.money.usage import Usage
from conveyor.provider.files import results as file_results
from conveyor.provider.messages import results as message_results
from tests.support.reported_lines import DECODERS, REPORTS, WIRE_ID, in_every_form, message, read, reported

ODD_TEXTS = [
    (rb"cut emoji \ud83d", "cut emoji \ufffd"),
    (rb"\ude00\ud83d\ude00", "\ufffd\U0001f600"),
    (b"bell \x07", "bell \ufffd"),
    (b"nul \x00", "nul \ufffd"),
    (b"latin \xe9", "latin \ufffd"),
    (b"half \xf0\x9f\x98", "half \ufffd"),
    (b"surrogate \xed\xa0\xbd", "surrogate \ufffd\ufffd\ufffd"),
    (rb"escape \x41", "escape \ufffdx41"),
    (rb"two \uD83D\uD83D", "two \ufffd\ufffd"),
    (b"overlong \xc0\xaf", "overlong \ufffd\ufffd"),
    (b"colour \x1b[0m", "colour \ufffd[0m"),
]


@pytest.mark.parametrize("form", range(4))
@pytest.mark.parametrize(("text", "shown"), ODD_TEXTS)
def test_invalid_characters_of_an_answer_are_replaced_and_it_is_delivered(text: bytes, shown: str, form: int) -> None:
    """Model and tokens are read, and the original line is kept."""
    dialect, line = in_every_form(message(text))[form]
    result = read(line, dialect)
    assert (result.wire_id, result.outcome, result.is_repaired, result.must_be_kept) == (
        WIRE_ID,
        "succeeded",
        True,
        True,
    )
    assert orjson.loads(result.response)["content"][0]["text"] == shown
    assert (result.model, result.usage) == ("m", Usage(3, 4))


def test_the_reported_answers_with_half_an_emoji_are_delivered() -> None:
    """There is one report for each dialect."""
    completion, answer = reported("lone-surrogate-answer.result.jsonl")
    assert read(completion).is_repaired
    assert read(answer).is_repaired
    assert read(answer, "messages").is_repaired


@pytest.mark.parametrize("form", range(4))
@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_is_cut_off_names_its_request_and_is_no_success(form: int, cut: int) -> None:
    """Another read may return the whole line; if none does, the request may have been charged."""
    dialect, line = in_every_form(message(b"x" * 40))[form]
    result = read(line[:-cut], dialect)
    assert (result.wire_id, result.outcome, result.is_broken, result.must_be_kept) == (WIRE_ID, "errored", True, True)
    assert result.error is not None
    assert result.error.type == UNREADABLE
    assert WIRE_ID in result.error.message
    assert not is_retryable(result.outcome, result.error)


@pytest.mark.parametrize("form", range(4))
def test_several_results_on_one_line_are_all_read(form: int) -> None:
    """A line feed was lost; a truncated first result still names its request."""
    dialect, first = in_every_form(message(b"a"))[form]
    second = in_every_form(message(rb"\ud83d"))[form][1].replace(b"3039-1", b"3039-2")
    third = first.replace(b"3039-1", b"3039-3")
    for glued in (first + second + third, first + b" " + second + b"\r" + third):
        results = list(DECODERS[dialect]([glued + b"\n"]))
        assert [(each.wire_id[-1], each.outcome, each.is_repaired) for each in results] == [
            ("1", "succeeded", False), ("2", "succeeded", True), ("3", "succeeded", False),
        ]  # fmt: skip
    torn, whole = DECODERS[dialect]([first[:-30] + second + b"\n"])
    assert (torn.wire_id[-1], torn.is_broken, whole.wire_id[-1], whole.is_repaired) == ("1", True, "2", True)


def test_a_broken_line_that_names_several_requests_is_a_broken_result_of_each() -> None:
    """Each is read again, and none is sent again automatically."""
    line = b'{"result":{},"custom_id":"f4ee1d3039-1"},"result":{},"custom_id":"f4ee1d3039-2"},'
    for decode in DECODERS.values():
        assert [(each.wire_id, each.is_broken) for each in decode([line])] == [
            ("f4ee1d3039-1", True), ("f4ee1d3039-2", True),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"{'custom_id': 'f4ee1d3039-1', 'response': {'id': 'x'}}", b'{\\"custom_id":"f4ee1d3039-1","result":{}}']
)
def test_a_line_that_is_no_json_names_its_request_in_every_format(line: bytes) -> None:
    """It may be an object printed by a program, for example, and may have been charged."""
    for dialect in DECODERS:
        assert (read(line, dialect).wire_id, read(line, dialect).is_broken) == (WIRE_ID, True)


@pytest.mark.parametrize(
    "line", [b"[1]", b"5", b'{"x":{"custom_id":"f4ee1d3039-1"}}', b'[{"x":{"custom_id":"f4ee1d3039-1"}}]']
)
def test_json_that_is_no_result_is_not_called_broken(line: bytes) -> None:
    """Another read would not change it."""
    for dialect in DECODERS:
        assert (read(line, dialect).wire_id, read(line, dialect).is_broken) == ("", False)


@pytest.mark.parametrize("form", range(4))
def test_an_answer_may_be_encoded_as_a_string(form: int) -> None:
    """It may contain line feeds or invalid characters, or be encoded twice."""
    answer = message(b"a")
    plain, twice = orjson.dumps(answer.decode()), orjson.dumps(orjson.dumps(answer.decode()).decode())
    crlf = orjson.dumps(orjson.dumps(orjson.loads(answer), option=orjson.OPT_INDENT_2).decode().replace("\n", "\r\n"))
    pretty = orjson.dumps(orjson.dumps(orjson.loads(answer), option=orjson.OPT_INDENT_2).decode())
    odd = orjson.dumps(message(rb"\ud83d").decode())
    for written in (plain, twice, pretty, crlf, odd):
        dialect, line = in_every_form(written)[form]
        result = read(line, dialect)
        assert result.outcome is Outcome.SUCCEEDED
        assert result.is_repaired is (written is odd)
        assert not {b"\n", b"\r"} & set(map(bytes, zip(result.response, strict=True)))
        assert orjson.loads(result.response)["content"][0]["text"] == ("\ufffd" if written is odd else "a")
        assert (result.model, result.usage) == ("m", Usage(3, 4))


@pytest.mark.parametrize("dialect", DECODERS)
def test_a_success_without_a_message_is_unreadable_and_kept(dialect: str) -> None:
    """The exception is an empty object, which is a message."""
    lines = (REPORTS / "06-result-not-object.jsonl").read_bytes().splitlines()
    results = list(DECODERS[dialect](line + b"\n" for line in lines))
    assert [result.must_be_kept for result in results] == [True] * 4 + [False]
    assert [result.outcome for result in results] == ["errored"] * 4 + ["succeeded"]
    assert {result.error.type for result in results if result.error} == {UNREADABLE}


@pytest.mark.parametrize("answer", [b'"no object"', b'"[1]"', b"[]", b"5", b"null", b"true", b'"{\\"cut\\":"', b'""'])
@pytest.mark.parametrize("form", range(4))
def test_an_answer_that_is_neither_an_object_nor_text_that_holds_one_is_unreadable(answer: bytes, form: int) -> None:
    """Its raw line is kept, and the request is not sent again."""
    dialect, line = in_every_form(answer)[form]
    result = read(line, dialect)
    assert result.error is not None
    assert (result.wire_id, result.error.type, result.must_be_kept) == (WIRE_ID, UNREADABLE, True)
    assert not is_retryable(result.outcome, result.error)


@pytest.mark.parametrize("levels", [12, 500, 900, 5_000])
@pytest.mark.parametrize("inner", [b"1", b"null", b'"boom"'])
def test_a_deep_error_hides_neither_its_request_nor_another(levels: int, inner: bytes) -> None:
    """Also beside an answer, with or without content."""
    error = b'{"a":' * levels + inner + b"}" * levels
    errored = b'{"custom_id":"%b","result":{"type":"errored","error":%b}}' % (WIRE_ID.encode(), error)
    failed = b'{"custom_id":"%b","response":null,"error":%b}' % (WIRE_ID.encode(), error)
    beside = b'{"custom_id":"%b","response":{"status_code":200,"body":%b},"error":%b}'
    within = message(b"a")[:-1] + b',"error":%b}' % error
    lines = [failed, beside % (WIRE_ID.encode(), message(b"a"), error), beside % (WIRE_ID.encode(), within, b"null")]
    for dialect, line in [("messages", errored), ("files", errored), *(("files", line) for line in lines)]:
        assert read(line, dialect).wire_id == WIRE_ID


@pytest.mark.parametrize("form", range(4))
@pytest.mark.parametrize("text", [b"a", rb"\ud83d"])
def test_results_between_brackets_and_commas_are_all_read(form: int, text: bytes) -> None:
    """An array may be on one line or several; commas and brackets belong to no result."""
    dialect, first = in_every_form(message(text))[form]
    second = first.replace(b"3039-1", b"3039-2")
    for whole in (
        first + b"," + second,
        b"[" + first + b", " + second + b"]",
        b"[" + first + b",\n" + second + b",\n]",
        b"[\n" + first + b",\n" + second + b"\n]\n",
        first + b"\n,\n" + second + b",\n",
        b"[" + first + b"]\n[" + second + b"]",
    ):
        results = list(DECODERS[dialect]([whole]))
        assert [(each.wire_id, each.outcome) for each in results] == [
            ("f4ee1d3039-1", "succeeded"), ("f4ee1d3039-2", "succeeded"),
        ]  # fmt: skip
    assert read(first + b",", dialect).is_repaired == (text != b"a")


def test_an_array_of_many_results_on_one_line_is_read_whole() -> None:
    """Fields may be in any order."""
    one = '{"result":{"type":"expired"},"custom_id":"f4ee1d3039-%d"}'
    line = ("[" + ",".join(one % number for number in range(1, 1001)) + "]").encode()
    for decode in DECODERS.values():
        assert [each.wire_id for each in decode([line])] == [f"f4ee1d3039-{number}" for number in range(1, 1001)]


@pytest.mark.parametrize("line", [b"[", b"]", b",", b"[]", b"],", b" [ ] , "])
@pytest.mark.parametrize("dialect", DECODERS)
def test_a_line_of_brackets_and_commas_belongs_to_no_request(line: bytes, dialect: str) -> None:
    """It contains no result."""
    assert list(DECODERS[dialect]([line + b"\n"])) == []


def test_a_line_that_is_too_long_may_belong_to_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of it is held in memory."""
    for module in (message_results, file_results):
        monkeypatch.setattr(module, "LONGEST_RESULT", 10)
    for decode in DECODERS.values():
        assert [each.wire_id for each in decode([b"[" * 99 + b"\n"])] == [""]
