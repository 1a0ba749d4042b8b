"""The recipes of docs/files.md, run unchanged."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.wrong_files import type_of_file

DOCUMENT = (Path(__file__).parents[3] / "docs" / "files.md").read_text()


def recipe(title: str, language: str) -> str:
    """Return the first code block of a language under a heading."""
    match = re.search(rf"## {title}.*?```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert match
    return match[1]


def typed(command: str, folder: Path) -> list[dict[str, Any]]:
    """Run a command that writes `requests.jsonl`, and return its requests."""
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=60)  # noqa: S603, S607  # as a person does
    made = (folder / "requests.jsonl").read_bytes()
    assert type_of_file(made) is None
    return [json.loads(line) for line in made.splitlines()]


def prompts(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the id and prompt of each request."""
    return [(request["custom_id"], request["params"]["messages"][0]["content"]) for request in requests]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "word"), [("utf-8-sig", ""), ("utf-8", ""), ("utf-16", " utf-16"), ("cp1252", " cp1252")]
)
def test_a_recipe_makes_requests_of_a_table(tmp_path: Path, separator: str, encoding: str, word: str) -> None:
    """Columns may have any separator, and the file any encoding."""
    rows = [["text", "note"], ['"Caf\xe9, "";\n so"', "x"], ["plain", "y"]]
    (tmp_path / "table.csv").write_bytes("\r\n".join(map(separator.join, rows)).encode(encoding))
    (tmp_path / "requests.py").write_text(recipe("From a table to requests", "python"))
    command = recipe("From a table to requests", "sh").replace("table.csv", f"table.csv{word}")
    assert prompts(typed(command, tmp_path)) == [
        ("row-1", 'Summarise in one sentence: Caf\xe9, ";\n so'),
        ("row-2", "Summarise in one sentence: plain"),
    ]


def test_a_recipe_makes_requests_of_a_text(tmp_path: Path) -> None:
    """Each line becomes a request with the number of the line."""
    (tmp_path / "prompts.txt").write_text('Say "hello".\n\n \nCaf\xe9?\n')
    requests = prompts(typed(recipe("From a text to requests", "sh"), tmp_path))
    assert requests == [("line-1", 'Say "hello".'), ("line-4", "Caf\xe9?")]


@pytest.mark.parametrize(("indent", "before", "between", "after"), [(None, "", "\n", ""), (2, "[", ",", "]")])
def test_a_recipe_makes_requests_of_json_records(
    tmp_path: Path, indent: int | None, before: str, between: str, after: str
) -> None:
    """One a line, or in an array over many lines."""
    records = [json.dumps({"text": text}, indent=indent) for text in ('Say "hello".', "Caf\xe9\n?")]
    (tmp_path / "records.json").write_text(before + between.join(records) + after)
    assert prompts(typed(recipe("From JSON records to requests", "sh"), tmp_path)) == [
        ("row-1", 'Summarise in one sentence: Say "hello".'),
        ("row-2", "Summarise in one sentence: Caf\xe9\n?"),
    ]
