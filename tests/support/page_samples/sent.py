"""Runs that were sent, through the core's own account of them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from conveyor.answers.lengths import Lengths, class_of
from conveyor.domain import keys
from conveyor.domain.drop import Drop
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Batch, Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.ledger.batch_facts import Stuck, Submitted
from conveyor.ledger.failure_counts import ErrorKind, Texts, without_words
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.round_facts import Merged, Round
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.money.cost import rounded
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.usage import Usage
from conveyor.receipt.account import completed_receipt
from conveyor.receipt.batch_account import SplitBatch, SplitRound
from tests.support.examples import SETTINGS
from tests.support.page_samples.kinds import HAIKU, Kind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conveyor.receipt.receipt import Receipt

START = datetime(2026, 11, 24, 8, 15, 2, tzinfo=UTC)
BUCKET = "conveyor-bucket-7d1f04b2c9a3"
_DIGEST = "9c41e0d27ab35f68c02be77c1904ad5e39c41e0d27ab35f68c02be77c1904ad5"
_CLASSES = 64


class Range(NamedTuple):
    """One batch of a drop: how its requests ended at first, and in the round that some of them went into."""

    requests: int
    failed: Mapping[Kind, int] = {}
    again: Mapping[Kind, int] = {}
    failed_again: Mapping[Kind, int] = {}
    cut_off: int = 0
    minutes: float = 40
    """With the provider."""
    was_sent: bool = True
    is_stuck: bool = False


def run_named(name: str, number: int, project: str = "support", **metadata: str) -> Run:
    """Return a run of a stack with small batches. `number`: makes its id."""
    key = f"inbox/{name}.jsonl"
    drop = Drop(BUCKET, key, "3HL4kqtJvjVBH40Nrjfkd", "e", 61_800_000, START, metadata)
    settings = replace(
        SETTINGS, api_url="https://api.anthropic.com", max_requests_per_batch=15_000, hold_above_usd=100
    ).for_drop(metadata)
    return Run(f"20261124T081502Z-{number:012x}", name, drop, settings, project=project)


def sent(  # noqa: PLR0913 - each is a part of the run
    run: Run,
    ranges: Sequence[Range],
    models: Sequence[Model] = (HAIKU,),
    *,
    probe: int = 0,
    at_most_usd: Decimal | None = None,
    refusal: Refusal | None = None,
) -> Receipt:
    """Return the receipt of a run. `probe`: how many requests were answered before all others."""
    is_whole = len(ranges) == 1 and not probe and not any(each.again for each in ranges)
    batches = [
        _range(run, number, first, each, models, probe if number == 1 else 0, is_whole=is_whole)
        for number, (first, each) in enumerate(zip(_firsts(ranges), ranges, strict=True), 1)
    ]
    lines = probe + sum(each.requests for each in ranges)
    estimate = Estimate(at_most_usd, lines * 2000, lines * 1024, _estimates(models, lines, at_most_usd))
    first = _probe(probe, models)
    of_probe = Probe([ProbeLine(line, models[0].name, 1024) for line in range(1, probe + 1)],
                     [each.batch for each in first], "f00", Decimal("0.06")) if probe else None  # fmt: skip
    drop = ValidatedDrop(lines, _DIGEST, estimate=estimate, probe=of_probe, is_gated=True)
    round_ = _round(ranges, models)
    plan, rounds = Plan(drop, [each.batch for each in batches]), [round_] if round_ else []
    return completed_receipt(run, plan, batches, 0, refusal, first, rounds)


def _firsts(ranges: Sequence[Range]) -> list[int]:
    return list(accumulate((each.requests for each in ranges[:-1]), initial=1))


def _estimates(models: Sequence[Model], lines: int, most: Decimal | None) -> dict[str, ModelEstimate]:
    counts = shared(lines, [model.share for model in models])
    dollars = [rounded(most * count / lines) if most else None for count in counts]
    return {
        model.name: ModelEstimate(count, count * 2000, count * 1024, usd)
        for model, count, usd in zip(models, counts, dollars, strict=True)
    }


def _range(  # noqa: PLR0913, PLR0917 - each is a part of the batch
    run: Run, number: int, first: int, spec: Range, models: Sequence[Model], probed: int, *, is_whole: bool
) -> SplitBatch:
    failed, again = sum(spec.failed.values()), sum(spec.again.values())
    answered = spec.requests - failed - again
    batch = Batch(number, first, 0, first + spec.requests - 1, 99, spec.requests)
    kinds = {**spec.failed, **spec.again}
    part = _part(models, answered, kinds, spec.cut_off, _at(number, spec.minutes))
    ends_well = replace(part, files=_files(run, number, answered + probed, kinds, is_whole=is_whole))
    merged = _merged(run, number, spec, answered + probed) if again else None
    stuck = Stuck("w", part.at, "it has not ended 6 hours after it was cancelled") if spec.is_stuck else None
    submitted = _submitted(number, number % 600, 0) if spec.was_sent else None
    texts, left = Texts(_errors(spec.failed), _errors(spec.again)), Texts(_errors(spec.failed_again), {})
    return SplitBatch(batch, submitted, ends_well, set(), stuck, merged=merged, texts=texts, texts_left=left)


def _merged(run: Run, number: int, spec: Range, written: int) -> Merged:
    again, failed_again = sum(spec.again.values()), sum(spec.failed_again.values())
    left = {**spec.failed}
    for kind, count in spec.failed_again.items():
        left[kind] = left.get(kind, 0) + count
    files = _files(run, number, written + again - failed_again, left, is_whole=False)
    outcomes: dict[str, int] = {}
    for kind, count in spec.again.items():
        outcomes[kind.outcome] = outcomes.get(kind.outcome, 0) + count
    errors = without_words(_errors(spec.again))
    return Merged("w", _at(number, spec.minutes + 90), files, again, outcomes, again, errors, {str(number): again})


def _probe(requests: int, models: Sequence[Model]) -> list[SplitBatch]:
    if not requests:
        return []
    part = _part(models, requests, {}, 0, START + timedelta(minutes=6, seconds=31))
    return [SplitBatch(Batch(1, 1, 0, requests=requests), _submitted(1, -8, 500), part, set())]


def _round(ranges: Sequence[Range], models: Sequence[Model]) -> SplitRound | None:
    sources = [(number, each) for number, each in enumerate(ranges, 1) if each.again]
    if not sources:
        return None
    batches = []
    for number, each in sources:
        again, failed = sum(each.again.values()), sum(each.failed_again.values())
        part = _part(models, again - failed, each.failed_again, 0, _at(number, each.minutes + 60))
        batches.append(
            SplitBatch(Batch(number, 1, 0, requests=again), _submitted(number, 45 + number % 600, 700), part, set())
        )
    begins = START + timedelta(minutes=50)
    requests = sum(each.batch.requests for each in batches)
    return SplitRound(1, Round("w", begins, begins, requests, [number for number, _ in sources]), batches)


def _submitted(number: int, minute: int, salt: int) -> Submitted:
    at = START + timedelta(minutes=8 + minute, seconds=7)
    return Submitted("w", at, f"msgbatch_01Hc3vB9sWyN6tGjM4qX{salt + number:04d}", at, at + timedelta(hours=24))


def _at(number: int, minutes: float) -> datetime:
    return START + timedelta(minutes=8 + number % 600 + minutes, seconds=40)


def _part(models: Sequence[Model], answered: int, kinds: Mapping[Kind, int], cut_off: int, at: datetime) -> Part:
    counts = shared(answered, [model.share for model in models])
    cuts = shared(cut_off, counts) if cut_off else [0] * len(models)
    outcomes = {outcome.value: 0 for outcome in Outcome} | {Outcome.SUCCEEDED.value: answered}
    for kind, count in kinds.items():
        outcomes[kind.outcome] += count
    used = [(model, count, cut) for model, count, cut in zip(models, counts, cuts, strict=True) if count]
    return Part(
        "w", at, outcomes, sum(count for kind, count in kinds.items() if kind.is_transient), 0, 0,
        {model.name: _tokens(model, count) for model, count, _ in used}, [], at - timedelta(seconds=80),
        stop_reasons={model.name: {"end_turn": count - cut} | ({"max_tokens": cut} if cut else {})
                      for model, count, cut in used},
        lengths={model.name: _lengths(model, count, cut) for model, count, cut in used}, errors=_errors(kinds),
    )  # fmt: skip


def _errors(kinds: Mapping[Kind, int]) -> dict[str, ErrorKind]:
    """Return failures by type, with their texts and examples."""
    errors: dict[str, ErrorKind] = {}
    for kind, count in kinds.items():
        of_type = errors.setdefault(kind.type, ErrorKind(0, {}, {}))
        of_type.failures += count
        if kind.words:
            of_type.words[kind.words] = count
            of_type.examples[kind.words] = list(kind.examples)
    return errors


def _tokens(model: Model, answers: int) -> Tokens:
    usage = Usage(model.input_tokens * answers, model.output_tokens * answers, None, model.cached * answers or None)
    costs = {kind: usd * answers for kind, usd in (model.usd or {}).items()}
    return Tokens(usage, sum(costs.values(), Decimal()) if model.usd is not None else None, costs)


def _lengths(model: Model, answers: int, cut_off: int) -> Lengths:
    """Return answers around a usual length, and those that were cut off at `max_tokens`."""
    usual = max(model.output_tokens, 1)
    middles = [32 * step + 16 for step in range(min(_CLASSES, model.max_tokens // 32))]
    weights = [int(10_000 * math.exp(-((math.log(middle / usual) / 0.6) ** 2))) for middle in middles]
    counts = {32 * step: count for step, count in enumerate(shared(answers - cut_off, weights)) if count}
    last = class_of(model.max_tokens)
    if cut_off:
        counts[last] = counts.get(last, 0) + cut_off
    return Lengths(counts, {last: cut_off} if cut_off else {}, usual * answers)


def _files(run: Run, number: int, results: int, kinds: Mapping[Kind, int], *, is_whole: bool) -> list[OutputFile]:
    failures = sum(kinds.values())
    again = sum(count for kind, count in kinds.items() if kind.is_transient)
    lines = {keys.RESULTS: results, keys.FAILURES: failures} | ({keys.RETRY: again} if again else {})
    sizes = {keys.RESULTS: 1544, keys.FAILURES: 251, keys.RETRY: 5594}
    return [
        OutputFile(
            keys.output(run.name, run.run, file) if is_whole else keys.output_part(run.content_prefix, number, file),
            count, count * sizes[file], _DIGEST,
        )
        for file, count in lines.items()
    ]  # fmt: skip


def shared(number: int, weights: Sequence[int]) -> list[int]:
    """Divide a number by weights, without a rest."""
    bounds = [number * part // max(sum(weights), 1) for part in accumulate(weights)]
    return [after - before for before, after in zip([0, *bounds], bounds, strict=False)]
