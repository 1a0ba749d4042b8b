"""Tables as text: every cell arrives as it is written."""

import csv
import gzip
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.tables.conftest import Desk, prompts
from tests.support.drops import plain_check, settings

CELLS = {
    "a comma": '"a, b"', "quotes": '"say ""hi"""', "a newline": '"one\ntwo"', "a carriage return": '"one\r\ntwo"',
    "an emoji": "😀👩\u200d👩\u200d👧", "zeros": "007", "a long number": "12345678901234567890123", "a decimal": "1.50",
    "a date": "01/02/2026", "spaces": " x ", "a semicolon": "a;b", "a formula": "=1+1", "an inch": '5" wide',
    "NaN": "nan", "null": "NULL", "a separator of lines": "a\u2028b", "right to left": "\u202eabc",
    "braces": "{{ x }} {% y %}", "a backslash": "a\\nb",
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_cell_arrives_as_it_is_written(desk: Desk, cell: str) -> None:
    """In the prompt, and in the column that is kept."""
    desk.write("t.csv", f"text,note\n{cell},{cell}\nb,c\n")
    written = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
    first, _ = desk.prepare("t.csv")
    assert (prompts([first]), first["note"], first["custom_id"]) == ([written], written, "row-1")


def test_an_empty_cell_is_null_and_an_empty_text_is_a_text(desk: Desk) -> None:
    """Both render as nothing."""
    desk.write("t.csv", 'text,note\na,\nb,""\n')
    found = desk.prepare("t.csv", prompt="{{ text }}{{ note | upper }}")
    assert prompts(found) == ["a", "b"]
    found = desk.prepare("t.csv")
    assert [each["note"] for each in found] == [None, ""]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(desk: Desk, separator: str) -> None:
    """Also where the cells hold the others."""
    rows = [["id", "text", "note"], ["1", "a, b; c", "x"], ["2", 'd "e", f', "y|z"], ["3", "tab\there", "w"]]
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    desk.write("t.csv", file.getvalue())
    assert [[*prompts([each]), each["note"]] for each in desk.prepare("t.csv")] == [row[1:] for row in rows[1:]]


@pytest.mark.parametrize("cell", ["a\u2028b", "a\x85b", "a\vb", "a;b"])
def test_the_separator_is_found_beside_odd_rows(desk: Desk, cell: str) -> None:
    """Beside characters that end a line elsewhere; and if a row has too many cells, that is what is told."""
    desk.write("t.csv", f"text;note\nc;d\n{cell};e\nf;g\n")
    if ";" in cell:
        assert desk.refused("t.csv")[1] == "row 2: 3 cells (line 3), and the header names 2 columns"
    else:
        assert prompts(desk.prepare("t.csv")) == ["c", cell, "f"]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("[note];text\nc;a,b\n", ["--separator", ";"]),
        ("text~note\na,b~c\n", ["--separator", "~"]),
        ("sep=;\r\ntext;note\r\na,b;c\r\n", []),
        ("text\tnote\na,b\tc\n", ["--separator", "tab"]),
    ],
)
def test_the_separator_is_said(desk: Desk, content: str, options: list[str]) -> None:
    """By an option, or by the line that Excel reads."""
    desk.write("t.csv", content)
    (found,) = desk.prepare("t.csv", *options)
    assert (prompts([found]), found.get("note", found.get("[note]"))) == (["a,b"], "c")


