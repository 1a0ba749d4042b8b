"""What tables cannot hold, and what programs take for something else."""

import csv
import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.answers.answered import Answered, answer, failure, types_of

TEXTS = [
    'commas, "quotes", \'single\'', "line\nline\r\nline\rend", " spaces ", "", "NULL", "007", "2026-11-30", "true",
    "emoji 👩‍👩‍👧 and 𐍈", "right \u202e to left", "\ufeffmark", "line separator \u2028", "tab\tand\vbell\a", "_x0041_",
    "nul \0 end", "\uffff", "=1+1", "\n=1", "\uff1d1+1", "+1", "-5", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")',
]  # fmt: skip
FORMATS = ("out.csv", "out.xlsx", "out.parquet")
IN_EXCEL = {"\r": "_x000D_", "\v": "_x000B_", "\a": "_x0007_", "\0": "_x0000_", "\uffff": "_xFFFF_"}


def in_excel(text: str) -> str | None:
    """Return a text as a workbook has it: an empty one is no value."""
    text = text.replace("_x", "_x005F_x")
    for character, escape in IN_EXCEL.items():
        text = text.replace(character, escape)
    return text or None


@pytest.mark.parametrize("output", FORMATS)
def test_texts_come_back_as_they_were(answered: Answered, output: str) -> None:
    """In answers and in what was carried along; a workbook has the escapes that Excel itself writes."""
    answered.write(*[answer(str(at), text, kept=text) for at, text in enumerate(TEXTS)])
    expected = [in_excel(text) if output == "out.xlsx" else text for text in TEXTS]
    rows = answered.rows(output=output)
    assert [row["text"] for row in rows] == expected
    assert [row["kept"] for row in rows] == expected


def test_a_workbook_has_no_formulas(answered: Answered) -> None:
    """Each text is stored as text."""
    import openpyxl  # noqa: PLC0415 - as a user would

    answered.write(*[answer(text, text, kept=text) for text in TEXTS if text], failures=(failure("=f", 99, "=1"),))
    answered.table(output="out.xlsx")
    sheet = openpyxl.load_workbook(answered.home / "out.xlsx").worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s", "n"}


