"""The recipes, typed from top to bottom as they stand, on the deployed stack."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.stack.deployment import STACK_NAME
from tests.support.recipes.follow import follow
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import Terminal, interpreted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

PROJECT = Path(__file__).parents[2]
TICKETS = PROJECT / "samples" / "tickets"
PYTHON = PROJECT / ".venv" / "frames" / "bin" / "python"
"""Has DuckDB and Polars, and nothing of Conveyor."""

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)


@contextmanager
def desk(stack: Stack, folder: Path) -> Iterator[Terminal]:
    """Yield the shell of a person who has chosen the stack."""
    aws = Interpreter(stack.aws.client)
    with interpreted(folder, aws, {**stack.aws.env, "HOME": str(folder.parent)}) as terminal:
        python = folder.parent / f"{folder.name}-bin" / "python"
        python.write_text(f'#!/bin/sh\nexec {PYTHON} -I "$@"\n')
        python.chmod(0o700)
        terminal.succeed(f"conveyor use {STACK_NAME}")
        yield terminal


@pytest.fixture(autouse=True)
def same_answers(stack: Stack) -> None:
    """Have the same requests answered in the same way each time, so that pages can show what comes."""
    stack.provider_settings({"ids_of_params": True})


def test_results_in_sql(stack: Stack, tmp_path: Path) -> None:
    """Runs, results and failures in Athena, and fetched files in DuckDB."""
    stack.provider_settings({"outcomes": {"7": "errored:invalid_request_error"}})
    with desk(stack, shutil.copytree(TICKETS, tmp_path / "tickets")) as terminal:
        follow("sql.md", terminal)


def test_a_cached_prompt(stack: Stack, tmp_path: Path) -> None:
    """The receipt shows what was written to the cache and read from it, and what the same drop costs without it."""
    with desk(stack, shutil.copytree(TICKETS, tmp_path / "tickets")) as terminal:
        follow("prompt-caching.md", terminal)


def test_an_eval_with_two_models(stack: Stack, tmp_path: Path) -> None:
    """Accuracy, cost and answers that were cut off, by model; and a judge."""
    stack.provider_settings({"outcomes": {"3": "succeeded:max_tokens"}})
    with desk(stack, tmp_path / "eval") as terminal:
        follow("eval.md", terminal)
