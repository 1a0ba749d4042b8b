"""The final account of a run. It follows from the ledger alone, so writing it again changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import OTHER_FOLDER, PROJECT, RETRY_OF
from conveyor.domain.findings import Findings
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.domain.status import Status, final_status
from conveyor.domain.stop_reasons import Stops, add_stops
from conveyor.file_types.conversion import Conversion
from conveyor.ledger.failure_counts import ErrorKind, add_errors, by_count, take_errors
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.round_facts import Merged
from conveyor.ledger.run_facts import Refusal, Run, WaitingRun
from conveyor.money.cost import rounded
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast
from conveyor.report.batch_account import (
    BatchAccount,
    ProbeAccount,
    RoundAccount,
    SplitBatch,
    SplitRound,
    account_of_batch,
    account_of_probe,
    account_of_round,
)
from conveyor.report.files import accounts_of, early_parts, parts_by_file
from conveyor.report.gate_account import GateAccount
from conveyor.report.money import Money, add_tokens, cost_of, money_of, round_tokens
from conveyor.settings.betas import BETAS_NOT_TAKEN, NO_BETAS, normalized_betas
from conveyor.settings.metadata import corrected_metadata


class Receipt(msgspec.Struct):
    """`receipt.json`. Each field means the same in every status.

    `requests` = `results` + `failures` + `not_run`, and every result and failure has one outcome; else `unbalanced`.
    """

    run: str
    name: str
    status: Status
    reason: str | None
    """Why nothing, or nothing more, of the drop was sent."""
    code: str | None
    words: str | None
    """The provider's error text, if it refused."""
    drop: dict[str, str | int]
    drop_settings: dict[str, str]
    """What the drop's own metadata sets; names and values are corrected if the drop was refused for them."""
    requests: int
    """Lines of the drop that are not blank; 0 if it was not read to its end."""
    results: int
    """Lines of `results.jsonl`."""
    failures: int
    """Lines of `failures.jsonl`."""
    not_run: int
    """Lines of a drop that was refused or stopped as a whole: none was sent, and they are in no file."""
    never_sent: int
    """Failures of batches that were not sent; `reason` says why."""
    outcomes: dict[str, int]
    causes: dict[str, int]
    """Failures that no line is to blame for, by what must be fixed before sending again can help."""
    retryable: int
    """Failures whose lines are in `retry.jsonl`."""
    default_max_tokens: dict[str, int]
    """How many requests got the default `max_tokens`, and its value."""
    faults: int
    """Faults of invalid lines; all of them, or the first 10,000, are in `invalid.jsonl`."""
    tokens: dict[str, Tokens]
    cost_usd: Decimal | None
    """The price of these tokens, as far as prices are known (`money.unpriced`); null if none is known."""
    batches: list[BatchAccount]
    files: list[OutputFile]
    unaccounted: list[int]
    """Lines that have a result and are in no output; empty unless the account is unbalanced."""
    repaired: int
    """Results in which invalid characters were replaced by U+FFFD; `aside.jsonl` has them unchanged."""
    unreadable: int
    """Failures whose result line could not be read; it is in `aside.jsonl`."""
    unanswered: int
    """Create requests without a response, for which no batch is listed: they are assumed to have created none."""
    ordered: bool
    """True: outputs are in the order of the drop."""
    received_at: datetime
    given_up: list[str] = []
    """Why batches were given up without their results."""
    stop_reasons: Stops = {}
    """Answers by model and stop reason, under the names of the Messages API; answers without one are left out."""
    betas: list[str] = []
    """Names of the beta features sent with each request that creates a batch."""
    conversion: Conversion | None = None
    """The command that converts a wrong file to a file of requests, and the new file's name."""
    drop_unreadable: str | None = None
    """Why the drop could not be read when results were written; outcomes without an id have a line number."""
    nulls_removed: int = 0
    """Requests that were sent without their fields whose value is null."""
    errors: dict[str, ErrorKind] = {}
    """Failures by error type, the most frequent first, with some error texts."""
    findings: Findings | None = None
    """A summary of the faults of invalid lines."""
    money: Money = msgspec.field(default_factory=Money)
    """The details of the cost."""
    project: str = keys.DEFAULT_PROJECT
    """Who the run was for."""
    released: int = 0
    """Those of `unanswered` of which a person said that they created no batch: if that is wrong, it was charged."""
    waiting_run: WaitingRun | None = None
    """The run with the same bytes, if it waits for an approval."""
    gates: list[GateAccount] = []
    """The gates that were closed: when, why, and how each ended."""
    at_most_usd: Decimal | None = None
    """What the valid requests could cost at most; null if that has no bound (`estimate.no_bound`), or is not known."""
    estimate: Estimate | None = None
    """What the valid requests could cost at most, as estimated before anything was sent."""
    forecast_usd: Decimal | None = None
    """What the whole run was to cost, from what its probe had cost; null without a probe, or if that did not say."""
    forecast: Forecast | None = None
    """The same with its lower and upper end, and by model."""
    probe: ProbeAccount | None = None
    """The requests that were answered before the rest was sent; null if there was no probe."""

    rounds: list[RoundAccount] = []
    """The rounds in which requests were sent again that had failed for a reason that passes."""
    sent_again: int = 0
    """How many requests these were. Each counts once in `outcomes`, with its last outcome."""
    parts: str | None = None
    """Where parts of results and failures can be read before the run ends; null if its only batch wrote the files."""
    retry_of: str | None = None
    """The run whose `retry.jsonl` the drop is a copy of, by its metadata."""

    @property
    def all_batches(self) -> list[BatchAccount]:
        """The batches at the provider: those of the probe, of the drop itself, and of rounds."""
        of_rounds = [batch for each in self.rounds for batch in each.batches]
        return [*(self.probe.batches if self.probe else []), *self.batches, *of_rounds]


