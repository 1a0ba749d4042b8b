"""The message that a run has ended, in words a person can act on."""

from typing import NamedTuple

from conveyor import commands, keys
from conveyor.advice import ADVICE, blamed_elsewhere, early_end
from conveyor.commands import Version
from conveyor.drop import AGAIN
from conveyor.mending import Mend
from conveyor.outcome import Outcome
from conveyor.receipt import Receipt
from conveyor.status import Status
from conveyor.stops import unfinished
from conveyor.unreadable import CANNOT

_MOST_NAMED = 20
_LONGEST_SUBJECT = 99
"""SNS takes fewer than 100 characters; names are ASCII already."""


class Notice(NamedTuple):
    """What SNS is given. `status`, `run` and `name` become message attributes to filter by."""

    run: str
    name: str
    status: Status
    subject: str
    message: str


def notice_of(receipt: Receipt) -> Notice:
    """Word the message of an ended run. It holds counts and places, never a prompt or an answer."""
    counts = f"{receipt.results:,} results, {receipt.failures:,} failures"
    if receipt.status in {Status.REFUSED, Status.STOPPED} and not (receipt.batches or receipt.failures):
        subject, lines = f"Conveyor: {receipt.status} {receipt.name}", _refused(receipt)
    elif receipt.status == Status.STUCK:
        lost = f"no results of {receipt.outcomes['stuck']:,} of {receipt.requests:,} requests"
        subject, lines = f"Conveyor: stuck {receipt.name} ({lost})", _stuck(receipt, counts)
    else:
        verb = _verb(receipt)
        subject = f"Conveyor: {verb} {receipt.name} ({counts})"
        lines = _ended(receipt, counts)
    lines += ["", *table([("Receipt", _url(receipt, keys.receipt(receipt.name, receipt.run))), ("Run", receipt.run)])]
    return Notice(receipt.run, receipt.name, receipt.status, cut(subject), "\n".join(lines))


def _verb(receipt: Receipt) -> str:
    if receipt.status != Status.COMPLETED or receipt.code is None:
        return receipt.status
    return "refused half-way" if receipt.words is not None else "ended early"


def _refused(receipt: Receipt) -> list[str]:
    drop, own = Version.of(receipt.drop), commands.carried(receipt.drop_settings, receipt.run)
    if receipt.code == "seen-before":
        return [
            f"Your drop {drop.key} was not run: {receipt.reason}.",
            "You will get, or already got, a separate message for that run; nothing was paid for this drop.",
            "",
            "If you mean it, and will pay again, type:",
            "",
            f"  {commands.drop_version(drop, receipt.name, own | {AGAIN: receipt.run})}",
        ]
    verb = "stopped" if receipt.code == "stopped" else "refused"
    lines = [f"Your drop {drop.key} was {verb}; {_paid(receipt)}.", "", f"Why: {receipt.reason}"]
    if receipt.words:
        lines.append("The provider's error text is in the receipt, under `words`.")
    lines += _listed(receipt)
    if receipt.code in ADVICE:
        lines += ["", ADVICE[receipt.code]]
    if receipt.code == "drop-archived" and drop.is_copyable:
        lines += _restored(drop)
    if receipt.code == "invalid-lines" and receipt.requests:
        others = commands.drop_version(drop, receipt.name, own | {"on-invalid": "skip"})
        lines += ["", "To send the other lines only, type:", "", f"  {others}"]
    if receipt.unanswered:
        own = own | {AGAIN: receipt.run}
    if receipt.mend:
        return [*lines, *_mended(receipt.mend), f"  {commands.drop_mended(drop, receipt.mend.file, own)}"]
    when = "To run it after all" if receipt.code == "stopped" else "When that is put right, drop it again"
    again = commands.drop_again(drop, receipt.name, str(receipt.code), own)
    return [*lines, "", f"{when}:", "", f"  {again}"]