def test_csv_for_a_spreadsheet(answered: Answered) -> None:
    """A byte order mark, and an apostrophe before what would be a formula; numbers stay."""
    answered.write(*[answer(str(at), text, n=-5) for at, text in enumerate(TEXTS)])
    answered.table("--excel")
    data = (answered.home / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfcustom_id,n,text,")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines(keepends=True)))
    changed = {text[1:] for row in rows if (text := row["text"]).startswith("'")}
    assert changed == {text for text in TEXTS if text[:1] in {*"=+-@\t\r\n\uff1d"}} - {"+1", "-5"}
    assert {row["n"] for row in rows} == {"-5"}


VALUES: list[Any] = [None, True, False, 0, -7, 2**53 + 1, -(2**63), 2**70, 1.5, "x", [1, {"a": None}], {}]


@pytest.mark.parametrize("value", VALUES)
def test_kept_values_have_their_types(answered: Answered, value: Any) -> None:
    """In Parquet a column has the type of its values; what no type holds is text. In Excel, too, as far as it goes."""
    answered.write(answer("a", kept=value), answer("b", kept=None))
    (row, _) = answered.rows(output="out.parquet")
    is_text = isinstance(value, list | dict) or (type(value) is int and value >= 2**63)
    assert row["kept"] == (json.dumps(value) if is_text else value)
    (row, _) = answered.rows(output="out.xlsx")
    is_text = is_text or (type(value) is int and abs(value) > 10**15)
    assert row["kept"] == (json.dumps(value) if is_text else value)
    (row, _) = answered.rows()
    assert row["kept"] == (value if isinstance(value, str | None) else json.dumps(value))


def test_numbers_keep_their_digits(answered: Answered) -> None:
    """As they are written in the drop."""
    line = answer("a", kept=0).replace(b'"kept": 0', b'"kept": 1.10, "more": -0, "large": 12345678901234567890.5')
    answered.write(line)
    (row,) = answered.rows()
    assert [row[name] for name in ("kept", "more", "large")] == ["1.10", "-0", "12345678901234567890.5"]
    (row,) = answered.rows(output="out.xlsx")
    assert [row[name] for name in ("kept", "more", "large")] == [1.1, 0, "12345678901234567890.5"]


@pytest.mark.parametrize(("ids", "type_"), [((7, 8), "BIGINT"), ((7, "7x"), "VARCHAR"), (("7", "8"), "VARCHAR")])
def test_ids_are_numbers_or_texts(answered: Answered, ids: tuple[int | str, ...], type_: str) -> None:
    """As they were in the drop; if some are texts, all are."""
    answered.write(*map(answer, ids))
    rows = answered.rows(output="out.parquet")
    assert [row["custom_id"] for row in rows] == [str(each) if type_ == "VARCHAR" else each for each in ids]
    assert types_of(answered.home / "out.parquet")["custom_id"] == type_


def test_a_mixed_column_is_text(answered: Answered) -> None:
    """Every value is as it was written."""
    answered.write(answer("a", kept=1), answer("b", kept="x"), answer("c", kept=True), answer("d", kept=[1]))
    assert [row["kept"] for row in answered.rows(output="out.parquet")] == ["1", "x", "true", "[1]"]


def test_a_cell_of_20_mb(answered: Answered) -> None:
    """CSV and Parquet have it; a workbook cannot, and that is said with row and column."""
    text = "é" * 10_000_000
    answered.write(answer("a", text), answer("b", "x"))
    for output in ("out.csv", "out.parquet"):
        csv.field_size_limit(len(text))
        assert [row["text"] for row in answered.rows(output=output)] == [text, "x"]
    words = answered.refused(output="out.xlsx")
    assert words == (
        '✗ Excel cannot hold this: row 1, "text": 10,000,000 characters; a cell has 32,767\n'
        "  Nothing was written. Write .csv or .parquet instead.\n"
    )


@pytest.mark.parametrize(("text", "fits"), [("a" * 32_767, True), ("a" * 32_768, False), ("𐍈" * 16_384, False)])
def test_the_longest_cell_of_excel(answered: Answered, text: str, fits: bool) -> None:  # noqa: FBT001
    """Counted as Excel counts."""
    answered.write(answer("a", text))
    if fits:
        assert answered.rows(output="out.xlsx")[0]["text"] == text
    else:
        assert "a cell has 32,767" in answered.refused(output="out.xlsx")


def test_more_rows_than_a_sheet_has(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, not cut."""
    monkeypatch.setattr("conveyor_cli.writing.sheet.MOST_ROWS", 4)
    answered.write(*[answer(str(at)) for at in range(3)])
    assert len(answered.rows(output="out.xlsx")) == 3
    (answered.home / "out.xlsx").unlink()
    answered.write(*[answer(str(at)) for at in range(4)])
    assert "more than 3 rows" in answered.refused(output="out.xlsx")


def test_more_columns_than_a_sheet_has(answered: Answered) -> None:
    """The same."""
    answered.write(answer("a", "x", **{f"k{at}": 1 for at in range(16_380)}))
    assert "16,389 columns; a sheet has 16,384" in answered.refused(output="out.xlsx")


CHARACTERS = st.characters(codec="utf-8")
NAMES = st.sampled_from([*string.ascii_lowercase, "e\nf", 'g"', "h,i", "Ä"])
SCALARS = (
    st.none() | st.text(CHARACTERS) | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.text(CHARACTERS), st.dictionaries(NAMES, SCALARS, max_size=4)), min_size=1, max_size=6))
def test_whatever_is_in_the_lines_is_in_the_csv(answered: Answered, lines: list[tuple[str, dict[str, Any]]]) -> None:
    """Read back, each value is what it was, or the JSON of it; no value is told from an empty text."""
    answered.write(*[answer(f"id-{at}", f".{text}", **kept) for at, (text, kept) in enumerate(lines)])
    rows = answered.rows()
    assert [row["text"] for row in rows] == [f".{text}" for text, _ in lines]
    for row, (_, kept) in zip(rows, lines, strict=True):
        assert {name: row[name] for name in kept} == {
            name: value if isinstance(value, str | None) else json.dumps(value) for name, value in kept.items()
        }
