"""The rows of the table that the requests came from, each with its answer."""

import csv
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from tests.cli.answers.answered import Answered, answer, failure, types_of

FORMATS = ("out.csv", "out.xlsx", "out.parquet")
TICKETS = 'ticket,text,region\nt-2,"two, ""too""\nand more",EU\nt-9,nine,\nt-1,one,US\nt-3,three,EU\n'


def write_csv(path: Path) -> Path:
    """Write the tickets as CSV."""
    path.with_suffix(".csv").write_text(TICKETS)
    return path.with_suffix(".csv")


def write_parquet(path: Path) -> Path:
    """Write the same as Parquet."""
    with duckdb.connect() as connection:
        source = f"read_csv('{write_csv(path)}', all_varchar = true)"
        connection.execute(f"COPY (FROM {source}) TO '{path.with_suffix('.parquet')}'")
    return path.with_suffix(".parquet")


def write_sheet(path: Path) -> Path:
    """Write the same as a workbook."""
    book = openpyxl.Workbook()
    rows = csv.reader(TICKETS.splitlines(keepends=True))
    for cells in rows:
        book.worksheets[0].append([cell or None for cell in cells])
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def write_lines(path: Path) -> Path:
    """Write the same as JSON, a record a line."""
    with duckdb.connect() as connection:
        source = f"read_csv('{write_csv(path)}', all_varchar = true)"
        connection.execute(f"COPY (FROM {source}) TO '{path.with_suffix('.ndjson')}' (FORMAT json)")
    return path.with_suffix(".ndjson")


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("write", [write_csv, write_parquet, write_sheet, write_lines])
def test_a_table_of_any_kind_with_its_answers(answered: Answered, write: Callable[[Path], Path], output: str) -> None:
    """In its order, with all of its columns; the column with the ids is found."""
    path = write(answered.home / "tickets")
    answered.write(
        answer("t-1", "A", region="US"),
        answer("t-2", "B", extra="e"),
        answer("t-7", "C"),
        failures=(failure("t-3", 4),),
    )
    rows = answered.rows("--join", path.name, output=output)
    assert list(rows[0])[:6] == ["ticket", "text", "region", "custom_id", "extra", "text_answer"]
    assert [[*row.values()][:6] for row in rows] == [
        ["t-2", 'two, "too"\nand more', "EU", "t-2", "e", "B"],
        ["t-9", "nine", None, None, None, None],
        ["t-1", "one", "US", "t-1", None, "A"],
        ["t-3", "three", "EU", "t-3", None, None],
    ]
    assert [row["outcome"] for row in rows] == ["succeeded", None, "succeeded", "expired"]
    said = answered.table("--join", path.name, output=output)
    assert [said[name] for name in ("joined", "unmatched", "by", "without_request")] == [3, 1, "ticket", 1]


def test_the_screen_of_a_join(answered: Answered) -> None:
    """How many rows have found their request, and by what."""
    write_csv(answered.home / "tickets")
    answered.write(answer("t-1"), answer("t-8"), failures=(failure("t-2", 3),))
    assert [line.rstrip() for line in answered.type("--join", "tickets.csv").out.splitlines()[3:]] == [
        "  text_answer   1   filled",
        "                1   empty: failed (column error)",
        "                2   empty: row without a request",
        "  joined        2   of 4 rows by ticket; 2 rows without a request",
        "  left out      1   requests without a row",
    ]


@pytest.mark.parametrize("output", FORMATS)
def test_only_the_rows_whose_outcome_is_wanted(answered: Answered, output: str) -> None:
    """Also where the rows are those of a Parquet file."""
    path = write_parquet(answered.home / "tickets")
    answered.write(answer("t-1"), answer("t-2", "x", "max_tokens"), failures=(failure("t-3", 3),))
    failed = answered.rows("--join", path.name, "--failed", output=output)
    assert [(row["ticket"], row["error"]) for row in failed] == [("t-3", "it expired")]
    cut_off = answered.rows("--join", path.name, "--stop-reason", "max_tokens", output=output)
    assert [(row["ticket"], row["text_answer"]) for row in cut_off] == [("t-2", "x")]