def test_a_table_of_one_column(desk: Desk) -> None:
    """Has no separator at all."""
    desk.write("t.csv", "text\nhello\nyou\n")
    assert prompts(desk.prepare("t.csv")) == ["hello", "you"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_unicode_is_recognised(desk: Desk, encoding: str, packed: bool) -> None:  # noqa: FBT001
    """With a mark or without one, packed with gzip or not, whatever the name."""
    content = "text,größe\n日本 😀,é\n".encode(encoding)
    desk.write("t.csv", gzip.compress(content) if packed else content)
    (found,) = desk.prepare("t.csv")
    assert (prompts([found]), found["größe"]) == (["日本 😀"], "é")


def test_another_encoding_is_said(desk: Desk) -> None:
    """It is never guessed: a wrong guess would be paid for."""
    desk.write("t.csv", "text\ncafé\n".encode("cp1252"))
    first, _, command = desk.refused("t.csv")
    assert first == "t.csv is not text in UTF-8"
    assert command == "conveyor prepare t.csv --encoding cp1252 …"
    assert prompts(desk.prepare("t.csv", "--encoding", "cp1252")) == ["café"]


def test_a_cell_of_20_mb(desk: Desk) -> None:
    """Is a request; one that makes its line too long is refused."""
    desk.write("t.csv", "text\n" + "x" * 20_000_000 + "\n")
    (found,) = desk.prepare("t.csv")
    assert len(prompts([found])[0]) == 20_000_000
    desk.write("t.csv", "text\n" + "\1" * 6_000_000 + "\n")
    (desk.folder / "out.jsonl").unlink()
    told = desk.refused("t.csv")
    assert told[1].startswith("row 1: the line has 36,000,")


REFUSED = {
    "a cell too many": ("text,note\na,b\nc,d,e\n", "row 2: 3 cells (line 3), and the header names 2 columns"),
    "a cell too few": ("text,note\na,b\nc\n", "row 2: 1 cell (line 3), and the header names 2 columns"),
    "nothing in the prompt": ("text,note\n,b\n", "row 1: the prompt is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "told"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_is_no_request(desk: Desk, content: str, told: str) -> None:
    """Is named, and nothing is written."""
    desk.write("t.csv", content)
    first, second, *_ = desk.refused("t.csv")
    assert first == "1 row of t.csv cannot become a request"
    assert second == told


def test_at_most_ten_rows_are_named(desk: Desk) -> None:
    """And the others are counted."""
    desk.write("t.csv", "text,note\n" + "a\n" * 1234)
    first, *rows, more, nothing = desk.refused("t.csv")
    assert first == "1,234 rows of t.csv cannot become requests"
    assert [row.partition(":")[0] for row in rows] == [f"row {number}" for number in range(1, 11)]
    assert (more, nothing) == ("and 1,224 more rows", "Nothing was written.")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('text,note\n"a"b,c\n', "t.csv, line 2: text follows a closing quote: quotes in a cell must be doubled"),
        ('text,note\n"a,b\nc,d\n', "t.csv, line 3: a quote is never closed"),
        ("text,note,text,note\na,b,c,d\n", 't.csv has more than one column "note", "text"'),
        ("text,note\n", "t.csv names its columns and has no rows"),
        ("\n \n", "t.csv is empty"),
        ("", "t.csv is empty"),
    ],
)
def test_what_is_no_table(desk: Desk, content: str, told: str) -> None:
    """It is said what is wrong, without quoting a cell."""
    desk.write("t.csv", content)
    assert desk.refused("t.csv")[0].startswith(told)


def test_a_cell_that_has_no_room_in_a_line(desk: Desk) -> None:
    """It may be the rest of a file whose quote is never closed."""
    desk.write("t.csv", 'text\n"' + "x" * 33_000_000)
    assert desk.refused("t.csv")[0].startswith("t.csv, line 2: a cell has more than 32,000,000 characters")


def test_names_of_columns(desk: Desk) -> None:
    """White space around them is not theirs, and one that is missing is made: pandas writes an index without a name."""
    desk.write("t.csv", ",text , Customer Name\n0,a,Ann\n")
    (found,) = desk.prepare("t.csv", prompt='{{ text }} {{ row["Customer Name"] }}')
    assert (prompts([found]), found["column_1"]) == (["a Ann"], "0")


SEEN = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"])
NAMES = st.text(SEEN, min_size=1, max_size=8)
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
TABLES = st.lists(NAMES, unique=True, min_size=2, max_size=5).flatmap(
    lambda names: st.tuples(
        st.just(names), st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1)
    )
)


@hypothesis.settings(max_examples=50)
@given(TABLES, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_table_comes_back(table: tuple[list[str], list[list[str]]], separator: str, encoding: str) -> None:
    """Whatever its names and cells are: the prompt has the first column, and a line has it, too."""
    names, rows = table
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.write("t.csv", file.getvalue().encode(encoding, "surrogatepass"))
        prompt = f"x{{{{ row[{json.dumps(names[0], ensure_ascii=False)}] }}}}"
        keep = () if any("," in name for name in names[:1]) else ("--keep", names[0])
        ran = desk.type("t.csv", "--separator", separator, *keep, "-o", "out.jsonl", prompt=prompt)
        assert ran.exit == 0, ran.error
        assert plain_check((desk.folder / "out.jsonl").read_bytes(), settings(), 1).faults == []
        assert prompts(desk.requests("out.jsonl")) == ["x" + row[0] for row in rows]
