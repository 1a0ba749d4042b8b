"""Tables with types: Parquet, JSON and Excel."""

import gzip
import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import openpyxl
import pytest
from openpyxl.chart import BarChart

from tests.cli.tables.conftest import Desk, prompts

UUID = "bfea6226-c104-4dc6-9f3e-2ed9e669d514"
VALUES = {
    "a date": ("DATE '2026-11-01'", "2026-11-01", "2026-11-01"),
    "a time": ("TIMESTAMP '2026-11-01 10:00:00.25'", "2026-11-01T10:00:00.250000", "2026-11-01T10:00:00.250000"),
    "a time in a zone": (
        "TIMESTAMPTZ '2026-11-01 10:00:00+02'", "2026-11-01T08:00:00+00:00", "2026-11-01T08:00:00+00:00",
    ),
    "a decimal": ("12.50::DECIMAL(9,2)", "12.50", "12.50"),
    "a small decimal": ("0.0000001::DECIMAL(9,8)", "0.00000010", "0.00000010"),
    "nothing as a decimal": ("0::DECIMAL(18,10)", "0.0000000000", "0.0000000000"),
    "an integer": ("9007199254740993", "9007199254740993", "9007199254740993"),
    "a float": ("0.5::DOUBLE", "0.5", "0.5"),
    "not a number": ("'nan'::DOUBLE", "", "null"),
    "infinity": ("'inf'::DOUBLE", "inf", '"Infinity"'),
    "a truth": ("true", "true", "true"),
    "null": ("NULL::VARCHAR", "", "null"),
    "text": ("'007'", "007", '"007"'),
    "a list": ("['a', 'b']", '["a","b"]', '["a","b"]'),
    "a structure": (
        "{'a': 1, 'b': [DATE '2026-11-01', NULL]}",
        '{"a":1,"b":["2026-11-01",null]}', '{"a":1,"b":["2026-11-01",null]}',
    ),
    "a map": ("MAP {'k': 1.50::DECIMAL(3,2)}", '{"k":1.50}', '{"k":1.50}'),
    "an id": (f"'{UUID}'::UUID", UUID, f'"{UUID}"'),
}  # fmt: skip
"""A value in SQL, as a prompt shows it, and as JSON."""


