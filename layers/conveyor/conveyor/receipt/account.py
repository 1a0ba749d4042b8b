"""How a receipt follows from the facts of a run."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from conveyor.answers.lengths import add_lengths
from conveyor.answers.stop_reasons import add_stops
from conveyor.domain import keys
from conveyor.domain.drop import OTHER_FOLDER, PROJECT, RETRY_OF
from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Plan
from conveyor.domain.status import Status, final_status
from conveyor.ledger.failure_counts import ErrorKind, add_errors, add_texts, by_count, take_errors, without_words
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Merged
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.money.cost import rounded
from conveyor.money.estimate import Estimate
from conveyor.receipt.batch_account import (
    SplitBatch,
    SplitRound,
    account_of_probe,
    account_of_round,
    accounts_of_batches,
    sent_again_of,
)
from conveyor.receipt.files import accounts_of, early_parts, parts_by_file
from conveyor.receipt.money import add_tokens, cost_of, money_of, round_tokens
from conveyor.receipt.receipt import Receipt
from conveyor.receipt.settings_account import settings_of
from conveyor.settings.betas import BETAS_NOT_TAKEN, NO_BETAS, normalized_betas
from conveyor.settings.metadata import corrected_metadata


def refused_receipt(run: Run, refusal: Refusal, unanswered: int, plan: Plan | None = None) -> Receipt:
    """Return the account of a drop of which nothing was sent. `plan`: if it was valid."""
    receipt, drop = _empty(run), plan.drop if plan else None
    receipt.unanswered, receipt.ended_at = unanswered, refusal.at
    receipt.planned_batches = _planned(plan) if plan else 0
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
    again = sent_again_of(batches)
    receipt.probe = account_of_probe(plan.drop.probe, probe, again) if plan.drop.probe else None
    receipt.batches += accounts_of_batches("", batches, again)
    receipt.rounds = [account_of_round(each, again) for each in rounds]
    receipt.planned_batches = _planned(plan)
    receipt.ended_at = max((batch.part.at for batch in (*probe, *batches, *of_rounds)), default=None)
    receipt.parts = keys.early_parts(run.name, run.run) if early_parts(run, batches) else None
    for batch in (*probe, *batches, *of_rounds):
        _add_batch(receipt, batch)
        _add_part(receipt, batch.part)
    for batch in batches:
        _take_off_replaced(receipt, batch.merged)
    for texts in _texts(probe, batches):
        add_texts(receipt.errors, texts)
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
    add_lengths(receipt.lengths, part.lengths)
    add_errors(receipt.errors, without_words(part.errors))


def _take_off_replaced(receipt: Receipt, merged: Merged | None) -> None:
    """Take off the outcomes that rounds have replaced. Nothing but outcomes is counted of what goes into a round."""
    if merged is None:
        return
    receipt.sent_again += merged.lines
    receipt.retryable -= merged.retryable
    for outcome, count in merged.outcomes.items():
        receipt.outcomes[outcome] -= count
    take_errors(receipt.errors, merged.errors)


def _texts(probe: Sequence[SplitBatch], batches: Sequence[SplitBatch]) -> Iterator[dict[str, ErrorKind]]:
    """Yield texts and examples of all failures that count, each once.

    Of what rounds have sent again, those of the outcomes that they have left. If they have answered some lines of the
    drop, and others were not sent any more, the texts of the latter may be lacking if they are lines of the probe.
    """
    are_changed = any(batch.merged and batch.merged.lines for batch in batches)
    for batch in (*probe, *batches):
        yield batch.texts.final
    for batch in probe:
        yield {} if are_changed else batch.texts.again
    for batch in batches:
        yield batch.texts_left.final if batch.merged and batch.merged.lines else batch.texts.again


def _planned(plan: Plan) -> int:
    """Return how many batches the drop itself has. Of a range whose lines are all in the probe, nothing is sent."""
    return sum(batch.requests > 0 for batch in plan.batches)


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
        project=run.project, retry_of=settings.get(RETRY_OF), settings=settings_of(run),
        key_secret="" if run.settings.auth == "aws" else run.key_secret,
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
