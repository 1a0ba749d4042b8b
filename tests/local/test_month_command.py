"""The command in docs/operate.md that adds up what a project has spent in a month, typed into a real shell."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import pytest

from conveyor.spend.index_entry import IndexEntry, StartEntry
from tests.support.people import create_bucket
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted
from tests.support.template import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.local_aws import Aws

PAGE = (PROJECT / "docs" / "operate.md").read_text()


def run(day: int, usd: str | None, *, is_lower_bound: bool = False, month: int = 11) -> IndexEntry:
    """Return how a run of team-a has ended."""
    name = f"2026{month}{day:02}T120000Z-0123456789ab"
    return IndexEntry("team-a", name, "completed", 1, 1, 0, Decimal(usd) if usd else None, is_lower_bound)


def begun(day: int) -> StartEntry:
    """Return that a run of team-a has begun."""
    return StartEntry("team-a", f"202611{day:02}T120000Z-0123456789ab", 5_000_000)


@pytest.mark.parametrize(
    ("runs", "answer"),
    [
        ([], "0 runs: $0.00\n"),
        ([run(1, "61.4"), run(30, "0.000001"), run(29, "0"), run(1, "1000", month=12)], "3 runs: $61.40\n"),
        ([run(1, "61.4", is_lower_bound=True), run(2, "1")], "2 runs: at least $62.40\n"),
        ([run(1, None), run(2, "1")], "2 runs: at least $1.00\n"),
        ([begun(1), run(1, "61.4"), begun(2)], "1 runs: $61.40\n"),
    ],
    ids=["none", "all priced", "a lower bound", "one without a price", "one under way"],
)
def test_the_month_of_a_project_is_added_up_by_the_command_in_the_docs(
    aws: Aws, tmp_path: Path, runs: list[IndexEntry | StartEntry], answer: str
) -> None:
    """A person needs no tool, and is told where the sum is not all."""
    bucket = create_bucket(aws)
    for entry in runs:
        aws.client("s3").put_object(Bucket=bucket, Key=entry.key, Body=b"")
    (command,) = re.findall(r"^(aws s3 ls --recursive s3://<BucketName>/index/.*)$", PAGE, re.MULTILINE)
    typed = command.replace("<BucketName>", bucket).replace("<project>", "team-a")
    with interpreted(tmp_path / "home", Interpreter(cache(aws.client))) as terminal:
        assert terminal.succeed(typed).decode() == answer
