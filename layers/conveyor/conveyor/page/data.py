"""The data of a report: what its page shows, for programs, too. It follows from the receipt alone."""

from datetime import datetime

import msgspec

from conveyor.domain import keys
from conveyor.domain.findings import FirstFault
from conveyor.domain.status import Status
from conveyor.page.answers import AnswersBlock, answers_of
from conveyor.page.batches import BatchesBlock, batches_of
from conveyor.page.money import MoneyBlock, money_of
from conveyor.page.outcomes import CauseRow, OtherCauses, OutcomeRow, cause_rows, outcomes_of
from conveyor.page.timeline import TimeLine, timeline_of
from conveyor.receipt.receipt import Receipt
from conveyor.receipt.settings_account import SettingAccount
from conveyor.verdict.headline import is_unsent
from conveyor.verdict.verdict import verdict_of

MOST_CODES = 20


class CheckRow(msgspec.Struct):
    """A promise, whether it was kept, and what was measured."""

    mark: str
    """The name of a mark (`wording.marks`), in lower case."""
    name: str
    value: str
    note: str
    about: str
    """What it measures (`verdict.checks.About`)."""


class StepRow(msgspec.Struct):
    """Something to do, and how."""

    words: str
    command: str | None


class FaultsBlock(msgspec.Struct):
    """The faults of a drop that was refused for its lines, or of lines that were left out."""

    lines: int
    """Lines with faults."""
    faults: int
    codes: dict[str, int]
    """Faults by code, the most frequent first; at most `MOST_CODES`."""
    first: list[FirstFault]


class FileRow(msgspec.Struct):
    """A file that the run has left. Null for what is not known when the page is written."""

    key: str
    lines: int | None = None
    bytes: int | None = None
    sha256: str | None = None


class Report(msgspec.Struct):
    """What the page of a run shows. Blocks that do not apply are null or empty."""

    run: str
    name: str
    project: str
    bucket: str
    key: str
    """Of the drop."""
    status: Status
    mark: str
    """The name of a mark (`wording.marks`), in lower case."""
    first: str
    """What happened: the first sentence of the message, too."""
    second: str
    began_at: datetime
    ended_at: datetime | None
    requests: int
    results: int
    failures: int
    checks: list[CheckRow]
    faults: FaultsBlock | None
    steps: list[StepRow]
    money: MoneyBlock | None
    outcomes: list[OutcomeRow]
    """Empty if nothing was sent."""
    causes: list[CauseRow]
    other_causes: OtherCauses
    answers: AnswersBlock | None
    timeline: TimeLine | None
    batches: BatchesBlock | None
    files: list[FileRow]
    settings: list[SettingAccount]
    defaulted: int
    """Requests that got the default `max_tokens`."""
    default_max_tokens: int


def report_of(receipt: Receipt) -> Report:
    """Return what the page of a run shows. Its commands call the run by its id, as the message does.

    A name may mean a newer run when the page is read.
    """
    verdict = verdict_of(receipt, receipt.run)
    causes, others = cause_rows(receipt, verdict.causes)
    return Report(
        receipt.run,
        receipt.name,
        receipt.project,
        str(receipt.drop["bucket"]),
        str(receipt.drop["key"]),
        receipt.status,
        verdict.mark.name.lower(),
        verdict.first,
        verdict.second,
        receipt.received_at,
        receipt.ended_at or max((batch.split_at for batch in receipt.all_batches), default=None),
        receipt.requests,
        receipt.results,
        receipt.failures,
        [CheckRow(each.mark.name.lower(), each.name, each.value, each.note, each.about) for each in verdict.checks],
        _faults(receipt),
        [StepRow(step.words, step.command) for step in verdict.steps],
        money_of(receipt),
        [] if is_unsent(receipt) else outcomes_of(receipt),
        causes,
        others,
        answers_of(receipt),
        timeline_of(receipt),
        batches_of(receipt),
        _files(receipt),
        receipt.settings,
        receipt.default_max_tokens.get("requests", 0),
        receipt.default_max_tokens.get("value", 0),
    )


def _faults(receipt: Receipt) -> FaultsBlock | None:
    found = receipt.findings
    if not found:
        return None
    return FaultsBlock(found.lines, receipt.faults, dict(list(found.codes.items())[:MOST_CODES]), found.first)


def _files(receipt: Receipt) -> list[FileRow]:
    rows = [FileRow(file.key, file.lines, file.bytes, file.sha256) for file in receipt.files]
    return [*rows, FileRow(keys.receipt(receipt.name, receipt.run))]
