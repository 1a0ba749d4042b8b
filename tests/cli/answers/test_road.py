"""From a table to requests, through the stack, and back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.answers.answered import READERS
from tests.cli.answers.test_join import TICKETS, write_csv, write_lines, write_parquet, write_sheet
from tests.support.belt import Belt
from tests.support.command import Command

NAME = "inbox/support/tickets.jsonl"
MODEL = ("--template", "prompt.md", "--model", "claude-haiku-4-5")


def come_back(conveyor: Command, belt: Belt, source: str, *options: str) -> None:
    """Make requests, and let the stack answer them; the second one fails."""
    conveyor.call("use", "conveyor")
    (conveyor.home / "prompt.md").write_text("Sort this: {{ text }}")
    prepared = conveyor.call("prepare", source, *MODEL, "-o", "requests.jsonl", *options)
    assert (prepared.exit, prepared.error) == (0, "")
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"}, every={})
    belt.finish(belt.upload((conveyor.home / "requests.jsonl").read_bytes(), NAME))


BY_TICKET, BY_ROW = ("--id", "ticket"), ()


@pytest.mark.parametrize(
    ("write", "ids"),
    [
        (write_csv, BY_TICKET),
        (write_csv, BY_ROW),
        (write_parquet, BY_TICKET),
        (write_sheet, BY_ROW),
        (write_lines, BY_TICKET),
    ],
)
def test_a_table_and_back(conveyor: Command, belt: Belt, write: Callable[[Path], Path], ids: tuple[str, ...]) -> None:
    """Of each kind: every row is there once, in its order, with its answer or the cause of its failure."""
    path = write(conveyor.home / "tickets")
    come_back(conveyor, belt, path.name, *ids)
    ran = conveyor.call("table", "tickets", "--join", path.name, "-o", "out.csv")
    assert ran.exit == 0, ran.error
    names, *rows = READERS["csv"](conveyor.home / "out.csv")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    assert [row["ticket"] for row in table] == ["t-2", "t-9", "t-1", "t-3"]
    assert [row["text"] for row in table] == ['two, "too"\nand more', "nine", "one", "three"]
    assert [row["outcome"] for row in table] == ["succeeded", "errored", "succeeded", "succeeded"]
    assert [bool(row["text_answer"]) for row in table] == [True, False, True, True]
    assert [row["error_type"] for row in table] == [None, "invalid_request_error", None, None]


def test_without_the_table_its_columns_come_with_the_answers(conveyor: Command, belt: Belt) -> None:
    """Those that were carried along, with their names."""
    write_csv(conveyor.home / "tickets")
    come_back(conveyor, belt, "tickets.csv", "--keep", "all")
    assert conveyor.call("table", "tickets", "-o", "out.csv").exit == 0
    names, *rows = READERS["csv"](conveyor.home / "out.csv")
    assert names[:4] == ["custom_id", *TICKETS.partition("\n")[0].split(",")]
    assert [row[1] for row in rows] == ["t-2", "t-9", "t-1", "t-3"]


def test_a_folder_and_back(conveyor: Command, belt: Belt) -> None:
    """The path of each file is its id."""
    folder = conveyor.home / "letters"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"Dear {name}")
    come_back(conveyor, belt, "letters")
    assert conveyor.call("table", "tickets", "-o", "out.parquet").exit == 0
    names, *rows = READERS["parquet"](conveyor.home / "out.parquet")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    assert [(row["custom_id"], row["outcome"]) for row in table] == [
        ("a.txt", "succeeded"), ("b.txt", "errored"), ("c.txt", "succeeded"),
    ]  # fmt: skip
