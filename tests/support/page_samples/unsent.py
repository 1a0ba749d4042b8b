"""Runs of which nothing was sent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from conveyor.domain import keys
from conveyor.domain.findings import Findings, FirstFault
from conveyor.domain.output_file import OutputFile
from conveyor.file_types.conversion import Conversion
from conveyor.ledger.run_facts import Refusal, WaitingRun
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.receipt.account import refused_receipt
from tests.support.page_samples.sent import START, run_named

if TYPE_CHECKING:
    from conveyor.receipt.receipt import Receipt

_FAULTS = [
    FirstFault(3, "custom-id-duplicate", '"custom_id" is already used on line 1'),
    FirstFault(5, "field-refused", '"params.stream": a batch does not stream: remove it'),
    FirstFault(1204, "max-tokens", '"params.max_tokens" is the number 0; it must be an integer of at least 1'),
]


def _estimate(lines: int, most: str | None) -> Estimate:
    dollars = Decimal(most) if most else None
    models = {"claude-haiku-4-5": ModelEstimate(lines, lines * 1200, lines * 1024, dollars)}
    return Estimate(dollars, lines * 1200, lines * 1024, models, {} if most else {"url": lines})


def refused() -> Receipt:
    """Return the receipt of a drop with invalid lines."""
    run = run_named("invoices", 4, "finance")
    codes = {"custom-id-duplicate": 1, "field-refused": 1, "max-tokens": 1}
    reason = "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    file = OutputFile(keys.invalid(run.name, run.run), 3, 412, "02be77c1904ad5e3" * 4)
    refusal = Refusal("w", START, "invalid-lines", reason, None, 1880, 3, file, findings=Findings(3, codes, _FAULTS),
                      estimate=_estimate(1877, "12.40"))  # fmt: skip
    return refused_receipt(run, refusal, 0)


def declined() -> Receipt:
    """Return the receipt of a run that nobody approved."""
    refusal = Refusal("w", START, "declined", "nobody approved the run within 72 hours (HoldHours)", lines=40_000,
                      estimate=_estimate(40_000, "412.00"))  # fmt: skip
    return refused_receipt(run_named("contracts-q4", 20, "legal"), refusal, 0)


def estimated() -> Receipt:
    """Return the receipt of a dry run whose cost has no bound."""
    refusal = Refusal("w", START, "dry-run", "the drop asked for an estimate only", lines=1_880,
                      estimate=_estimate(1_880, None))  # fmt: skip
    return refused_receipt(run_named("contracts-q4", 21, "legal", **{"dry-run": "yes"}), refusal, 0)


def seen_before() -> Receipt:
    """Return the receipt of a drop whose content waits in another run."""
    other = "20261124T080000Z-0000000000aa"
    waiting = WaitingRun(other, f"control/{other}/approve-1", "up-to 20")
    refusal = Refusal("w", START, "seen-before", f"the same bytes are run {other} already", waiting_run=waiting)
    return refused_receipt(run_named("tickets-2026-11", 22), refusal, 0)


def wrong_file() -> Receipt:
    """Return the receipt of a drop that is no file of requests."""
    conversion = Conversion("jq -c '.[]' < requests.json > requests-converted.jsonl", "requests-converted.jsonl")
    reason = "the file is a JSON array: each request must be one line, without the brackets and commas of an array"
    return refused_receipt(
        run_named("requests", 23), Refusal("w", START, "json-array", reason, conversion=conversion), 0
    )