def test_the_types_of_a_parquet_file_stay(answered: Answered) -> None:
    """Nested columns, decimals, nanoseconds and bytes are as they were."""
    columns = (
        "7::SMALLINT AS id, {'a': [1, 2]} AS nested, 1.50::DECIMAL(9,2) AS price, 'x'::BLOB AS raw, "
        "TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS at, DATE '2026-01-02' AS day, MAP {'k': 1} AS map, "
        "'it''s' AS \"odd \"\" name\""
    )
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns}) TO '{answered.home}/old.parquet'")
    answered.write(answer(7, "A"))
    answered.table("--join", "old.parquet", output="out.parquet")
    old, new = types_of(answered.home / "old.parquet"), types_of(answered.home / "out.parquet")
    assert {name: new[name] for name in old} == old
    with duckdb.connect() as connection:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in old)
        before, after = (connection.read_parquet(f"{answered.home}/{name}.parquet") for name in ("old", "out"))
        assert before.fetchall() == after.select(names).fetchall()


def test_the_cells_of_a_workbook_keep_their_kinds(answered: Answered) -> None:
    """Dates are dates, numbers are numbers."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "day", "at", "price"])
    book.worksheets[0].append([7, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), 1.5])  # noqa: DTZ001 - Excel has none
    book.save(answered.home / "old.xlsx")
    answered.write(answer(7))
    (row,) = answered.rows("--join", "old.xlsx", output="out.parquet")
    assert [*row.values()][:4] == [7, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), 1.5]  # noqa: DTZ001
    (row,) = answered.rows("--join", "old.xlsx", output="out.xlsx")
    assert [*row.values()][:4] == [7, datetime(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), 1.5]  # noqa: DTZ001
    (row,) = answered.rows("--join", "old.xlsx")
    assert [*row.values()][:4] == ["7", "2026-01-02", "2026-01-02T03:04:05", "1.5"]


def test_ids_by_the_number_of_the_row(answered: Answered) -> None:
    """As `conveyor prepare` makes them without a column of ids."""
    write_csv(answered.home / "tickets")
    answered.write(answer("row-1", "A"), answer("row-3", "B"))
    rows = answered.rows("--join", "tickets.csv")
    assert [(row["ticket"], row["text_answer"]) for row in rows] == [
        ("t-2", "A"), ("t-9", None), ("t-1", "B"), ("t-3", None),
    ]  # fmt: skip
    assert answered.table("--join", "tickets.csv")["by"] == "row number"


def test_a_column_that_was_carried_along(answered: Answered) -> None:
    """It joins where it is named, and is that of one request only."""
    write_csv(answered.home / "tickets")
    answered.write(answer("x", "A", ticket="t-1"), answer("y", "B", ticket="t-2"))
    assert "has the id of a request" in answered.refused("--join", "tickets.csv")
    rows = answered.rows("--join", "tickets.csv", "--on", "ticket")
    assert [row["text_answer"] for row in rows] == ["B", None, "A", None]
    (answered.home / "out.csv").unlink()
    answered.write(answer("x", region="EU"), answer("y", region="EU"))
    words = answered.refused("--join", "tickets.csv", "--on", "region")
    assert words.startswith('✗ Several requests have the same "region", and it is not their id\n')


def test_numbers_that_were_carried_along(answered: Answered) -> None:
    """7.0, as a Parquet file with floating point numbers has it, is told from no other 7."""
    with duckdb.connect() as connection:
        source = "SELECT 7.0::DOUBLE AS k UNION ALL SELECT 8 UNION ALL SELECT 2.0 ** 60"
        connection.execute(f"COPY ({source}) TO '{answered.home / 't.parquet'}' (FORMAT parquet)")
    answered.write(answer("row-3", "A", k=7.0), answer("row-2", "B", k="8"), answer("row-1", "C", k=2**60))
    rows = answered.rows("--join", "t.parquet", "--on", "k")
    assert [row["text"] for row in rows] == ["A", "B", "C"]


def test_numeric_ids_are_told_by_their_digits(answered: Answered) -> None:
    """7 and "7" are one id, as they are in a drop."""
    (answered.home / "t.csv").write_text("id\n7\n8\n,\n".replace(",\n", '""\n'))
    answered.write(answer(7, "A"), answer("8", "B"))
    assert [row["text"] for row in answered.rows("--join", "t.csv")] == ["A", "B", None]


def test_rows_with_the_same_id_have_the_same_answer(answered: Answered) -> None:
    """No row is lost. Of two requests with an id, the answered one counts."""
    (answered.home / "t.csv").write_text("custom_id\na\na\n")
    answered.write(answer("a", "A"), failures=(failure("a", 1, "invalid"),))
    rows = answered.rows("--join", "t.csv")
    assert [list(row.values())[:2] for row in rows] == [["a", "A"], ["a", "A"]]
    assert answered.table("--join", "t.csv")["unmatched"] == 1


def test_two_columns_with_ids(answered: Answered) -> None:
    """A person says which is meant."""
    (answered.home / "t.csv").write_text("one,two\na,b\nb,a\n")
    answered.write(answer("a", "A"), answer("b", "B"))
    words = answered.refused("--join", "t.csv")
    assert (
        words
        == '✗ Both "one" and "two" of t.csv have ids of requests\n  Nothing was written. Say which: --on COLUMN.\n'
    )
    assert [row["text"] for row in answered.rows("--join", "t.csv", "--on", "two")] == ["B", "A"]


@pytest.mark.parametrize(("separator", "option"), [("\t", "tab"), ("~", "~")])
def test_the_separator_of_a_table_is_said(answered: Answered, separator: str, option: str) -> None:
    """As `conveyor prepare` takes it."""
    (answered.home / "t.csv").write_text(f"id{separator}x\n7{separator}a;b\n")
    answered.write(answer(7, "A"))
    (row,) = answered.rows("--join", "t.csv", "--separator", option)
    assert (row["x"], row["text"]) == ("a;b", "A")
    assert '"ab" is no separator' in answered.refused("--join", "t.csv", "--separator", "ab", "--force", output="o.csv")


def test_a_table_in_another_encoding(answered: Answered) -> None:
    """The command that is named is this one."""
    (answered.home / "t.csv").write_bytes("id,x\n7,é\n".encode("cp1252"))
    answered.write(answer(7, "A"))
    words = answered.refused("--join", "t.csv", exit_code=3)
    assert words.splitlines()[-1].strip() == "conveyor table … --join t.csv --encoding cp1252 …"


def test_a_parquet_file_in_a_folder_with_a_value_in_its_name(answered: Answered) -> None:
    """Has the columns that are in it, and no other."""
    (answered.home / "day=7").mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 7 AS id) TO '{answered.home / 'day=7' / 't.parquet'}' (FORMAT parquet)")
    answered.write(answer(7, "A"))
    for output in FORMATS:
        (row,) = answered.rows("--join", "day=7/t.parquet", output=output)
        assert list(row)[:3] == ["id", "custom_id", "text"]


def test_a_column_of_small_numbers_is_not_taken_for_the_ids(answered: Answered) -> None:
    """It has ids of requests in every row, and the column of ids has not, if rows were left out of the drop."""
    rows = [(number, number % 3 + 1) for number in range(1, 31)]
    (answered.home / "t.csv").write_text("id,priority\n" + "".join(f"{id_},{low}\n" for id_, low in rows))
    sent = [*range(1, 10), 20]
    answered.write(*(answer(number, f"about {number}") for number in sent))
    texts = [row["text"] for row in answered.rows("--join", "t.csv")]
    assert texts == [f"about {number}" if number in sent else None for number, _ in rows]


def test_a_few_ids_beside_small_numbers(answered: Answered) -> None:
    """Nobody can know which are meant: it is asked, and no row gets the answer of another."""
    rows = [(number, number % 3 + 1) for number in range(3, 31)]
    (answered.home / "t.csv").write_text("id,priority\n" + "".join(f"{id_},{low}\n" for id_, low in rows))
    answered.write(*(answer(number) for number in (1, 2, 3, 20)))
    assert 'Both "priority" and "id" of t.csv have ids of requests' in answered.refused("--join", "t.csv")


def test_what_cannot_be_joined(answered: Answered) -> None:
    """Is refused in words."""
    answered.write(answer("a"))
    (answered.home / "t.csv").write_text("id,x\na,1\nb\n")
    assert "t.csv, row 2: 1 cell (line 3), and the header names 2 columns" in answered.refused("--join", "t.csv")
    assert 't.csv has no column "ticket"; it has: id, x' in answered.refused("--join", "t.csv", "--on", "ticket")
    assert 'There is no "none.csv"' in answered.refused("--join", "none.csv")
    assert "not a folder" in answered.refused("--join", "november")
    (answered.home / "t.csv").write_text("id\nz\n")
    assert "No row of t.csv has the id of a request in a column" in answered.refused("--join", "t.csv")
