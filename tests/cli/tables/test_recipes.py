"""docs/recipes/tables.md, run as it stands there: the lines of the shell, the programs and the queries."""

import csv
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.belt import Belt
from tests.support.command import Command
from tests.support.desk_drops import Reaction

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs" / "recipes" / "tables.md").read_text()
SAMPLE = PROJECT / "samples" / "tickets"
PYTHON = PROJECT / ".venv" / "frames" / "bin" / "python"
"""Has pandas, Polars and DuckDB, and nothing of Conveyor (`make unit` installs it)."""
LABELS = {"login", "billing", "bug", "feature", "other"}
QUERY = "import duckdb, sys; duckdb.execute(sys.stdin.read())"


def blocks(title: str, language: str) -> list[str]:
    """Return the code under a heading."""
    under = re.split(rf"^##+ {title}$", PAGE, flags=re.MULTILINE)[1].partition("\n## ")[0]
    found: list[str] = re.findall(rf"^```{language}\n(.*?)```$", under.partition("\n### ")[0], re.DOTALL | re.MULTILINE)
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def type_lines(conveyor: Command, belt: Belt, reaction: Reaction, lines: str) -> None:
    """Type the lines of a recipe. The stack does its work as soon as something is dropped."""
    for line in lines.replace("\\\n", "").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "conveyor"
        ran = conveyor.call(*arguments)
        assert ran.exit == 0, (line, ran.error)
        if arguments[0] == "drop":
            belt.finish(reaction.runs[-1])


@pytest.fixture
def reaction(reaction: Reaction, belt: Belt) -> Reaction:
    """Return a stack whose provider answers everything."""
    belt.provider.configure(outcomes={}, every={})
    return reaction


def test_tickets_get_their_labels(conveyor: Command, belt: Belt, reaction: Reaction) -> None:
    """Every row of the sample comes back, in its order, with one of the labels if it was sent."""
    shutil.copytree(SAMPLE, conveyor.home, dirs_exist_ok=True)
    (lines,) = blocks("Label a table of tickets", "sh")
    type_lines(conveyor, belt, reaction, lines)
    before, after = rows_of(conveyor.home / "tickets.csv"), rows_of(conveyor.home / "labels.csv")
    assert [{name: row[name] for name in before[0]} for row in after[:300]] == [{**row} for row in before]
    assert {row["label"] for row in after if row["text"]} == LABELS
    assert all(row["wish"] for row in after if row["text"])
    assert [row["label"] for row in after if not row["text"]] == [""] * 8


def test_letters_get_their_summaries(conveyor: Command, belt: Belt, reaction: Reaction) -> None:
    """A row for each file, under its path."""
    texts = {"a.txt": "Dear Sir,\nwhere is my parcel?", "b/c.txt": "Café\n", "d.txt": '=1+1, "quoted"'}
    for path, text in texts.items():
        (conveyor.home / "letters" / path).parent.mkdir(parents=True, exist_ok=True)
        (conveyor.home / "letters" / path).write_text(text)
    (prompt,), (lines,) = (blocks("Summarise a folder of texts", language) for language in ("jinja", "sh"))
    (conveyor.home / "summary.md").write_text(prompt)
    type_lines(conveyor, belt, reaction, lines)
    summaries = rows_of(conveyor.home / "summaries.csv")
    assert [row["custom_id"] for row in summaries] == list(texts)
    assert all("Summarise this letter" in row["text"] for row in summaries)


@pytest.mark.slow
@pytest.mark.parametrize(("title", "language"), [("pandas", "python"), ("Polars", "python"), ("DuckDB", "sql")])
def test_the_same_without_the_command(belt: Belt, tmp_path: Path, title: str, language: str) -> None:
    """In an environment without Conveyor. The line that fails leaves its row without an answer."""
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"}, every={})
    shutil.copy(SAMPLE / "tickets.csv", tmp_path)
    write, read = blocks(title, language)
    run_code(write, language, tmp_path)
    dropped = (tmp_path / "requests.jsonl").read_bytes()
    message = belt.finish(belt.upload(dropped, "inbox/requests.jsonl"))
    assert message["status"] == "completed"
    results = belt.read(f"results/requests/{belt.receipt()['run']}/results.jsonl")
    assert {"APAC", "EU"} < {json.loads(line)["region"] for line in results.splitlines()}
    (tmp_path / "results.jsonl").write_bytes(results)
    run_code(read, language, tmp_path)
    before, after = rows_of(tmp_path / "tickets.csv"), rows_of(tmp_path / "labels.csv")
    assert [{**row, "answer": ""} for row in before] == [{**row, "answer": ""} for row in after]
    assert [row["ticket"] for row in after if "Sort this support ticket" not in row["answer"]] == ["ticket-480002"]


def run_code(code: str, language: str, folder: Path) -> None:
    """Run a program or a query in a folder."""
    given = ["-c", QUERY] if language == "sql" else ["-"]
    done = subprocess.run(  # noqa: S603 - the code of our own page
        [PYTHON, "-I", *given], input=code, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
