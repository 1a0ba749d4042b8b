"""The results and failures of a run, in the order of the drop: from the bucket, merged, or from a folder."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.run_facts import Run
from conveyor_cli.answers.record import Record, read_record
from conveyor_cli.exits import Exit
from conveyor_cli.files.checking import Check
from conveyor_cli.files.ended import Receipt, ended_run
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.fetch import RECEIPT
from conveyor_cli.files.progress import Progress
from conveyor_cli.files.results import result_lines
from conveyor_cli.merging.merged import fetch_merged, merged_name
from conveyor_cli.merging.outcomes import OutcomeLine
from conveyor_cli.merging.places import Places, blank_lines
from conveyor_cli.runs.desk import going
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

_STEP = 1 << 20
"""Bytes after which it is shown how far the reading is."""


class Source(NamedTuple):
    """The lines of two files. They are read once."""

    results: Iterable[bytes]
    failures: Iterable[bytes]
    blank: Sequence[int] | None
    """The numbers of the drop's blank lines; None if it is not known where results belong: failures follow them."""
    notes: list[str]

    def records(self) -> Iterator[Record]:
        """Yield all outcomes. Raises Trouble."""
        results = enumerate(self.results, 1)
        places = Places(self.blank or ())
        if self.blank is None:
            yield from (read_record(line, keys.RESULTS, number) for number, line in results)
        for number, line in enumerate(self.failures, 1):
            place = _line_of(line)
            if self.blank is not None and place is not None:
                for at, result in islice(results, max(0, places.results_before(place))):
                    yield read_record(result, keys.RESULTS, at)
            yield read_record(line, keys.FAILURES, number)
        yield from (read_record(line, keys.RESULTS, number) for number, line in results)


def of_run(stack: ChosenStack, run: Run, progress: Progress) -> Source:
    """Read the files of a run from the bucket. Raises Trouble if it has not ended, or has no answers."""
    with explained_for(run):
        ended = ended_run(stack.bucket, run)
        if ended is None:
            raise _not_ended(stack, run)
        if ended.file(keys.RESULTS) is None:
            raise _no_answers(run.name, ended.receipt.status)
        blank = blank_lines(stack.bucket, ended)
    files = [file for kind in (keys.RESULTS, keys.FAILURES) if (file := ended.file(kind))]
    progress.begins(len(files), sum(file.bytes for file in files))
    results, failures = (
        _shown(result_lines(stack, run, kind), kind, progress) for kind in (keys.RESULTS, keys.FAILURES)
    )
    return Source(results, failures, blank, _order_notes(blank))


def of_run_merged(stack: ChosenStack, run: Run, scratch: Path, progress: Progress) -> Source:
    """Do the same with what later drops of its `retry.jsonl` have changed. `scratch`: a folder for the files."""
    with explained_for(run):
        if ended_run(stack.bucket, run) is None:
            raise _not_ended(stack, run)
    merged = fetch_merged(stack, run, scratch / "files", progress)
    with explained_for(run):
        blank = blank_lines(stack.bucket, merged.fetched.ended)
    notes = [f"{each.run} has not ended: what it answers is not in the table." for each in merged.going]
    results, failures = _lines(merged.files.results.path), _lines(merged.files.failures.path)
    return Source(results, failures, blank, notes + _order_notes(blank))


def of_folder(folder: Path, run: str | None, *, is_merged: bool) -> Source:
    """Read what `conveyor fetch` has written into a folder. The files are compared with the receipt.

    Blank lines of the drop are not known there. Raises Trouble.
    """
    try:
        receipt = msgspec.json.decode((folder / RECEIPT).read_bytes(), type=_FolderReceipt)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{folder} has no receipt of a run"
        raise Trouble(
            "no-files", message, "Fetch its files first: conveyor fetch RUN.", exit_code=Exit.USAGE
        ) from error
    if run and run not in {receipt.run, receipt.name, receipt.name.rpartition("/")[2]}:
        message = f"{folder} has the files of another run, {receipt.run}"
        raise Trouble("another-run", message, "Nothing was written.", exit_code=Exit.USAGE)
    accounts = {keys.file_of(file.key): file for file in receipt.files}
    if keys.RESULTS not in accounts:
        raise _no_answers(receipt.name or receipt.run, receipt.status)
    names = [merged_name(kind) if is_merged else kind for kind in (keys.RESULTS, keys.FAILURES)]
    if missing := [name for name in names if not (folder / name).exists()]:
        command = f"conveyor fetch {receipt.run} --to {folder}{' --merged' * is_merged}"
        message = f"{folder} has no {missing[0]}"
        raise Trouble("no-files", message, "Nothing was written.", commands=(command,), exit_code=Exit.USAGE)
    results, failures = (
        _lines(folder / name, None if is_merged else accounts.get(name)) for name in names
    )  # fmt: skip
    blank = () if receipt.ordered else None
    notes = _order_notes(blank)
    if not is_merged and (folder / merged_name(keys.RESULTS)).exists():
        notes.append("The folder has merged files, too: add --merged to read these.")
    return Source(results, failures, blank, notes)


class _FolderReceipt(Receipt, frozen=True):
    name: str = ""


def _lines(path: Path, account: OutputFile | None = None) -> Iterator[bytes]:
    """Yield the lines of a file. Raises Trouble, at its end if it is not the file of the account."""
    check = Check(account)
    try:
        with path.open("rb") as file:
            for line in file:
                check.feed(line)
                yield line
    except OSError as error:
        raise Trouble("unreadable", f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
    if check.fault:
        raise Trouble("checksum", f"{path} does not match the receipt ({check.fault})", "Fetch the files again.")


def _shown(lines: Iterator[bytes], file: str, progress: Progress) -> Iterator[bytes]:
    """Yield lines, and show how far they are."""
    count = 0
    for line in lines:
        count += len(line)
        if count >= _STEP:
            progress.advances(file, count)
            count = 0
        yield line
    progress.advances(file, count)


def _line_of(failure: bytes) -> int | None:
    try:
        return msgspec.json.decode(failure, type=OutcomeLine).line
    except msgspec.DecodeError:
        return None


def _order_notes(blank: Sequence[int] | None) -> list[str]:
    return [] if blank is not None else ["Failures are at the end: their places among the results are not known."]


def _not_ended(stack: ChosenStack, run: Run) -> Trouble:
    message = f"{run.name} has not ended: {going(stack.bucket, run.run).state.words}"
    return Trouble("not-ended", message, "Its files appear at its end.", exit_code=Exit.USAGE)


def _no_answers(name: str, status: str) -> Trouble:
    return Trouble("no-results", f"{name} has no answers: {status}", "Nothing was written.", exit_code=Exit.USAGE)