def refused_receipt(run: Run, refusal: Refusal, unanswered: int, drop: ValidatedDrop | None = None) -> Receipt:
    """Return the account of a drop of which nothing was sent. `drop`: what validation found, if it was valid."""
    receipt = _empty(run)
    receipt.unanswered = unanswered
    receipt.reason, receipt.code, receipt.words = refusal.message, refusal.code, refusal.words
    receipt.status = final_status(code=refusal.code, sent=False, answered=0, balances=True, stuck=False)
    if refusal.code == BETAS_NOT_TAKEN:  # a command that repeated them would be refused again
        receipt.drop_settings.pop("betas", None)
    if refusal.code == OTHER_FOLDER:
        receipt.drop_settings.pop(PROJECT, None)
    receipt.conversion, receipt.waiting_run = refusal.conversion, refusal.waiting_run
    _add_estimate(receipt, drop.estimate if drop else refusal.estimate)
    source = drop or refusal
    receipt.requests = receipt.not_run = source.lines or 0
    receipt.faults, receipt.findings = source.faults, source.findings
    receipt.files += [source.faults_file] if source.faults_file else []
    if drop:
        receipt.drop["sha256"] = drop.sha256
    return receipt


def completed_receipt(  # noqa: PLR0913, PLR0917
    run: Run,
    plan: Plan,
    batches: list[SplitBatch],
    unanswered: int,
    refusal: Refusal | None,
    probe: Sequence[SplitBatch] = (),
    rounds: Sequence[SplitRound] = (),
) -> Receipt:
    """Return the account of a drop whose batches have all been split. `refusal`: why the rest of it was not sent.

    `batches` are those of the drop itself, and `probe` those of the probe: each line is in one of them. Lines that
    `rounds` have sent again count once: what they have replaced is taken off the sums.
    """
    receipt = _empty(run)
    receipt.unanswered = unanswered
    if refusal:
        receipt.reason, receipt.code, receipt.words = refusal.message, refusal.code, refusal.words
    receipt.requests = plan.drop.lines
    _add_estimate(receipt, plan.drop.estimate)
    receipt.drop["sha256"] = plan.drop.sha256
    receipt.faults, receipt.findings = plan.drop.faults, plan.drop.findings
    once = [batch for leg, batch in plan.all_batches() if not keys.round_number(leg)]
    receipt.default_max_tokens["requests"] = sum(batch.defaulted for batch in once)
    receipt.nulls_removed = sum(batch.nulled for batch in once)
    of_rounds = [batch for each in rounds for batch in each.batches]
    receipt.files += accounts_of(parts_by_file(run, batches, [*probe, *of_rounds]))
    receipt.files += [plan.drop.faults_file] if plan.drop.faults_file else []
    receipt.probe = account_of_probe(plan.drop.probe, probe) if plan.drop.probe else None
    receipt.batches += [account for account in map(account_of_batch, batches) if account is not None]
    receipt.rounds = [account_of_round(each) for each in rounds]
    receipt.parts = keys.early_parts(run.name, run.run) if early_parts(run, batches) else None
    for batch in (*probe, *batches, *of_rounds):
        _add_batch(receipt, batch)
        _add_part(receipt, batch.part)
    for batch in batches:
        _take_off_replaced(receipt, batch.merged)
    receipt.errors = by_count(receipt.errors)
    receipt.results = receipt.outcomes[Outcome.SUCCEEDED]
    _add_money(receipt)
    receipt.failures = sum(receipt.outcomes.values()) - receipt.results
    receipt.status = final_status(
        code=receipt.code,
        sent=True,
        answered=receipt.results,
        balances=_balances(receipt),
        stuck=bool(receipt.given_up),
    )
    return receipt


