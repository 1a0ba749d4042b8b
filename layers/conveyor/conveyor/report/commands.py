"""What a reader without the command `conveyor` types after a run has ended: for AWS CLI."""

from collections.abc import Mapping

from conveyor.domain.drop import AGAIN, DRY_RUN, HOLD, NO_PROJECT, PROJECT
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.file_types.conversion import Conversion
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import is_unsent, why_refused
from conveyor.wording import commands
from conveyor.wording.advice import ADVICE
from conveyor.wording.commands import Version
from conveyor.wording.mail import block, how_to
from conveyor.wording.text import counted, paragraph, sentence

_RUN_AFTER_ALL = frozenset({STOPPED, DECLINED, DRY_RUN})
"""Codes of refusals after which nothing must be fixed."""


def without_command(receipt: Receipt) -> list[str]:
    """Return lines: commands, each with what it is for."""
    if is_unsent(receipt):
        return _of_unsent(receipt)
    bucket = str(receipt.drop["bucket"])
    if receipt.status == Status.UNBALANCED:
        shown = commands.show_receipt(bucket, receipt.name, receipt.run)
        return how_to("To read the receipt, and the run's ledger:", shown, commands.fetch_ledger(bucket, receipt.run))
    fetched = [commands.fetch_file(bucket, file.key) for file in receipt.files if file.lines]
    return block(how_to("To get the files:", *fetched) if fetched else [], _again(receipt) if receipt.retryable else [])


def _again(receipt: Receipt) -> list[str]:
    missing = receipt.outcomes[Outcome.MISSING]
    caution = f" ({missing:,} of them missing, which may have been billed)" if missing else ""
    if receipt.retryable == receipt.failures:
        which = "The failure" if receipt.failures == 1 else f"All {receipt.failures:,} failures"
    else:
        which = f"{receipt.retryable:,} of {receipt.failures:,} failures"
    text = f"{which} {'is' if receipt.retryable == 1 else 'are'} worth sending again{caution}."
    when = "When that is fixed, type:" if receipt.causes or receipt.code in ADVICE else "Type:"
    return how_to(f"{text} {when}", commands.send_again(Version.of(receipt.drop), receipt.name, receipt.run))


def _of_unsent(receipt: Receipt) -> list[str]:
    """Return how to drop again what was not sent."""
    drop, metadata = Version.of(receipt.drop), commands.carried(receipt.drop_settings, receipt.run)
    if receipt.code == "seen-before":
        again = commands.drop_version(drop, receipt.name, metadata | {AGAIN: receipt.run})
        return block(_approve_other(receipt), how_to("To process the same content again, and pay again, type:", again))
    is_restorable = receipt.code == "drop-archived" and drop.is_copyable
    parts = [_restored(drop) if is_restorable else [], _skip(receipt, drop, metadata)]
    if receipt.unanswered:
        metadata = metadata | {AGAIN: receipt.run}
    if receipt.code == NO_PROJECT:
        metadata = metadata | {PROJECT: "<project>"}
    if receipt.conversion:
        made = commands.drop_converted(drop, receipt.conversion.file, receipt.name, metadata)
        return block(
            *parts, _by_hand(receipt), _in_powershell(receipt.conversion), how_to(_then(receipt.conversion), made)
        )
    if receipt.code == DRY_RUN:
        metadata = {name: value for name, value in metadata.items() if name != DRY_RUN}
    again = commands.drop_again(drop, receipt.name, str(receipt.code), metadata)
    return block(*parts, how_to(_when(receipt, metadata), again))


def _skip(receipt: Receipt, drop: Version, metadata: Mapping[str, str]) -> list[str]:
    """Say how to send the valid lines of a drop with invalid ones."""
    valid = receipt.requests - (receipt.findings.lines if receipt.findings else 0)
    if receipt.code != "invalid-lines" or valid <= 0:
        return []
    skip = commands.drop_version(drop, receipt.name, {**metadata, "on-invalid": "skip"})
    others = f"the other {counted(valid, 'line')}" if receipt.findings else "the other lines"
    return how_to(f"To {'estimate' if DRY_RUN in metadata else 'send'} {others} only, type:", skip)


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
    approve = commands.approve(str(receipt.drop["bucket"]), receipt.waiting_run.key, receipt.waiting_run.words)
    return how_to("To let that run go on, type:", approve)


def _by_hand(receipt: Receipt) -> list[str]:
    """Say how a table or a text becomes requests without `conveyor prepare`."""
    _, how = why_refused(receipt)
    return paragraph(sentence(f"{how[:1].upper()}{how[1:]}")) if how else []


def _in_powershell(conversion: Conversion) -> list[str]:
    """Say how Windows converts the file; the step of the verdict has the command for `sh`."""
    return how_to("In Windows PowerShell:", conversion.powershell) if conversion.powershell else []


def _then(conversion: Conversion) -> str:
    return (
        "Then drop the new file:"
        if conversion.command
        else (f"When you have converted it to {conversion.file}, drop that file:")
    )


def _restored(drop: Version) -> list[str]:
    """Say how to restore an archived version, and then drop it again."""
    return block(
        how_to("To restore it, which takes minutes to hours, type:", commands.restore(drop)),
        how_to("When it is restored, drop a copy of it:", commands.drop_restored(drop)),
    )