def parquet(folder: Path, query: str, name: str = "t.parquet") -> None:
    """Write the result of a query."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{folder / name}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")


@pytest.mark.parametrize(("sql", "shown", "kept"), VALUES.values(), ids=VALUES)
def test_a_value_of_parquet(desk: Desk, sql: str, shown: str, kept: str) -> None:
    """In a prompt, and as JSON beside the request, with all its digits."""
    parquet(desk.folder, f"SELECT {sql} AS text, {sql} AS note")
    assert prompts(desk.prepare("t.parquet", prompt="<{{ text }}>")) == [f"<{shown}>"]
    line = (desk.folder / "out.jsonl").read_text()
    assert line.endswith(f'"note":{kept if kept[0] != "2" else json.dumps(kept)}}}\n')


def test_nested_columns_can_be_walked_through(desk: Desk) -> None:
    """A template sees lists and structures as such, and dates as dates."""
    parquet(desk.folder, "SELECT [{'a': 1}, {'a': 2}] AS parts, DATE '2026-11-01' AS made")
    prompt = "{% for each in parts %}{{ each.a }};{% endfor %} {{ made.year }}"
    assert prompts(desk.prepare("t.parquet", prompt=prompt)) == ["1;2; 2026"]


def test_the_order_of_a_parquet_file_is_kept(desk: Desk) -> None:
    """Over several row groups."""
    parquet(desk.folder, "SELECT i AS text FROM range(2500) t(i)")
    assert prompts(desk.prepare("t.parquet")) == [str(number) for number in range(2500)]


def test_bytes_are_no_text(desk: Desk) -> None:
    """They are left out unless they are named, and then refused in words."""
    parquet(desk.folder, "SELECT 'a' AS text, 'x'::BLOB AS picture, {'bytes': 'x'::BLOB} AS image")
    (found,) = desk.prepare("t.parquet")
    assert found.keys() == {"custom_id", "params"}
    (desk.folder / "out.jsonl").unlink()
    told = desk.refused("t.parquet", prompt="{{ text }}{{ picture }}", exit_code=2)
    assert told[0] == '"picture" of t.parquet has bytes, which are no text'
    assert (
        desk.refused("t.parquet", "--keep", "image", exit_code=2)[0] == '"image" cannot be kept: its values are bytes'
    )


def test_a_name_that_could_be_a_pattern(desk: Desk) -> None:
    """Is that file, and no other."""
    parquet(desk.folder, "SELECT 'a' AS text", "t[1]*?.parquet")
    parquet(desk.folder, "SELECT 'b' AS text", "t1x.parquet")
    assert prompts(desk.prepare("t[1]*?.parquet")) == ["a"]


RECORDS: list[dict[str, Any]] = [
    {"text": "a\u2028 é😀", "n": 1, "tags": ["x", None]},
    {"text": "b", "other": {"k": 1.5}},
    {"n": None, "text": "c"},
]
AS_JSON = {
    "lines": "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in RECORDS),
    "lines, blank ones between": "\r\n\r\n".join(map(json.dumps, RECORDS)),
    "array": json.dumps(RECORDS),
    "array of lines": "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in RECORDS) + "\n]\n",
    "pretty array": json.dumps(RECORDS, indent=2),
    "pretty objects": "\n".join(json.dumps(each, indent=2) for each in RECORDS),
}


@pytest.mark.parametrize("content", AS_JSON.values(), ids=AS_JSON)
@pytest.mark.parametrize("packed", [False, True])
def test_records_in_json(desk: Desk, content: str, packed: bool) -> None:  # noqa: FBT001
    """However they are written. A name that a record does not have is null."""
    desk.write("t.json", gzip.compress(content.encode()) if packed else content)
    found = desk.prepare("t.json")
    assert prompts(found) == [each["text"] for each in RECORDS]
    assert [{name: each[name] for name in ("n", "tags", "other")} for each in found] == [
        {"n": 1, "tags": ["x", None], "other": None},
        {"n": None, "tags": None, "other": {"k": 1.5}},
        {"n": None, "tags": None, "other": None},
    ]


@pytest.mark.parametrize("form", ["{}\n", "[{}]"])
def test_a_kept_value_of_json_stays_as_it_is_written(desk: Desk, form: str) -> None:
    """Numbers keep their digits."""
    value = '{"a": 1.50, "b": 123456789012345678901234567890, "c": 1e2}'
    desk.write("t.json", form.replace("{}", f'{{"text": "x", "note": {value}}}'))
    desk.prepare("t.json")
    assert (desk.folder / "out.jsonl").read_text().endswith(f'"note":{value}}}\n')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lines_of_json_from_windows(desk: Desk, encoding: str) -> None:
    """PowerShell writes UTF-16."""
    desk.write("t.jsonl", AS_JSON["lines"].encode(encoding))
    assert prompts(desk.prepare("t.jsonl")) == [each["text"] for each in RECORDS]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"text": "a", "text": "b"}', "row 2: a name occurs twice in the record"),
        ('["a"]', "row 2: not a JSON object with the columns as names"),
        ('{"text": "\\ud800"}', "row 2: not JSON: "),
        ('{"text": NaN}', "row 2: not JSON: "),
    ],
)
def test_a_line_that_is_no_record(desk: Desk, line: str, told: str) -> None:
    """Is named."""
    desk.write("t.jsonl", f'{{"text": "a"}}\n{line}\n')
    assert desk.refused("t.jsonl")[1].startswith(told)


NUMBERS = {
    "{{ n }}": "1.10", "{{ n * 2 }}": "2.2", "{{ n | round(1) }}": "1.1", "{{ [n] }}": "[1.10]",
    "{{ n | tojson }}": "1.1", "{{ big }}": "12345678901234567890.123", "{{ list }}": "[1.10,2]",
    "{{ whole }}": "12345678901234567890",
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "shown"), NUMBERS.items())
def test_a_number_of_json_is_shown_as_it_is_written(desk: Desk, prompt: str, shown: str) -> None:
    """A price keeps its cents, and a template can still compute with it."""
    numbers = '"n": 1.10, "big": 12345678901234567890.123, "list": [1.10, 2], "whole": 12345678901234567890'
    desk.write("t.jsonl", f"{{{numbers}}}\n")
    assert prompts(desk.prepare("t.jsonl", prompt=prompt)) == [shown]


@pytest.mark.parametrize("line", ['{"text": 1e999}', '{"text": 1, "text": 2}', "[3]"])
def test_a_file_without_any_record(desk: Desk, line: str) -> None:
    """Is refused with what its first record is instead."""
    desk.write("t.jsonl", f"{line}\n")
    told = desk.refused("t.jsonl")
    assert told[0] == "t.jsonl has no records with values"
    assert told[1].startswith("record 1: ")


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    """Write a workbook."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(path)


