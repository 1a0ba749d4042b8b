"""Keys of a line beside `params`: its id, misspelled keys, duplicate keys, and the provider's own format."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.jsonl.lines import Line, read_blocks
from conveyor.validation.batch_body import Envelope
from conveyor.validation.body_fields import similar_key
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import CHAT, MESSAGES, PARAMS, RUN, files, line, settings

REPORTS = Path(__file__).parents[2] / "data" / "reports"
GOOD: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}


def checked(raw: bytes, dialect: Dialect = MESSAGES) -> Request | list[Fault]:
    """Check a line."""
    return read_request(Line(1, 0, len(raw), raw), Rules(dialect, 16))


def problems(raw: bytes | dict[str, Any], dialect: Dialect = MESSAGES) -> list[tuple[str, str]]:
    """Return code and message of each fault of a line."""
    outcome = checked(raw if isinstance(raw, bytes) else orjson.dumps(raw), dialect)
    return [] if isinstance(outcome, Request) else [(fault.code, fault.message) for fault in outcome]


@pytest.mark.parametrize("number", [7, 0, -3, 10**15, 2**53 - 1, 1 - 2**53])
def test_an_id_may_be_an_integer(number: int) -> None:
    """Databases and data frames write integers."""
    outcome = checked(line(number))
    assert isinstance(outcome, Request)
    assert outcome.custom_id == number
    assert type(outcome.custom_id) is int


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63 - 1, 2**63, 2**64 - 1, -(2**63)])
def test_an_integer_that_programs_round_is_no_id(number: int) -> None:
    """Two of them may be returned as one. It is refused on both paths of the check."""
    checker = check_drop(RUN, settings(), MESSAGES, lambda: [line(number) + b"\n" + line(5) + b"\n"])
    ((code, message),) = [(fault.code, fault.message) for fault in checker.faults]
    assert code == "custom-id-invalid"
    assert f'write it as a string, "{number}"' in message
    assert checker.faults[0].custom_id == number


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"7.0", "7.0"),
        (b"1e2", "100.0"),
        (b"18446744073709551616", "number"),
        (b"true", "true"),
        (b"[]", "array"),
        (b"{}", "object"),
        (b'""', "empty string"),
    ],
)
def test_an_id_that_is_neither_a_string_nor_an_integer_is_reported_with_its_type(written: bytes, words: str) -> None:
    """7.0 may have been 7 before a column got a gap: the check does not guess."""
    ((code, message),) = problems(b'{"custom_id":%b,"params":%b}' % (written, orjson.dumps(GOOD)))
    assert code == "custom-id-invalid"
    assert words in message


def test_an_integer_and_the_string_of_it_are_one_id() -> None:
    """Their order and distance do not matter."""
    for lines in (
        [line(7), line("7")],
        [line("7"), line(7)],
        [line(7), *(line(f"r-{n}") for n in range(400)), line("7")],
    ):
        checker = check_drop(RUN, settings(), MESSAGES, lambda lines=lines: [b"\n".join(lines)])  # type: ignore[misc]
        (fault,) = checker.faults
        assert (fault.code, fault.line, fault.message) == (
            "custom-id-duplicate",
            len(lines),
            '"custom_id" is already used on line 1',
        )
        assert fault.custom_id == orjson.loads(lines[-1])["custom_id"]
    assert not check_drop(RUN, settings(), MESSAGES, lambda: [line(7) + b"\n" + line("07") + b"\n" + line(-7)]).faults


@pytest.mark.parametrize(
    "name",
    [
        "customId",
        "customID",
        "custom-id",
        "CUSTOM_ID",
        "custom id",
        "customid",
        "cutsom_id",
        "id",
        "ID",
        "request_id",
        "requestId",
        "recordId",
        "key",
    ],
)
def test_a_misspelled_custom_id_is_reported_with_the_right_name(name: str) -> None:
    """It is not read as the id: it may be another field."""
    quoted = f' "{name}"' if " " not in name else ""
    message = f'unknown key{quoted}; did you mean "custom_id"?'
    assert problems({name: "a", "params": GOOD}) == [("custom-id-misspelt", message)]
    assert problems({name: "a", "custom_id": "b", "params": GOOD}) == []


def test_only_the_first_keys_of_a_line_are_compared() -> None:
    """A line may have millions of keys, and keys of millions of characters."""
    few = {f"k{number}": 1 for number in range(49)}
    assert similar_key([*few, "customId"], "custom_id", ()) == "customId"
    assert similar_key([*few, "k", "customId"], "custom_id", ()) is None
    assert similar_key(["c-" * 40 + "customid"], "custom_id", {"c" * 40 + "customid"}) is None
    assert [code for code, _ in problems({**few, "k": 1, "customId": 1, "params": GOOD})] == ["custom-id-missing"]


@pytest.mark.parametrize("name", ["param", "Params", "parameters", "request", "modelInput", "payload"])
def test_misspelled_params_are_reported_with_the_right_name(name: str) -> None:
    """Names in other APIs count, too."""
    ((code, message),) = problems({"custom_id": "a", name: GOOD})
    assert (code, name in message, '"params"' in message) == ("params-misspelt", True, True)


def test_fields_beside_params_instead_of_inside_are_reported_once() -> None:
    """All names are in one fault, and fields missing in `params` are not reported."""
    ((code, message),) = problems({"custom_id": "a", **GOOD})
    assert code == "fields-beside-params"
    assert all(f'"{name}"' in message for name in GOOD)
    for name, value in GOOD.items():
        inside = {key: other for key, other in GOOD.items() if key != name}
        assert [code for code, _ in problems({"custom_id": "a", "params": inside, name: value})] == [code]
    assert [code for code, _ in problems({"custom_id": "a", "params": GOOD, "system": "Be brief."})] == [code]


def test_other_keys_beside_params_are_no_fault() -> None:
    """They are not sent, even if `params` has the same field."""
    assert problems({"custom_id": "a", "note": 1, "metadata": {"x": 1}, "id": 5, "params": GOOD}) == []
    assert problems({"custom_id": "a", "model": "mine", "params": GOOD}) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"custom_id":"a","params":%b,"params":%b}', 'the line has a duplicate "params" key:'),
        (b'{"custom_id":"a","custom_id":"b","params":%b,"x":%b}', 'the line has a duplicate "custom_id" key:'),
        (b'{"custom_id":"a","custom_id":"a","params":%b,"x":%b}', 'the line has a duplicate "custom_id" key:'),
        (b'{"custom_id":"a","x":%b,"x":1,"params":%b}', 'the line has a duplicate "x" key:'),
        (b'{"custom_id":"a","p\\u0061rams":%b,"params":%b}', 'the line has a duplicate "params" key:'),
        (b'{"custom_id":"a","my note":1,"my note":%b,"params":%b}', "the line has a duplicate key:"),
    ],
)
def test_a_duplicate_key_of_the_line_is_a_fault(raw: bytes, message: str) -> None:
    """One of the values would be lost silently."""
    ((code, found_message),) = problems(raw % (orjson.dumps(GOOD), orjson.dumps(GOOD)))
    assert (code, found_message.startswith(message)) == ("key-twice", True)


@pytest.mark.parametrize(
    "twice",
    [
        b'"model":"m","model":"m"',
        b'"max_tokens":5,"max_tokens":6',
        b'"max_tokens":50,"max_tokens":5',
        b'"x":1,"x":1',
        b'"stream":true,"stream":null',
        b'"stream":null,"stream":true',
        b'"system":"a","s\\u0079stem":"b"',
        b'"temperature":0,"temperature":1',
        b'"messages":[{"role":"user","content":"dear"}],"messages":[{"role":"user","content":"Hi"}]',
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_duplicate_field_of_params_is_a_fault(twice: bytes, *, last: bool) -> None:
    """The reader decides which value counts. It is found anywhere and on both paths of the check."""
    names = {bytes(name) for name in twice.replace(b"\\u0079", b"y").split(b'"')[1::2]}
    rest = {name: value for name, value in GOOD.items() if name.encode() not in names}
    written = orjson.dumps(rest)[1:-1]
    raw = b'{"custom_id":"a","params":{%b}}' % b",".join([written, twice] if last else [twice, written])
    (fault,) = [code for code, _ in problems(raw) if code != "field-refused"]
    assert fault == "key-twice"
    checker = check_drop(RUN, settings(), MESSAGES, lambda: [raw + b"\n" + line("b") + b"\n"])
    assert {each.code for each in checker.faults} - {"field-refused"} == {"key-twice"}
    assert problems(raw, CHAT) == []


def test_a_nested_key_may_be_duplicate() -> None:
    """It is sent unchanged."""
    raw = line("a", tools=[{"name": "t", "input_schema": {"x": 1}}]).replace(b'"x":1', b'"x":1,"x":2')
    assert problems(raw) == []


def test_the_reported_keys_are_faults() -> None:
    """Each line has another fault."""
    checker = check_drop(RUN, settings(), MESSAGES, lambda: [(REPORTS / "03-params-twice.jsonl").read_bytes()])
    assert [(fault.line, fault.code) for fault in checker.faults] == [
        (1, "key-twice"),
        (2, "key-twice"),
        (3, "key-twice"),
    ]


OPENAI = (REPORTS / "openai-own-lines.jsonl").read_bytes()


def test_lines_of_the_providers_own_format_are_accepted() -> None:
    """Their bodies are sent unchanged, with our ids."""
    checker = check_drop(RUN, settings(), CHAT, lambda: [OPENAI])
    assert checker.faults == []
    (batch,) = checker.batches
    body = b"".join(Envelope(CHAT.form, RUN, 16).body(batch, read_blocks([OPENAI])))
    assert len(body) == batch.body_bytes
    sent, given = ([orjson.loads(each) for each in lines.splitlines()] for lines in (body, OPENAI))
    assert [each | {"custom_id": ""} for each in sent] == [each | {"custom_id": ""} for each in given]


def test_lines_of_both_formats_may_be_in_one_file() -> None:
    """Some lines have `params`, others `body`; method and url are optional."""
    lines = [
        line("a"),
        orjson.dumps({"custom_id": "b", "body": GOOD}),
        orjson.dumps({"custom_id": "c", "method": "POST", "url": "/v1/chat/completions", "body": GOOD}),
        orjson.dumps({"body": GOOD, "custom_id": 4, "method": None, "url": None}),
    ]
    data = b"\n".join(lines)
    checker = check_drop(RUN, settings(), CHAT, lambda: [data])
    assert checker.faults == []
    (batch,) = checker.batches
    body = b"".join(Envelope(CHAT.form, RUN, 16).body(batch, read_blocks([data])))
    assert len(body) == batch.body_bytes
    assert [orjson.loads(each)["body"] for each in body.splitlines()] == [GOOD] * 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "/v1/embeddings"}, "url-differs"),
        ({"url": "https://api.openai.com/v1/chat/completions"}, "url-differs"),
        ({"method": "GET"}, "method-invalid"),
        ({"params": GOOD}, "params-and-body"),
        ({"body": []}, "params-invalid"),
        ({"body": {}}, "model-invalid"),
        ({"body": None}, "params-missing"),
    ],
)
def test_lines_that_ask_for_another_call_are_faults(change: dict[str, Any], code: str) -> None:
    """The stack uses one endpoint for all lines."""
    openai_line = orjson.loads(OPENAI.splitlines()[0])
    assert [found_code for found_code, _ in problems(openai_line | change, CHAT)] == [code]


def test_the_expected_url_is_named() -> None:
    """The message names the url and the parameter that sets it."""
    openai_line = orjson.loads(OPENAI.splitlines()[0])
    ((_, message),) = problems(openai_line, files(batch_api="files-openai", batch_endpoint="/v1/responses"))
    assert "/v1/responses" in message
    assert "BatchEndpoint" in message


@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS])
def test_elsewhere_the_message_says_how_to_deploy_for_such_lines(dialect: Dialect) -> None:
    """It also says how to rewrite the lines."""
    ((code, message),) = problems(OPENAI.splitlines()[0], dialect)
    assert (code, "BatchApi=files-openai" in message) == ("params-missing", True)


def test_tools_and_whatever_else_other_apis_have_pass_in_their_own_lines() -> None:
    """They are refused only in files of `params`."""
    openai_line = orjson.loads(OPENAI.splitlines()[0])
    body = openai_line["body"] | {
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {},
        "n": 2,
        "stop": None,
    }
    assert problems(openai_line | {"body": body}, CHAT) == []
    assert problems({"custom_id": "a", "params": body}, CHAT) == []
