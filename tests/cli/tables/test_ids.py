"""Ids: of a column, or of the row."""

import json

import pytest

from tests.cli.tables.conftest import Desk
from tests.cli.tables.test_typed import parquet


def test_without_a_column_ids_are_stable(desk: Desk) -> None:
    """A row has its number, whichever others are left out."""
    desk.write("t.csv", "text,a\nx,1\ny,\nz,3\n")
    assert [each["custom_id"] for each in desk.prepare("t.csv", "--skip-empty", "a")] == ["row-1", "row-3"]
    assert [each["custom_id"] for each in desk.prepare("t.csv", "--limit", "2")] == ["row-1", "row-2"]


def test_a_column_custom_id_is_the_ids(desk: Desk) -> None:
    """Without an option. It is not kept twice."""
    desk.write("t.csv", "text,custom_id\nx,a-1\n")
    (found,) = desk.prepare("t.csv")
    assert list(found) == ["custom_id", "params"]
    assert found["custom_id"] == "a-1"


@pytest.mark.parametrize(
    ("written", "custom_id"),
    [('"7"', "7"), ("7", 7), ("7.0", 7), ("9007199254740991", 9007199254740991),
     ("9007199254740993", "9007199254740993"), ('"007"', "007"), ('" a "', " a "), ('"é😀"', "é😀"), ("-3", -3)],
)  # fmt: skip
def test_an_id(desk: Desk, written: str, custom_id: str | int) -> None:
    """A number stays a number, as long as all programs read it alike; the column comes back as it was."""
    desk.write("t.jsonl", f'{{"text": "x", "id": {written}}}\n')
    (found,) = desk.prepare("t.jsonl", "--id", "id")
    assert (found["custom_id"], found["id"]) == (custom_id, json.loads(written))


@pytest.mark.parametrize("sql", ["7::DOUBLE", "7::DECIMAL(5,2)", "7::UTINYINT"])
def test_a_whole_number_of_parquet(desk: Desk, sql: str) -> None:
    """Pandas writes whole numbers with a fraction where some are missing."""
    parquet(desk.folder, f"SELECT 'x' AS text, {sql} AS id")
    assert [each["custom_id"] for each in desk.prepare("t.parquet", "--id", "id")] == [7]


@pytest.mark.parametrize(
    ("written", "told"),
    [("null", "is empty"), ('""', "is empty"), ('" "', "is empty"),
     ("1.5", "is no id: it must be text or a whole number"),
     ("true", "is no id: it must be text or a whole number"), ('["a"]', "is no id: it must be text or a whole number"),
     (f'"{"x" * 257}"', "has 257 characters; an id has 256 at most")],
)  # fmt: skip
def test_what_is_no_id(desk: Desk, written: str, told: str) -> None:
    """The row is named."""
    desk.write("t.jsonl", f'{{"text": "x", "id": 1}}\n{{"text": "x", "id": {written}}}\n')
    assert desk.refused("t.jsonl", "--id", "id")[1] == f'row 2: "id" {told}'


def test_repeated_ids(desk: Desk) -> None:
    """Each is named with the row that had it first; 7 and "7" are one id."""
    desk.write(
        "t.jsonl", "".join(f'{{"text": "x", "id": {each}}}\n' for each in ("7", '"a"', '"7"', '"b"', '"a"', '"a"'))
    )
    first, *rows, _ = desk.refused("t.jsonl", "--id", "id")
    assert first == "3 rows of t.jsonl cannot become requests"
    assert rows == [f'row {row}: "id" is the same as in row {of}' for row, of in ((3, 1), (5, 2), (6, 2))]


def test_repeated_ids_among_many(desk: Desk) -> None:
    """At most ten are named."""
    desk.write("t.csv", "text,id\n" + "".join(f"x,{number % 1000}\n" for number in range(2000)))
    first, *rows, more, _ = desk.refused("t.csv", "--id", "id")
    assert first == "1,000 rows of t.csv cannot become requests"
    assert rows[0] == 'row 1,001: "id" is the same as in row 1'
    assert (len(rows), more) == (10, "and 990 more rows")


def test_rows_that_are_left_out_repeat_nothing(desk: Desk) -> None:
    """Only requests count."""
    desk.write("t.csv", "text,id\nx,a\n,a\ny,b\n")
    assert len(desk.prepare("t.csv", "--id", "id", "--skip-empty", "text")) == 2
