"""Receipts of runs, one for each way to end."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.findings import Findings, FirstFault
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.domain.status import Status
from conveyor.ledger.batch_facts import Stuck, Submitted
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.usage import Usage
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch
from conveyor.receipt.receipt import Receipt
from tests.support.examples import BATCH, NOW, RUN

DECLINED = Refusal("w", NOW, "declined", "nobody approved the run within 72 hours (HoldHours)", lines=8)
STOPPED = Refusal("w", NOW, "stopped", "the run was stopped by a person", lines=8)
PAY = "the account has no credit left, or its billing is not in order (HTTP 402 billing_error)"
UNPAID = Refusal("w", NOW, "credit-exhausted", PAY, "pay for: the words of a prompt")
HAIKU = {"claude-haiku-4-5": Tokens(Usage(1_234_567, 89_012), Decimal("59.80"))}
GIVEN_UP = Stuck("w", NOW, "it has not ended 6 hours after it was cancelled")
FAULTS = [
    FirstFault(3, "custom-id-duplicate", '"custom_id" is already used on line 1'),
    FirstFault(5, "field-refused", '"params.stream": remove it'),
]


def ended(  # noqa: PLR0913  # each is a part of the receipt
    results: int,
    errors: dict[str, int] | None = None,
    *,
    outcomes: dict[str, int] | None = None,
    retryable: int = 0,
    tokens: dict[str, Tokens] | None = None,
    refusal: Refusal | None = None,
    stuck: Stuck | None = None,
    run: Run = RUN,
) -> Receipt:
    """Return the receipt of a run with one batch. `outcomes`: of the failures, if not all are `errored`."""
    errors = errors or {}
    failures = sum(errors.values())
    counts = {outcome.value: 0 for outcome in Outcome} | (outcomes or {"errored": failures}) | {"succeeded": results}
    files = [
        OutputFile(keys.results(run.name, run.run), results, 10, "a"),
        OutputFile(keys.failures(run.name, run.run), failures, 10, "b"),
        *([OutputFile(keys.retry(run.name, run.run), retryable, 10, "c")] if retryable else []),
    ]
    used = tokens if tokens is not None else (HAIKU if results else {})
    at, kinds = NOW + timedelta(hours=3, minutes=46), {name: ErrorKind(count) for name, count in errors.items()}
    part = Part("w", at, counts, retryable, 0, 0, used, files, NOW, errors=kinds)
    batch = replace(BATCH, requests=results + failures)
    done = SplitBatch(batch, Submitted("w", NOW, "msgbatch_1", NOW, NOW), part, set(), stuck)
    return completed_receipt(run, Plan(ValidatedDrop(results + failures, "f00"), [batch]), [done], 0, refusal)


def invalid(lines: int, faults: list[FirstFault] = FAULTS, run: Run = RUN) -> Receipt:
    """Return the receipt of a drop that is refused for invalid lines."""
    codes = {fault.code: 1 for fault in faults}
    file = OutputFile(keys.invalid(run.name, run.run), len(faults), 99, "d")
    findings = Findings(len({fault.line for fault in faults}), codes, faults)
    reason = "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    return refused_receipt(
        run, Refusal("w", NOW, "invalid-lines", reason, None, lines, len(faults), file, findings=findings), 0
    )


def estimated(lines: int, most: str | None, run: Run = RUN) -> Receipt:
    """Return the receipt of a dry run. `most`: in US dollars; None if there is no bound."""
    dollars = Decimal(most) if most else None
    estimate = Estimate(
        dollars, 9, 9, {"claude-haiku-4-5": ModelEstimate(lines, 9, 9, dollars)}, {} if most else {"url": lines}
    )
    return refused_receipt(run, Refusal("w", NOW, "dry-run", "why", lines=lines, estimate=estimate), 0)


EVERY = {
    "all answered": ended(40_000),
    "one answered": ended(1),
    "some failed": ended(
        39_412, {"invalid_request_error": 450, "overloaded_error": 121, "api_error": 17}, retryable=138
    ),
    "one failed": ended(1, {"overloaded_error": 1}, retryable=1),
    "some left out": ended(2, {"field-refused": 1, "api_error": 1}, outcomes={"errored": 1, "invalid": 1}),
    "nothing succeeded": ended(0, {"not_found_error": 300}),
    "the one request failed": ended(0, {"not_found_error": 1}),
    "refused half-way": ended(
        3, {"never_sent": 4, "overloaded_error": 1}, outcomes={"canceled": 4, "errored": 1}, retryable=5, refusal=UNPAID
    ),
    "refused half-way without a result": ended(0, {"never_sent": 4, "api_error": 1}, retryable=5, refusal=UNPAID),
    "stopped half-way": ended(3, {"canceled": 5}, outcomes={"canceled": 5}, retryable=5, refusal=STOPPED),
    "declined half-way": ended(3, {"never_sent": 5}, outcomes={"canceled": 5}, retryable=5, refusal=DECLINED),
    "declined with one answer": ended(1, {"never_sent": 1}, outcomes={"canceled": 1}, retryable=1, refusal=DECLINED),
    "declined before it was sent": refused_receipt(RUN, DECLINED, 0),
    "estimated": estimated(1_880, "61.40"),
    "estimated, one request without a bound": estimated(1, None),
    "stopped before it was sent": refused_receipt(RUN, STOPPED, 0),
    "refused by the provider": refused_receipt(RUN, UNPAID, 0),
    "refused without an answer": refused_receipt(RUN, Refusal("w", NOW, "unsent", "why"), 2),
    "refused for its lines": invalid(1_880),
    "refused for its one line": invalid(1, FAULTS[1:]),
    "seen before": refused_receipt(RUN, Refusal("w", NOW, "seen-before", "the same bytes are run run-0 already"), 0),
    "stuck": ended(
        24_880, {"stuck": 14_996, "api_error": 124}, outcomes={"stuck": 14_996, "errored": 124}, stuck=GIVEN_UP
    ),
    "stuck and stopped": ended(0, {"stuck": 1}, outcomes={"stuck": 1}, stuck=GIVEN_UP, refusal=STOPPED),
    "unbalanced": replace(ended(2), requests=3, status=Status.UNBALANCED, unaccounted=[2]),
}  # fmt: skip
"""One receipt for each ending, by name."""
