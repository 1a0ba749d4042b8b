"""Why the answers of a run ended, and how long they are."""

from collections.abc import Mapping
from itertools import accumulate

import msgspec

from conveyor.answers.lengths import CLASS_TOKENS, LINEAR_UP_TO, Lengths, add_lengths
from conveyor.receipt.receipt import Receipt

MOST_COLUMNS = 4
"""Models that are shown one by one, those with most answers first; the others are together."""


class StopRow(msgspec.Struct):
    """Answers that ended for one reason."""

    reason: str
    answers: int
    by_model: list[int]
    """As `AnswersBlock.models`."""


class LengthRow(msgspec.Struct):
    """The answers of one model, or of several, by their output tokens."""

    model: str
    """Empty for all models that are not shown one by one."""
    models: int
    """How many models these are."""
    answers: int
    cut_off: int
    median: int
    """Half of the answers have at most so many output tokens, as far as the classes say."""
    most_of_them: int
    """The same of 95% of the answers."""
    mean: int
    classes: dict[int, int]
    """Answers by the least output tokens of a class (`answers.lengths`)."""
    cut_off_classes: dict[int, int]


class AnswersBlock(msgspec.Struct):
    """The answers of a run."""

    models: list[str]
    """Those with most answers; empty if there is only one, or if there are others."""
    stops: list[StopRow]
    lengths: list[LengthRow]


def answers_of(receipt: Receipt) -> AnswersBlock | None:
    """Return the answers of a run; None if it has none that say anything."""
    if not receipt.stop_reasons and not receipt.lengths:
        return None
    counts = {model: sum(reasons.values()) for model, reasons in receipt.stop_reasons.items()}
    models = sorted(counts, key=lambda model: (-counts[model], model))
    columns = models if 1 < len(models) <= MOST_COLUMNS else []
    return AnswersBlock(columns, _stops(receipt, columns), _lengths(receipt.lengths))


def class_end(least: int) -> int:
    """Return the most tokens of a class."""
    return least + CLASS_TOKENS - 1 if least < LINEAR_UP_TO else 2 * least - 1


def _stops(receipt: Receipt, columns: list[str]) -> list[StopRow]:
    total: dict[str, int] = {}
    for reasons in receipt.stop_reasons.values():
        for reason, count in reasons.items():
            total[reason] = total.get(reason, 0) + count
    rows = sorted(total.items(), key=lambda row: (-row[1], row[0]))
    return [
        StopRow(reason, count, [receipt.stop_reasons[model].get(reason, 0) for model in columns])
        for reason, count in rows
    ]


def _lengths(lengths: Mapping[str, Lengths]) -> list[LengthRow]:
    known = {model: each for model, each in lengths.items() if sum(each.answers.values())}
    models = sorted(known, key=lambda model: (-sum(known[model].answers.values()), model))
    rows = [_length(model, 1, known[model]) for model in models[:MOST_COLUMNS]]
    others: dict[str, Lengths] = {}
    for model in models[MOST_COLUMNS:]:
        add_lengths(others, {"": known[model]})
    return rows + [_length("", len(models) - MOST_COLUMNS, each) for each in others.values()]


def _length(model: str, models: int, lengths: Lengths) -> LengthRow:
    answers = sum(lengths.answers.values())
    return LengthRow(
        model,
        models,
        answers,
        sum(lengths.cut_off.values()),
        _quantile(lengths.answers, answers, 50),
        _quantile(lengths.answers, answers, 95),
        round(lengths.tokens / answers),
        dict(sorted(lengths.answers.items())),
        dict(sorted(lengths.cut_off.items())),
    )


def _quantile(classes: Mapping[int, int], answers: int, percent: int) -> int:
    """Return the end of the class up to which so many per cent of the answers are."""
    leasts = sorted(classes)
    reached = accumulate(classes[least] for least in leasts)
    return next(
        class_end(least) for least, seen in zip(leasts, reached, strict=True) if 100 * seen >= percent * answers
    )
