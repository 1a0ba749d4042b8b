"""The saved queries answer what they are for. docs/operate.md shows each, with its result on the runs of this test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.functions.conftest import the_memory
from tests.support import dashboard, template
from tests.support.belt import Belt, request
from tests.support.log_lines import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = (template.PROJECT / "docs" / "operate.md").read_text()
SHOWN = ("Running", "Waiting", "Cost", "Failures")
MORNING = datetime(2026, 11, 30, 8, tzinfo=UTC)
MINUTE = 60
BUDGETS = {"projects": {"support": {}, "shop": {}, "legal": {}, "research": {"usd_per_day": "0.024"}, "finance": {}}}
IDS = (
    "5c1e7a90b3d4",
    "41d7aa09f3b2",
    "9f02bb6d1c77",
    "07e6c1a2d9f0",
    "e2b8441f5a63",
    "b3a9d7705e18",
    "c84f1b2e6a09",
    "0d9a3e5f7b26",
)
"""What the ids of runs end in on the page: their own depends on the name of the bucket."""


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set batches of 20 requests, and no probe."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "20", "PROBE_ABOVE": "0", "RETRY_ROUNDS": "0"}


@pytest.fixture
def journal(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Return the journal of a morning: a run has ended, one is refused, one is under way, and three wait."""
    belt.set_clock(MORNING)
    the_memory().s3.buckets[belt.bucket].now = lambda: belt.moment  # a run begins when its object was modified
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=json.dumps(BUDGETS).encode())
    journal = Journal(belt, monkeypatch)
    usage = {"input_tokens": 9000, "output_tokens": 3500}
    faults = {str(line): "errored:overloaded_error" for line in (3, 11, 17)} | {"7": "errored:invalid_request_error"}
    belt.provider.configure(outcomes=faults, usage=usage)
    belt.finish(belt.upload(lines(120), "inbox/support/tickets.jsonl"))
    belt.provider.configure(outcomes={})
    belt.finish(belt.upload(lines(80), "inbox/shop/reviews.jsonl"))
    belt.finish(belt.upload(b"name;text\n", "inbox/finance/invoices.jsonl"))
    belt.pass_time(MINUTE)
    under_way = belt.upload(lines(240), "inbox/shop/catalog.jsonl")
    for _ in range(6):
        belt.step(under_way)
    belt.provider.configure(seconds=None)
    held = belt.upload(lines(60), "inbox/legal/contracts.jsonl", {"hold": "always"})
    belt.pass_time(20 * MINUTE)
    first = belt.upload(lines(60), "inbox/research/eval-a.jsonl")
    belt.pass_time(MINUTE)
    over = belt.upload(lines(60), "inbox/research/eval-b.jsonl")
    for _ in range(3):
        belt.step(first)
        belt.step(over)
    belt.pass_time(5 * MINUTE)
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=None)
    busy = belt.upload(lines(16), "inbox/support/mails.jsonl")
    for run in (under_way, held, first, over, busy):
        belt.poll(run)
        belt.pass_time(20)
    return journal


def lines(count: int) -> bytes:
    """Return a drop."""
    return b"".join(request(f"r-{number}") + b"\n" for number in range(1, count + 1))


def test_the_page_shows_each_query_and_what_it_finds(journal: Journal) -> None:
    """If a table has changed, the assertion shows the new one."""
    for name in SHOWN:
        query = dashboard.queries()[name]
        found = shown(journal, table(journal.ask(query)))
        assert f"```text\n{query}\n```" in PAGE
        assert f"```text\n{found}\n```" in PAGE, f"{name} finds:\n{found}"


def table(rows: list[Mapping[str, str]]) -> str:
    """Write a result with columns below their names."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([row.get(name, "") for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in padded)


def shown(journal: Journal, text: str) -> str:
    """Give runs the ids of the page."""
    runs = sorted({row["run"] for row in journal.ask("filter ispresent(run) | stats count(*) by run")})
    for run, end in zip(runs, IDS, strict=True):
        text = text.replace(run, f"{run.partition('-')[0]}-{end}")
    return text