def test_a_sheet(desk: Desk) -> None:
    """Numbers are numbers, days are dates, empty rows and cells are none."""
    rows: list[list[Any]] = [
        [],
        ["text", "n", "day", "at", "clock", "yes", "empty", None],
        ["a, b\n😀", 7, date(2026, 11, 1), datetime(2026, 11, 1, 10, 5), time(10, 5), True],  # noqa: DTZ001
        [],
        ["007", 1.5, None, None, None, False],
    ]
    book(desk.folder / "t.xlsx", {"Data": rows, "Empty": []})
    first, second = desk.prepare("t.xlsx")
    assert prompts([first, second]) == ["a, b\n😀", "007"]
    del first["params"], second["params"]
    assert first == {
        "custom_id": "row-1", "n": 7, "day": "2026-11-01", "at": "2026-11-01T10:05:00", "clock": "10:05:00",
        "yes": True, "empty": None,
    }  # fmt: skip
    assert (second["n"], second["day"], second["yes"]) == (1.5, None, False)


def test_characters_that_a_workbook_writes_as_escapes(desk: Desk) -> None:
    """Are what they stand for; half of a character stays an escape."""
    book(desk.folder / "t.xlsx", {"Data": [["text", "a_x000d_b"], ["a_x000D_\nb_x005F_x0041_ _xD83D_", "c"]]})
    (found,) = desk.prepare("t.xlsx")
    assert prompts([found]) == ["a\r\nb_x0041_ _xD83D_"]
    assert found["a\rb"] == "c"


def test_a_workbook_with_a_sheet_that_is_a_chart(desk: Desk) -> None:
    """Has one sheet; where openpyxl stumbles over it, the file is refused in words."""
    made = openpyxl.Workbook()
    made.worksheets[0].append(["text"])
    made.worksheets[0].append(["a"])
    sheet = made.create_chartsheet("Chart")
    made.save(desk.folder / "empty.xlsx")
    assert desk.refused("empty.xlsx")[0].startswith("empty.xlsx is damaged, or not a workbook that can be read")
    sheet.add_chart(BarChart())
    made.save(desk.folder / "t.xlsx")
    assert prompts(desk.prepare("t.xlsx")) == ["a"]


def test_a_workbook_with_another_name(desk: Desk) -> None:
    """Is what it is by its content."""
    book(desk.folder / "t.xlsx", {"Data": [["text"], ["a"]]})
    (desk.folder / "t.xlsx").rename(desk.folder / "download")
    assert prompts(desk.prepare("download")) == ["a"]


def test_two_sheets(desk: Desk) -> None:
    """One must be named, and the message names them."""
    book(desk.folder / "t.xlsx", {"May": [["text"], ["a"]], "June, 2": [["text"], ["b"]]})
    told = desk.refused("t.xlsx", exit_code=2)
    assert told == [
        "t.xlsx has several sheets", 'Nothing was written. Its sheets: "May", "June, 2".',
        "conveyor prepare t.xlsx --sheet May …",
    ]  # fmt: skip
    assert desk.refused("t.xlsx", "--sheet", "Mai", exit_code=2)[0] == 't.xlsx has no sheet "Mai"'
    assert prompts(desk.prepare("t.xlsx", "--sheet", "June, 2")) == ["b"]


def test_a_damaged_sheet(desk: Desk) -> None:
    """Is told, also if that shows only while rows are read."""
    book(desk.folder / "t.xlsx", {"Data": [["text"], *([str(number)] for number in range(2000))]})
    with ZipFile(desk.folder / "t.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(desk.folder / "t.xlsx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:-2000] if name.endswith("sheet1.xml") else content)
    assert desk.refused("t.xlsx")[0] == "t.xlsx is damaged, or not a workbook that can be read (ParseError)"


def test_a_formula_that_was_never_calculated(desk: Desk) -> None:
    """Would be taken as empty: it is refused."""
    book(desk.folder / "t.xlsx", {"Data": [["text", "sum"], ["a", "=1+1"]]})
    assert desk.refused("t.xlsx")[0] == "t.xlsx, cell B2: the formula has no value"


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet"])
def test_a_table_without_rows(desk: Desk, name: str) -> None:
    """Makes no requests."""
    book(desk.folder / "t.xlsx", {"Data": [["text", "n"]]})
    parquet(desk.folder, "SELECT 'a' AS text LIMIT 0")
    assert desk.refused(name)[0] == f"{name} names its columns and has no rows"


def test_a_cell_with_an_error(desk: Desk) -> None:
    """Is taken as empty, and that is said."""
    book(desk.folder / "t.xlsx", {"Data": [["text", "n"], ["a", "#N/A"], ["b", 2]]})
    ran = desk.type("t.xlsx", "-o", "out.jsonl")
    assert "! 1 row with an error of a formula (such as #N/A), taken as empty: 1" in ran.out
    assert [each["n"] for each in desk.requests("out.jsonl")] == [None, 2]
