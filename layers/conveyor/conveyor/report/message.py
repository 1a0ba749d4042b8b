"""The message that a run has ended, in words a person can act on.

In this order: what happened, what it cost, why requests failed, what to do, where the files are.
"""

from collections.abc import Mapping

from conveyor.answers.stop_reasons import unfinished
from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, DRY_RUN, HOLD, NO_PROJECT, PROJECT
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.file_types.conversion import Conversion
from conveyor.receipt.batch_account import probe_rows, round_rows
from conveyor.receipt.receipt import Receipt
from conveyor.report.details import causes_of, faults_of, set_aside, without_ids
from conveyor.report.early_end import blamed_elsewhere, early_end
from conveyor.verdict.charges import cost_of, tokens_of
from conveyor.verdict.headline import headline_of, is_unsent
from conveyor.wording import commands
from conveyor.wording.advice import ADVICE, advice_of
from conveyor.wording.bounds import at_most_rows, forecast_rows
from conveyor.wording.commands import Version
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice
from conveyor.wording.text import counted, paragraph, sentence, subject, table

_MOST_NAMED = 20
_RUN_AFTER_ALL = frozenset({STOPPED, DECLINED, DRY_RUN})
"""Codes of refusals after which nothing must be fixed."""


def notice_of(
    receipt: Receipt,
    console: Console = Console(""),  # noqa: B008  # a constant
    *,
    has_page: bool = True,
) -> Notice:
    """Return the message of a run that has ended. It has counts and places, never a prompt or an answer."""
    headline = headline_of(receipt)
    lines = paragraph(*headline.sentences, *_sent_again(receipt), cost_of(receipt))
    lines += _refused(receipt) if is_unsent(receipt) else _ended(receipt)
    lines += ["", *_places(receipt, has_page=has_page), *_links(receipt, console)]
    return Notice(
        receipt.run,
        receipt.name,
        receipt.status,
        subject(headline.word, receipt.name, headline.figures),
        "\n".join(lines),
        receipt.project,
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


def _refused(receipt: Receipt) -> list[str]:
    """Say what is wrong with a drop of which nothing was sent, and how to drop it again."""
    drop, metadata = Version.of(receipt.drop), commands.carried(receipt.drop_settings, receipt.run)
    if receipt.code == "seen-before":
        return [
            "",
            *paragraph("You will get, or already got, a separate message for that run."),
            "",
            *_approve_other(receipt),
            "To process the same content again, and pay again, type:",
            "",
            f"  {commands.drop_version(drop, receipt.name, metadata | {AGAIN: receipt.run})}",
        ]
    lines = faults_of(receipt)
    if receipt.words:
        lines += ["", *paragraph("The provider's error text is in the receipt, under `words`.")]
    lines += advice_of(receipt.code)
    if receipt.code == "drop-archived" and drop.is_copyable:
        lines += _restored(drop)
    valid = receipt.requests - (receipt.findings.lines if receipt.findings else 0)
    if receipt.code == "invalid-lines" and valid > 0:
        skip = commands.drop_version(drop, receipt.name, metadata | {"on-invalid": "skip"})
        others = f"the other {counted(valid, 'line')}" if receipt.findings else "the other lines"
        verb = "estimate" if DRY_RUN in metadata else "send"
        lines += ["", f"To {verb} {others} only, type:", "", f"  {skip}"]
    if receipt.unanswered:
        metadata = metadata | {AGAIN: receipt.run}
    if receipt.code == NO_PROJECT:
        metadata = metadata | {PROJECT: "<project>"}
    if receipt.conversion:
        made = commands.drop_converted(drop, receipt.conversion.file, receipt.name, metadata)
        return [*lines, *_conversion_steps(receipt.conversion), f"  {made}"]
    if receipt.code == DRY_RUN:
        metadata = {name: value for name, value in metadata.items() if name != DRY_RUN}
    again = commands.drop_again(drop, receipt.name, str(receipt.code), metadata)
    return [*lines, "", *paragraph(_when(receipt, metadata)), "", f"  {again}"]


def _when(receipt: Receipt, metadata: Mapping[str, str]) -> str:
    """Introduce the command that drops again what was not sent, with this metadata."""
    if receipt.code in _RUN_AFTER_ALL:
        waits = receipt.code == DECLINED or HOLD in metadata
        again = "again" if receipt.gates or receipt.code == DECLINED else "first"
        return f"To run it after all, type this. It waits for an approval {again}." if waits else "To run it after all:"
    return f"When that is fixed, {'estimate' if DRY_RUN in metadata else 'drop'} it again:"


def _approve_other(receipt: Receipt) -> list[str]:
    """Say how to let the run with the same bytes go on, if it waits for an approval."""
    if receipt.waiting_run is None:
        return []
    place = (str(receipt.drop["bucket"]), receipt.waiting_run.key)
    return ["To let that run go on, type:", "", f"  {commands.approve(*place, receipt.waiting_run.words)}", ""]


def _conversion_steps(conversion: Conversion) -> list[str]:
    """Say how to convert a wrong file to a file of requests."""
    if not conversion.command:
        return [*_preparation(conversion), "", f"When you have converted it to {conversion.file}, drop that file:", ""]
    windows = ["In Windows PowerShell:", "", f"  {conversion.powershell}", ""] if conversion.powershell else []
    what = "To convert it to a file of requests, type in its folder:"
    return ["", what, "", f"  {conversion.command}", "", *windows, "Then drop the new file:", ""]


def _preparation(conversion: Conversion) -> list[str]:
    """Say how the command makes requests of a table or a text, beside the recipe that the reason names."""
    if not conversion.prepare:
        return []
    prompt = "Write your prompt into prompt.md, with the names of columns in double braces, such as {{ text }}."
    how = "Then type in the folder of the file, if you have the command conveyor (docs/command.md):"
    return ["", *paragraph(prompt, how), "", f"  {conversion.prepare}"]


def _restored(drop: Version) -> list[str]:
    """Say how to restore an archived version, and then drop it again."""
    return [
        "",
        "To restore it, which takes minutes to hours, type:",
        "",
        f"  {commands.restore(drop)}",
        "",
        "When it is restored, drop a copy of it:",
        "",
        f"  {commands.drop_restored(drop)}",
    ]


def _ended(receipt: Receipt) -> list[str]:
    """Say why requests of a drop that was sent failed, and what to do about each kind."""
    lines = [*early_end(receipt), *(_stuck(receipt) if receipt.status == Status.STUCK else [])]
    lines += [*causes_of(receipt), *blamed_elsewhere(receipt)]
    if receipt.status == Status.UNBALANCED:
        lines += _unbalanced(receipt)
    elif receipt.retryable:
        lines += _again(receipt)
    unwhole = [line for sentences in unfinished(receipt.stop_reasons) for line in paragraph(sentences)]
    lines += [*(["", *unwhole] if unwhole else []), *without_ids(receipt), *set_aside(receipt)]
    duplicates = [
        sentence(f"Batch {other} holds the same requests as {batch.id} and may have been billed, too: ask the provider")
        for batch in receipt.all_batches
        for other in batch.duplicates
    ]
    return [*lines, *(["", *duplicates] if duplicates else [])]


def _stuck(receipt: Receipt) -> list[str]:
    why = [line for reason in receipt.given_up[:_MOST_NAMED] for line in paragraph(f"Why: {sentence(reason)}")]
    return [
        "",
        *why,
        "",
        *paragraph(
            "Ask the provider about its batches before you drop these lines again: you may pay again.",
            'They are the failures with the outcome "stuck", and are not in retry.jsonl.',
        ),
    ]


def _unbalanced(receipt: Receipt) -> list[str]:
    """Name the lines, if any are known, and say how to look further."""
    bucket, lines = str(receipt.drop["bucket"]), [""]
    if receipt.unaccounted:
        lines_named = ", ".join(map(str, receipt.unaccounted[:_MOST_NAMED]))
        more = " and more, in the receipt" if len(receipt.unaccounted) > _MOST_NAMED else ""
        lines += paragraph(f"Lines of the drop whose result is in no file: {lines_named}{more}.")
    return [
        *lines,
        *paragraph(
            "Do not send anything again before you have compared the receipt and the run's ledger with the files:"
        ),
        "",
        f"  {commands.show_receipt(bucket, receipt.name, receipt.run)}",
        f"  {commands.fetch_ledger(bucket, receipt.run)}",
    ]


def _again(receipt: Receipt) -> list[str]:
    missing = receipt.outcomes[Outcome.MISSING]
    caution = f" ({missing:,} of them missing, which may have been billed)" if missing else ""
    if receipt.retryable == receipt.failures:
        which = "The failure" if receipt.failures == 1 else f"All {receipt.failures:,} failures"
    else:
        which = f"{receipt.retryable:,} of {receipt.failures:,} failures"
    text = f"{which} {'is' if receipt.retryable == 1 else 'are'} worth sending again{caution}."
    when = "When that is fixed, type:" if receipt.causes or receipt.code in ADVICE else "Type:"
    command = commands.send_again(Version.of(receipt.drop), receipt.name, receipt.run)
    return ["", *paragraph(text, when), "", f"  {command}"]


def _places(receipt: Receipt, *, has_page: bool) -> list[str]:
    """Return tokens, and where files, receipt and run are."""
    named = [(file, file.key.rsplit("/", 1)[-1]) for file in receipt.files]
    there = [(file, name) for file, name in named if file.lines or name not in {keys.RETRY, keys.ASIDE}]
    rows = [(_LABELS[name], _url(receipt, file.key)) for file, name in there]
    rows += [("Report", _url(receipt, keys.report(receipt.name, receipt.run)))] if has_page else []
    rows += [("Receipt", _url(receipt, keys.receipt(receipt.name, receipt.run))), ("Run", receipt.run)]
    rows += [] if receipt.project == keys.DEFAULT_PROJECT else [("Project", receipt.project)]
    sent = [*probe_rows(receipt.probe), *round_rows(receipt.rounds)]
    bound = [] if receipt.status == Status.REFUSED else at_most_rows(receipt.estimate)
    return table([*bound, *forecast_rows(receipt.forecast), *sent, *tokens_of(receipt), *rows])


def _links(receipt: Receipt, console: Console) -> list[str]:
    """Return links into the console, if there is one; each asks for a login."""
    bucket = str(receipt.drop["bucket"])
    folders = [("Results", keys.receipt), ("Failures", keys.failures)]
    has_failures = any(file.lines and file.key.startswith("failures/") for file in receipt.files)
    rows = [
        (label, console.prefix(bucket, key(receipt.name, receipt.run).rpartition("/")[0] + "/"))
        for label, key in folders
        if label == "Results" or has_failures
    ]
    links = table([(label, link) for label, link in [*rows, ("Execution", console.run())] if link])
    return ["", "In the AWS console:", *links] if links else []


_LABELS = {
    "results.jsonl": "Results",
    "failures.jsonl": "Failures",
    "retry.jsonl": "To send again",
    "aside.jsonl": "Set aside",
    "invalid.jsonl": "Faults",
}


def _url(receipt: Receipt, key: str) -> str:
    return commands.url(str(receipt.drop["bucket"]), key)
