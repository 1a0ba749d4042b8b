"""From a table to requests and back with the command, as a program, on the deployed stack."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.stack.deployment import STACK_NAME
from tests.support.command import Command

if TYPE_CHECKING:
    from local.stack.stack import Stack

SAMPLE = Path(__file__).parents[2] / "samples" / "tickets"
PREPARED = ("--template", "prompt.md", "--schema", "answer.json", "--model", "claude-haiku-4-5", "--max-tokens", "300")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def desk(stack: Stack, tmp_path: Path) -> Command:
    """Return the command of a person who has the sample."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    return Command(tmp_path, stack.aws.env)


def test_a_table_of_tickets_comes_back_with_labels(stack: Stack, desk: Command) -> None:
    """All 300 rows, in their order: each with a label, or the cause of its failure."""
    stack.provider_settings({"outcomes": {"7": "errored:invalid_request_error"}})
    for typed in (
        ("use", STACK_NAME),
        ("prepare", "tickets.csv", *PREPARED, "--id", "ticket"),
        ("drop", "tickets.jsonl", "--project", "desk"),
        ("watch", "tickets", "--every", "0.5"),
        ("table", "tickets", "--join", "tickets.csv", "-o", "labels.csv"),
    ):
        ran = desk.run(*typed)
        assert ran.exit == (1 if typed[0] == "watch" else 0), (typed, ran.error)
    before, after = rows_of(desk.home / "tickets.csv"), rows_of(desk.home / "labels.csv")
    assert [{name: row[name] for name in before[0]} for row in after] == before
    labels = json.loads((SAMPLE / "answer.json").read_text())["properties"]["label"]["enum"]
    assert {row["label"] for row in after} == {*labels, ""}
    assert [row["ticket"] for row in after if not row["label"]] == ["ticket-480007"]
    assert after[6]["error_type"] == "invalid_request_error"
