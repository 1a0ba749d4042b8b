"""A table, or texts, dropped as they are: the refusal has the commands that make requests of them and drop these."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import openpyxl
import pytest

from tests.support.belt import Belt
from tests.support.command import Command
from tests.support.desk_drops import Reaction

RECORDS = [{"ticket": "t-1", "text": 'Hello, "you"'}, {"ticket": "t-2", "text": "Why?"}]


def write_separated(path: Path, separator: str) -> None:
    """Write a table with a separator."""
    rows = [["ticket", "text"], ["t-1", "Hello"], ["t-2", "Why?"]]
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows))


def write_sheet(path: Path) -> None:
    """Write a workbook."""
    book = openpyxl.Workbook()
    for row in (["ticket", "text"], *([each["ticket"], each["text"]] for each in RECORDS)):
        book.worksheets[0].append(row)
    book.save(path)


def write_parquet(path: Path) -> None:
    """Write a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 't-1' AS ticket, 'Hello' AS text")
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def write_json(path: Path, indent: int | None) -> None:
    """Write an array of records."""
    path.write_text(json.dumps(RECORDS, indent=indent))


def write_lines(path: Path) -> None:
    """Write records, one a line."""
    path.write_text("".join(f"{json.dumps(each)}\n" for each in RECORDS))


def write_text(path: Path) -> None:
    """Write a text."""
    path.write_text("Dear Sir,\nwhere is it?\n")


FILES: dict[str, Callable[[Path], None]] = {
    "tickets.csv": partial(write_separated, separator=","),
    "tickets.tsv": partial(write_separated, separator="\t"),
    "-my tickets;1.csv": partial(write_separated, separator=";"),
    "tickets.xlsx": write_sheet,
    "tickets.parquet": write_parquet,
    "tickets.json": partial(write_json, indent=None),
    "pretty.json": partial(write_json, indent=2),
    "tickets.jsonl": write_lines,
    "requests.jsonl": write_lines,
    "letter.txt": write_text,
}


@pytest.fixture
def person(conveyor: Command) -> Command:
    """Return the command of a user who has written a prompt."""
    (conveyor.home / "prompt.md").write_text("Answer this: {{ text }}")
    return conveyor


def type_all(person: Command, lines: list[str]) -> None:
    """Type the lines of a screen or of a message; each command must succeed. `(cd …)` holds for one line."""
    for line in lines:
        folder, typed = person.home, line.strip()
        for command in (typed[1:-1] if typed.startswith("(") else typed).split(" && "):
            match shlex.split(command):
                case ["cd", to]:
                    folder /= to
                case ["conveyor", *arguments]:
                    ran = Command(folder, person.env | {"HOME": str(person.home)}).call(*arguments)
                    assert ran.exit == 0, (command, ran.error)
                case other:
                    subprocess.run(other, cwd=folder, check=True)  # noqa: S603  # what the screen shows


def commands_of(shown: str) -> list[str]:
    """Return the commands of the desk on a screen or in a message."""
    return [line for line in shown.splitlines() if "conveyor prepare " in line or line.startswith("    conveyor drop ")]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_table_that_is_dropped_is_told_how_it_becomes_requests(
    person: Command, reaction: Reaction, name: str
) -> None:
    """The two commands work as they are shown: they begin a run. Nothing is uploaded before."""
    FILES[name](person.home / name)
    dropped = person.call("drop", f"./{name}" if name.startswith("-") else name)
    assert (dropped.exit, reaction.runs) == (3, [])
    prepare, drop = commands_of(dropped.error + dropped.out)
    type_all(person, [prepare, drop])
    assert len(reaction.runs) == 1


def test_commands_for_a_table_in_another_folder_run_there(person: Command, reaction: Reaction) -> None:
    """They name the folder, whatever is in its name."""
    folder = person.home / "my data"
    folder.mkdir()
    shutil.copy(person.home / "prompt.md", folder)
    FILES["tickets.csv"](folder / "tickets.csv")
    dropped = person.call("drop", "my data/tickets.csv")
    assert "Write your prompt into my data/prompt.md" in dropped.error + dropped.out
    type_all(person, commands_of(dropped.error + dropped.out))
    assert len(reaction.runs) == 1


def test_a_folder_that_is_dropped_is_told_the_same(person: Command, reaction: Reaction) -> None:
    """A folder of texts, not one of drops."""
    (person.home / "letters").mkdir()
    write_text(person.home / "letters" / "a.txt")
    dropped = person.call("drop", "letters")
    assert dropped.exit == 2
    assert dropped.error.startswith("✗ letters is a folder\n")
    type_all(person, commands_of(dropped.error))
    assert len(reaction.runs) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("reaction")
@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("-")])
def test_a_table_that_is_uploaded_is_told_in_the_message(person: Command, belt: Belt, name: str) -> None:
    """The same command as at the desk, also in the receipt."""
    FILES[name](person.home / name)
    message = belt.finish(belt.upload((person.home / name).read_bytes(), f"inbox/{name}"))
    shown, then = commands_of(message["message"])
    assert then.strip() == f"conveyor drop {belt.receipt()['conversion']['file']}"
    dropped = person.call("drop", name)
    assert (
        commands_of(dropped.error + dropped.out)[0].strip() == shown.strip() == belt.receipt()["conversion"]["prepare"]
    )
