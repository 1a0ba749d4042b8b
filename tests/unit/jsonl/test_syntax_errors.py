"""A line that is no JSON is reported with the kind and place of the error."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.findings import Fault
from conveyor.jsonl.lines import read_lines
from conveyor.jsonl.syntax_errors import why_not_json
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES

REPORTS = Path(__file__).parents[2] / "data" / "reports"
GOOD = b'{"custom_id":"a","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}],"x":%b}}'


def faults_of(data: bytes) -> list[list[Fault]]:
    """Return the faults of each line of a drop."""
    found = [read_request(line, Rules(MESSAGES, 0)) for line in read_lines([data])]
    return [[] if isinstance(each, Request) else each for each in found]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"NaN", "not-a-number"),
        (b"[NaN]", "not-a-number"),
        (b"-Infinity", "not-a-number"),
        (b"Infinity", "not-a-number"),
        (b"nan", "not-a-number"),
        (b"-inf", "not-a-number"),
        (b"1e400", "number-too-large"),
        (b"-1E+400", "number-too-large"),
        (b"9" * 312, "number-too-large"),
        (b'"\\ud83d"', "half-character"),
        (b'"\\uDE00 x"', "half-character"),
        (b'{"\\ud83d\\n":1}', "half-character"),
        (b'"\\\\\\ud83d\\\\ude00"', "half-character"),
        (b'"\xed\xa0\xbd"', "half-character"),
        (b"[" * 1100 + b"]" * 1100, "too-deep"),
        (b'{"a":' * 1100 + b"1" + b"}" * 1100, "too-deep"),
        (b"None", "python-literal"),
        (b"True", "python-literal"),
        (b"{'a': 1}", "python-literal"),
        (b'"\xff"', "not-utf8"),
        (b"tru", "not-json"),
        (b"Nano", "not-json"),
        (b"1,", "not-json"),
        (b"01", "not-json"),
        (b'"a\tb"', "not-json"),
        (b'"\\ud83d" x', "not-json"),
    ],
)
def test_what_no_parser_accepts_has_its_own_code(value: bytes, code: str) -> None:
    """A thousand such lines are then one problem to correct."""
    assert [fault.code for fault in faults_of(GOOD % value)[0]] == [code]


@pytest.mark.parametrize(
    "value", [b'"\\ud83d\\ude00"', b'"\\\\ud83d"', b'"NaN"', b"1e300", b"9" * 300, b"[" * 900 + b"]" * 900]
)
def test_what_parsers_accept_is_accepted(value: bytes) -> None:
    """A surrogate pair, a text that looks like half a pair, and numbers and arrays within the limits."""
    assert faults_of(GOOD % value) == [[]]


@pytest.mark.parametrize(
    "raw",
    [
        b'"{""custom_id"": ""a"", ""params"": {}}"',
        b'{""custom_id"": ""a"", ""params"": {}}',
        b'1,"{""custom_id"": ""a"", ""params"": {}}"',
        b'"a";"{ ""custom_id"":""a""}"',
    ],
)
def test_lines_that_a_spreadsheet_quoted_are_named(raw: bytes) -> None:
    """They may be in any column."""
    assert why_not_json(raw)[0] == "quotes-doubled"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{“custom_id”: “a”}", "“ at byte 2, character 2"),
        ('{"custom_id": “a”}', "“ at byte 15, character 15"),
        ('{"custom_id”: "a"}', "” at byte 12, character 12"),
        ('{"custom_id": \u2018a\u2019}', "\u2018 at byte 15, character 15"),
        ('{„custom_id“: "a"}', "„ at byte 2, character 2"),
        ('{"é": "”", “b”: 1}', "“ at byte 15, character 12"),
    ],
)
def test_lines_with_the_quotes_of_a_word_processor_are_named(text: str, place: str) -> None:
    """The place of the first one outside of a string is named."""
    code, message = why_not_json(text.encode())
    assert code == "quotes-curly"
    assert message.startswith(place)


def test_the_quotes_of_a_word_processor_in_a_text_are_no_fault() -> None:
    """The line has another fault."""
    assert why_not_json('{"custom_id": "“a”", x}'.encode())[0] == "not-json"


def test_lines_that_were_encoded_twice_are_named() -> None:
    """The whole line, its params or its messages may be encoded twice."""
    good = orjson.loads(GOOD % b"1")
    whole = orjson.dumps(orjson.dumps(good).decode())
    inner = orjson.dumps(good | {"params": orjson.dumps(good["params"]).decode()})
    assert [[fault.code for fault in faults] for faults in faults_of(whole + b"\n" + inner)] == [["encoded-twice"]] * 2


@pytest.mark.parametrize(
    ("indent", "byte", "character"),
    [(b"", 7, 7), (b"    ", 11, 11), (b"\t\t", 9, 9), (b"\xef\xbb\xbf", 10, 8), (b"\xef\xbb\xbf  ", 12, 10)],
)
@pytest.mark.parametrize(("odd", "further"), [(b"\xff", 0), ("é\x01".encode(), 1)])
def test_places_count_from_the_beginning_of_the_line(
    indent: bytes, byte: int, character: int, odd: bytes, further: int
) -> None:
    """Indent and byte order mark count; the mark and a letter of two bytes are one character each."""
    ((fault,),) = faults_of(indent + b'{"a":"' + odd + b'"}')
    assert f"byte {byte + 2 * further}, character {character + further} of the line" in fault.message


@pytest.mark.parametrize("odd", [b"\xff", b"\x01", b"\\ud83d"])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 65_535, 65_536, 65_537, 131_072])
def test_places_are_right_in_long_lines_too(length: int, odd: bytes) -> None:
    """The part that is decoded may end within a character, or right at the fault."""
    text = b'{"a":"' + b"x" * length + "\U0001f600é".encode() * 3
    ((fault,),) = faults_of(text + odd + b'"}')
    assert f"byte {len(text) + 1:,}, character {len(text.decode()) + 1:,} of the line" in fault.message


def test_a_python_value_that_is_the_whole_line_is_named() -> None:
    """It is reported without text before it."""
    assert [fault.code for fault in faults_of(b"None")[0]] == ["python-literal"]


def test_the_reported_offsets_are_those_of_an_editor() -> None:
    """Spaces before the object are counted."""
    first, second = faults_of((REPORTS / "04-offset-spaces.jsonl").read_bytes())
    assert [(fault.code, fault.message.partition(",")[0]) for fault in first] == [("not-utf8", "byte 11")]
    assert [fault.code for fault in second] == ["not-json"]
    assert "character 10 of the line" in second[0].message


def test_the_reported_json_is_refused_under_codes_that_say_so() -> None:
    """The lines are JSON, so "not JSON" would be wrong."""
    found = faults_of((REPORTS / "11-legal-json-refused.jsonl").read_bytes())
    codes = [[fault.code for fault in faults] for faults in found]
    assert codes == [["number-too-large"], ["number-too-large"], ["too-deep"], ["max-tokens-invalid"]]


@given(st.text(st.sampled_from("\"\\ud83de0Nan{}[]:,1- 'Tr\n"), max_size=30).map(str.encode) | st.binary(max_size=20))
def test_any_line_that_is_no_json_has_an_explanation(raw: bytes) -> None:
    """No input makes the explanation fail."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        code, message = why_not_json(raw)
        assert code
        assert message