def _add_batch(receipt: Receipt, split: SplitBatch) -> None:
    """Add what happened to a batch at the provider."""
    stuck, submitted = split.stuck, split.submitted
    if stuck:
        receipt.given_up.append(f"{stuck.message} (batch {submitted.id})" if submitted else stuck.message)
    elif not submitted:
        receipt.never_sent += split.batch.requests


def _add_part(receipt: Receipt, part: Part) -> None:
    """Add the counts of a batch's outputs."""
    receipt.unaccounted += part.unaccounted
    receipt.repaired += part.repaired
    receipt.unreadable += part.unreadable
    receipt.ordered = receipt.ordered and part.ordered
    receipt.drop_unreadable = receipt.drop_unreadable or part.gone
    receipt.retryable += part.retryable
    for outcome, count in part.outcomes.items():
        receipt.outcomes[outcome] += count
    for cause, count in part.causes.items():
        receipt.causes[cause] = receipt.causes.get(cause, 0) + count
    add_tokens(receipt.tokens, part.tokens)
    add_stops(receipt.stop_reasons, part.stop_reasons)
    add_errors(receipt.errors, part.errors)


def _take_off_replaced(receipt: Receipt, merged: Merged | None) -> None:
    """Take off the outcomes that rounds have replaced. Nothing but outcomes is counted of what goes into a round."""
    if merged is None:
        return
    receipt.sent_again += merged.lines
    receipt.retryable -= merged.retryable
    for outcome, count in merged.outcomes.items():
        receipt.outcomes[outcome] -= count
    take_errors(receipt.errors, merged.errors)


def _empty(run: Run) -> Receipt:
    drop: dict[str, str | int] = {
        name: getattr(run.drop, name) for name in ("bucket", "key", "version", "etag", "bytes")
    }
    none = {outcome.value: 0 for outcome in Outcome}
    defaults = {"requests": 0, "value": run.settings.default_max_tokens}
    settings = corrected_metadata(run.drop.metadata, run.settings)
    if "betas" in settings:
        settings["betas"] = normalized_betas(settings["betas"]) or NO_BETAS
    betas = run.settings.betas.split(",") if run.settings.betas else []
    return Receipt(
        run.run, run.name, Status.REFUSED, None, None, None, drop, settings, 0, 0, 0, 0, 0, none, {}, 0, defaults, 0,
        {}, Decimal(0), [], [], [], 0, 0, 0, ordered=True, received_at=run.drop.last_modified, betas=betas,
        project=run.project, retry_of=settings.get(RETRY_OF),
    )  # fmt: skip


def _add_estimate(receipt: Receipt, estimate: Estimate | None) -> None:
    receipt.estimate = estimate
    receipt.at_most_usd = estimate.at_most_usd if estimate else None


def _add_money(receipt: Receipt) -> None:
    """Add up what all batches cost, and then round it."""
    cost = cost_of(receipt.tokens)
    receipt.cost_usd = None if cost is None else rounded(cost)
    receipt.money = money_of(receipt.tokens, receipt.results)
    round_tokens(receipt.tokens)


def _balances(receipt: Receipt) -> bool:
    """Compare the plan, the outcomes, and the lines that were written."""
    written = {
        kind: sum(file.lines for file in receipt.files if file.key == key(receipt.name, receipt.run))
        for kind, key in (("results", keys.results), ("failures", keys.failures))
    }
    return (
        not receipt.unaccounted
        and receipt.requests == receipt.results + receipt.failures + receipt.not_run
        and written["results"] == receipt.results
        and written["failures"] == receipt.failures
    )
