"""What a final message says about failures, faults and lines set aside: counts, types and places, never a prompt."""

from conveyor.answers.stop_reasons import unfinished
from conveyor.domain import keys
from conveyor.domain.drop import UNREADABLE
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.report.early_end import blamed_elsewhere, early_end
from conveyor.verdict.headline import is_unsent
from conveyor.wording import commands
from conveyor.wording.mail import block
from conveyor.wording.text import counted, paragraph, sentence

_MOST_CODES = 10
_LONGEST_FAULT = 160
_MOST_NAMED = 20


def notes_of(receipt: Receipt) -> list[str]:
    """Return what a reader must know beside the verdict, as lines."""
    return _of_unsent(receipt) if is_unsent(receipt) else _of_ended(receipt)


def _of_unsent(receipt: Receipt) -> list[str]:
    told = "You will get, or already got, a separate message for that run."
    words = "The provider's error text is in the receipt, under `words`."
    prompt = "In the prompt, names of columns stand in double braces, such as {{ text }}."
    return block(
        paragraph(told) if receipt.code == "seen-before" else [],
        paragraph(prompt) if receipt.conversion and receipt.conversion.prepare else [],
        _faults(receipt),
        paragraph(words) if receipt.words else [],
    )


def _of_ended(receipt: Receipt) -> list[str]:
    duplicates = [
        sentence(f"Batch {other} holds the same requests as {batch.id} and may have been billed, too: ask the provider")
        for batch in receipt.all_batches
        for other in batch.duplicates
    ]
    more = len(duplicates) - _MOST_NAMED
    return block(
        paragraph(*_sent_again(receipt)),
        early_end(receipt),
        _need_a_change(receipt),
        _stuck(receipt) if receipt.status is Status.STUCK else [],
        blamed_elsewhere(receipt),
        _unaccounted(receipt),
        [line for sentences in unfinished(receipt.stop_reasons) for line in paragraph(sentences)],
        _without_ids(receipt),
        _set_aside(receipt),
        [*duplicates[:_MOST_NAMED], *([f"And {more:,} more, in the receipt."] if more > 0 else [])],
    )


def _sent_again(receipt: Receipt) -> list[str]:
    """Say how many failures rounds have mended."""
    if not receipt.rounds:
        return []
    answered = sum(each.outcomes.get(Outcome.SUCCEEDED, 0) for each in receipt.rounds)
    if receipt.sent_again == 1:
        which, then = "1 request had failed at first for a reason that passes, and was", "it was"
        return [f"{which} sent again: {then if answered else f'{then} not'} answered then."]
    which = f"{receipt.sent_again:,} requests had failed at first for reasons that pass, and were sent again"
    of_them = "all" if answered == receipt.sent_again else f"{answered:,}" if answered else "none"
    return [f"{which}: {of_them} {'was' if answered <= 1 else 'were'} answered then."]


def _need_a_change(receipt: Receipt) -> list[str]:
    """Say how many failures would fail again as they are; of stuck lines that is not known."""
    left = receipt.failures - receipt.retryable - receipt.outcomes[Outcome.INVALID]
    if left <= 0 or receipt.status in {Status.STUCK, Status.UNBALANCED} or receipt.unreadable:
        return []
    which = f"The other {counted(left, 'failure')}" if receipt.retryable else counted(left, "failure")
    needs = "needs" if left == 1 else "need"
    return paragraph(f"{which} {needs} a change in the file: the report shows examples.")


def _stuck(receipt: Receipt) -> list[str]:
    return block(
        [line for reason in receipt.given_up[:_MOST_NAMED] for line in paragraph(f"Why: {sentence(reason)}")],
        paragraph('The lines without results are the failures with the outcome "stuck", and are not in retry.jsonl.'),
    )


def _unaccounted(receipt: Receipt) -> list[str]:
    """Name the lines that are in no file, if any are known, and say what to do first."""
    if receipt.status is not Status.UNBALANCED:
        return []
    named = ", ".join(map(str, receipt.unaccounted[:_MOST_NAMED]))
    more = " and more, in the receipt" if len(receipt.unaccounted) > _MOST_NAMED else ""
    lines = [f"Lines of the drop whose result is in no file: {named}{more}."] if receipt.unaccounted else []
    return paragraph(*lines, "Compare the receipt and the run's ledger with the files before you send anything again.")


def _faults(receipt: Receipt) -> list[str]:
    """Name the first faults of a drop that was refused for its lines, and count them by code."""
    if not receipt.files:
        return []
    lines = []
    if findings := receipt.findings:
        lines.append("")
        for fault in findings.first:
            where = f"line {fault.line:,}" if fault.line is not None else "the drop"
            lines.append(f"  {where}: {fault.message[:_LONGEST_FAULT]} ({fault.code})")
        codes = [f"{count:,} {code}" for code, count in findings.codes.items()]
        more = f" and {counted(len(codes) - _MOST_CODES, 'more code')}" if len(codes) > _MOST_CODES else ""
        lines += ["", *paragraph(f"By code: {', '.join(codes[:_MOST_CODES])}{more}.")]
    listed = receipt.files[0].lines
    text = f"{counted(listed, 'fault is', 'faults are')} listed"
    of_lines = f"{counted(receipt.requests, 'line was', 'lines were')} read"
    text = f"{text} ({of_lines})" if receipt.requests else f"The first {text}"
    return [*lines, "", *paragraph(f"{text}, each with its line, a code and what to do, in the file of faults.")]


def _set_aside(receipt: Receipt) -> list[str]:
    """Say what is in `aside.jsonl`, if anything: it may include answers that were paid for."""
    repeated = sum(batch.repeated for batch in receipt.all_batches)
    foreign = sum(batch.foreign for batch in receipt.all_batches)
    kinds = [
        (
            receipt.repaired,
            "result held characters that are not valid JSON text; they were replaced (U+FFFD)",
            "results held characters that are not valid JSON text; they were replaced (U+FFFD)",
        ),
        (
            receipt.unreadable,
            "failure has a result line that could not be read; it may have been billed",
            "failures have a result line that could not be read; they may have been billed",
        ),
        (
            repeated,
            "result line is for a request that already had one",
            "result lines are for requests that already had one",
        ),
        (
            foreign,
            "result line belongs to no request of this drop",
            "result lines belong to no request of this drop",
        ),
    ]
    lines = [f"  {counted(count, one, many)}" for count, one, many in kinds if count]
    where = commands.url(str(receipt.drop["bucket"]), keys.aside(receipt.name, receipt.run))
    return ["", "The provider's original lines are set aside in", where + ":", *lines] if lines else []


def _without_ids(receipt: Receipt) -> list[str]:
    """Say what identifies outcomes if the drop could not be read any more."""
    if not receipt.drop_unreadable:
        return []
    why = receipt.drop_unreadable.removeprefix(UNREADABLE)
    return [
        "",
        *paragraph(
            sentence(f"The drop could not be read when results were written: {why}"),
            'So ids are missing. Where "custom_id" is null, "line" is the number of the line in your file (null for a',
            "failure whose line is unknown). None of these can be sent again from retry.jsonl: no line could be read.",
        ),
    ]