def _mended(mend: Mend) -> list[str]:
    """Say how a file of requests is made of a wrong file."""
    windows = ["In Windows PowerShell:", "", f"  {mend.powershell}", ""] if mend.powershell else []
    what = "To make a file of requests of it, type where it is:"
    return ["", what, "", f"  {mend.command}", "", *windows, "Then drop that:", ""]


def _paid(receipt: Receipt) -> str:
    if receipt.unanswered:
        return f"of calls without answer ({receipt.unanswered}) no batch is known, so nothing should have been paid"
    return "nothing of it is running and nothing was paid"


def _listed(receipt: Receipt) -> list[str]:
    """Say where the faults are listed, if lines are to blame."""
    if not receipt.files:
        return []
    listed = f"{receipt.files[0].lines:,} faults are listed"
    told = f"{listed} ({receipt.requests:,} lines were read)" if receipt.requests else f"The first {listed}"
    return [f"{told}, each with its line, a code and what to do, in", "", f"  {_url(receipt, receipt.files[0].key)}"]


def _restored(drop: Version) -> list[str]:
    """Say how an archived version is restored, and dropped again when it is there."""
    return [
        "",
        "To restore it, which takes minutes to hours, type:",
        "",
        f"  {commands.restore(drop)}",
        "",
        "When it is restored, drop it again by a copy:",
        "",
        f"  {commands.drop_restored(drop)}",
    ]


def _stuck(receipt: Receipt, counts: str) -> list[str]:
    lost = f"{receipt.outcomes['stuck']:,} of its {receipt.requests:,} requests"
    return [
        f"The run of your drop {receipt.drop['key']} ends without results of {lost}, which may have been paid for.",
        f"In all: {counts}.",
        "",
        *[f"Why: {reason}" for reason in receipt.given_up[:_MOST_NAMED]],
        *_without_ids(receipt),
        "",
        "Ask the provider about its batches before you drop these lines again: doing so may pay again. They are the",
        'failures with the outcome "stuck", and do not stand among the lines to send again.',
        *early_end(receipt),
        *blamed_elsewhere(receipt),
        *_unfinished(receipt),
        "",
        *_files(receipt),
        *_set_aside(receipt),
        *(_again(receipt) if receipt.retryable else []),
    ]


def _ended(receipt: Receipt, counts: str) -> list[str]:
    lines = [f"Your drop {receipt.drop['key']} is done: {receipt.requests:,} requests, {counts}."]
    if receipt.status == Status.UNBALANCED:
        lines = _unbalanced(receipt, counts)
    elif receipt.code:
        ended = "was stopped" if receipt.code == "stopped" else "ended early"
        lines = [f"The run of your drop {receipt.drop['key']} {ended}: {receipt.requests:,} requests, {counts}."]
    failed = [f"{count:,} {kind}" for kind, count in receipt.outcomes.items() if count and kind != "succeeded"]
    if failed:
        lines.append(f"Failures: {', '.join(failed)}.")
    lines += [*_without_ids(receipt), *early_end(receipt), *blamed_elsewhere(receipt), *_unfinished(receipt)]
    lines += ["", *_files(receipt)]
    lines.append(f"Tokens: {_tokens(receipt)}")
    lines += [
        f"Batch {other} holds the same requests as {batch.id} and may have been billed, too: ask the provider."
        for batch in receipt.batches
        for other in batch.duplicates
    ]
    lines += _set_aside(receipt)
    if receipt.retryable and receipt.status != Status.UNBALANCED:
        lines += _again(receipt)
    return lines


def _unfinished(receipt: Receipt) -> list[str]:
    told = unfinished(receipt.stop_reasons)
    return ["", *told] if told else []


def _files(receipt: Receipt) -> list[str]:
    named = [(file, file.key.rsplit("/", 1)[-1]) for file in receipt.files]
    there = [(file, name) for file, name in named if file.lines or name not in {keys.RETRY, keys.ASIDE}]
    return table([(_LABELS[name], _url(receipt, file.key)) for file, name in there])


def _again(receipt: Receipt) -> list[str]:
    missing = receipt.outcomes[Outcome.MISSING]
    caution = f" ({missing:,} of them missing, which may have been billed)" if missing else ""
    when = "When that is put in order, type" if receipt.causes or receipt.code in ADVICE else "Type"
    return [
        "",
        f"{receipt.retryable:,} of the failures are worth sending again{caution}. {when}:",
        "",
        f"  {commands.send_again(Version.of(receipt.drop), receipt.name, receipt.run)}",
    ]


def _set_aside(receipt: Receipt) -> list[str]:
    """Say what stands in `aside.jsonl`, if there is anything: some of it may be answers that were paid for."""
    repeated = sum(batch.repeated for batch in receipt.batches)
    foreign = sum(batch.foreign for batch in receipt.batches)
    told = [
        (receipt.repaired, "results held characters that are not valid JSON text; they were replaced (U+FFFD)"),
        (
            receipt.unreadable,
            "failures have a result line from which no answer could be read; they may have been billed",
        ),
        (repeated, "result lines came for requests that had a result already"),
        (foreign, "result lines belong to no request of this drop"),
    ]
    lines = [f"  {count:,} {words}" for count, words in told if count]
    where = _url(receipt, keys.aside(receipt.name, receipt.run))
    return ["", f"The provider's own lines are set aside in {where}:", *lines] if lines else []


def _without_ids(receipt: Receipt) -> list[str]:
    """Say what is known instead of the ids where the drop could not be read any more."""
    if not receipt.drop_unreadable:
        return []
    return [
        "",
        f"The drop could not be read when results were written: {receipt.drop_unreadable.removeprefix(CANNOT)}.",
        'So there are no ids: where "custom_id" is null, "line" is the number of the line in your file (null in a',
        "failure whose line nobody can tell). None of these can be sent again from here: their lines cannot be read.",
    ]


def _unbalanced(receipt: Receipt, counts: str) -> list[str]:
    """Name the lines, as far as any are known, and the way to look further."""
    bucket = str(receipt.drop["bucket"])
    lines = [
        f"The account of your drop {receipt.drop['key']} does not balance: {receipt.requests:,} requests, {counts}.",
        "Something is missing from the files, or stands there twice.",
        "",
    ]
    if receipt.unaccounted:
        told = ", ".join(map(str, receipt.unaccounted[:_MOST_NAMED]))
        more = " and more, in the receipt" if len(receipt.unaccounted) > _MOST_NAMED else ""
        lines.append(f"Lines of the drop with a result that stands in no file: {told}{more}.")
    lines += [
        "Do not send anything again before you have compared the receipt and the run's ledger with the files:",
        "",
        f"  {commands.show_receipt(bucket, receipt.name, receipt.run)}",
        f"  {commands.fetch_ledger(bucket, receipt.run)}",
        "",
    ]
    return lines


_LABELS = {
    "results.jsonl": "Results",
    "failures.jsonl": "Failures",
    "retry.jsonl": "To send again",
    "aside.jsonl": "Set aside",
    "invalid.jsonl": "Left out",
}


def _tokens(receipt: Receipt) -> str:
    used = [tokens.usage for tokens in receipt.tokens.values()]
    tokens = f"{sum(u.input_tokens for u in used):,} in, {sum(u.output_tokens for u in used):,} out"
    return (
        tokens if receipt.cost_usd is None else f"{tokens}, about ${receipt.cost_usd:,.4f} at Anthropic's batch price"
    )


def table(rows: list[tuple[str, str]]) -> list[str]:
    """Return a line for each label and value."""
    return [f"{label + ':':<15}{value}" for label, value in rows]


def _url(receipt: Receipt, key: str) -> str:
    return commands.url(str(receipt.drop["bucket"]), key)


def cut(subject: str) -> str:
    """Return a subject that SNS takes."""
    return subject if len(subject) <= _LONGEST_SUBJECT else subject[: _LONGEST_SUBJECT - 3] + "..."
