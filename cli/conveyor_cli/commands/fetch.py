"""`conveyor fetch`: the files of a run on this machine, verified."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import click
from rich.table import Table

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import size, transferred
from conveyor.wording.text import counted
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.named import to_read
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.exits import Exit
from conveyor_cli.files.download import Fetched
from conveyor_cli.files.ended import ended_run
from conveyor_cli.files.explain import GOES_ON, ON_THE_WAY, explained_for
from conveyor_cli.files.fetch import RECEIPT, REPORT, FetchedRun, folder_of
from conveyor_cli.files.fetch import fetch as fetch_files
from conveyor_cli.files.parts import PartialRun, fetch_parts
from conveyor_cli.files.progress import Progress
from conveyor_cli.merging.merge import Written
from conveyor_cli.merging.merged import MergedRun, fetch_merged
from conveyor_cli.runs.desk import going
from conveyor_cli.screen.progress import Transfer
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, ChosenStack, find
from conveyor_cli.trouble import Trouble

_GAP = 3
_BESIDE = frozenset({RECEIPT, REPORT})
"""Files that are no lines, and of which the receipt has no checksum."""


class _Asked(NamedTuple):
    """What was typed."""

    stack: ChosenStack
    run: Run
    called: str
    to: Path
    is_to_typed: bool

    def again(self, *options: str) -> str:
        """Return the command with other options, ready to paste."""
        to = ("--to", quote(str(self.to))) if self.is_to_typed else ()
        return " ".join(("conveyor fetch", quote(self.called), *to, *options))


@click.command(short_help="Fetch the files of a run, and verify them.")
@click.argument("run")
@click.option("--to", type=click.Path(path_type=Path), help="The folder; by default the last part of the run's name.")
@click.option("--merged", is_flag=True, help="Merge the files with those of later drops of its retry.jsonl.")
@click.option("--partial", is_flag=True, help="Of a run that has not ended, fetch what can be read.")
@with_stack
@with_look
@click.pass_obj
def fetch(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str,
    to: Path | None,
    merged: bool,
    partial: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> Exit | None:
    """Fetch the files of a run, named by its id, or the newest run of a name.

    What breaks off goes on where it stopped when the same command is typed again.
    """
    if merged and partial:
        message = "--merged and --partial exclude each other"
        raise Trouble("usage", message, "Retries are merged once the run has ended.", exit_code=Exit.USAGE)
    chosen = find(Choice(stack, region, is_local=local))
    with explained():
        found = to_read(screen, chosen.bucket, run)
    asked = _Asked(chosen, found, run, to or folder_of(found), is_to_typed=to is not None)
    try:
        _fetch(screen, asked, is_merged=merged, is_partial=partial)
    except KeyboardInterrupt:
        screen.note(f"  Left. {GOES_ON}")
        return Exit.INTERRUPTED
    return None


def _fetch(screen: Screen, asked: _Asked, *, is_merged: bool, is_partial: bool) -> None:
    """Fetch what was asked for, and say what there is. `--partial` of a run that has ended is all of it."""
    with explained_for(asked.run):
        has_ended = ended_run(asked.stack.bucket, asked.run) is not None
        if not has_ended and not is_partial:
            raise _not_ended(asked)
    with screen.transfer() as transfer:
        try:
            told = _of(asked, transfer, is_merged=is_merged, has_ended=has_ended)
        except Trouble as trouble:
            options = ("--merged",) * is_merged + ("--partial",) * is_partial
            if trouble.code not in ON_THE_WAY or not transfer.done:
                raise
            raise _broken_off(trouble, transfer, asked.again(*options)) from trouble
    _tell(screen, asked, told)


def _of(asked: _Asked, progress: Progress, *, is_merged: bool, has_ended: bool) -> FetchedRun | MergedRun | PartialRun:
    about = (asked.stack, asked.run, asked.to, progress)
    if not has_ended:
        return fetch_parts(*about)
    return fetch_merged(*about) if is_merged else fetch_files(*about)


def _broken_off(trouble: Trouble, transfer: Transfer, command: str) -> Trouble:
    message = f"The download broke off after {transferred(transfer.done, transfer.total)}"
    why = " ".join((f"{trouble.message}.", *trouble.more))
    return Trouble(trouble.code, message, why, GOES_ON, commands=(*trouble.commands, command))


def _not_ended(asked: _Asked) -> Trouble:
    """Say how far a run is, and what can be read of it."""
    found = going(asked.stack.bucket, asked.run.run)
    done, all_of_it = found.requests.done, sum(found.requests)
    message = f"{asked.run.name} has not ended: {found.state.words}"
    more = ["Its files appear at its end."]
    if done:
        more.append(f"{done:,} of {all_of_it:,} requests can be read before:")
    commands = (asked.again("--partial"),) if done else ()
    return Trouble("not-ended", message, " ".join(more), commands=commands, exit_code=Exit.USAGE)


def _tell(screen: Screen, asked: _Asked, told: FetchedRun | MergedRun | PartialRun) -> None:
    match told:
        case FetchedRun():
            _tell_fetched(screen, told)
        case MergedRun():
            _tell_merged(screen, told)
        case PartialRun():
            _tell_partial(screen, asked, told)


def _tell_fetched(screen: Screen, fetched: FetchedRun) -> None:
    if screen.look.json:
        screen.json(**_as_json(fetched))
        return
    total = sum(each.bytes for each in fetched.files)
    files = f"{counted(len(fetched.files), 'file')} in {fetched.to}/, {size(total)}"
    receipt = fetched.ended.receipt
    text, remarks = f"{files}, {_matches(fetched.files)}", _unverified(fetched.files)
    if fetched.ended.file(keys.RESULTS):
        screen.verdict(Mark.OK, text, *remarks)
    else:
        screen.verdict(Mark.LOOK, f"{receipt.run} has no results: it is {receipt.status}", f"{text}.", *remarks)
    _show(screen, fetched.files)


def _tell_merged(screen: Screen, merged: MergedRun) -> None:
    files, receipt = merged.files, merged.fetched.ended.receipt
    written = [files.results, files.failures]
    if screen.look.json:
        about = {
            "retries": [each.ended.run.run for each in merged.retries],
            "not_ended": [each.run for each in merged.going],
            "requests": receipt.requests,
            "mended": files.mended,
            "failed_again": files.failed_again,
            "ordered": merged.ordered,
            "files": [
                {"file": each.path.name, "lines": each.lines, "bytes": each.bytes, "sha256": each.sha256}
                for each in written
            ],
        }
        screen.json(**_as_json(merged.fetched), merged=about)
        return
    retries = counted(len(merged.retries), "retry", "retries")
    screen.verdict(
        Mark.OK,
        f"{counted(files.results.lines, 'result')} and {counted(files.failures.lines, 'failure')} in "
        f"{merged.fetched.to}/: each request once",
        f"{counted(files.mended, 'failure')} of the run became results in {retries}."
        if merged.retries
        else "No retry of the run has ended: these are its own results and failures.",
        *_remarks(merged),
        *_unverified([file for run in (merged.fetched, *merged.retries) for file in run.files]),
    )
    _show(screen, written)


def _remarks(merged: MergedRun) -> list[str]:
    """Return what a person should know of the merged files."""
    files = merged.files
    remarks = [f"{each.run} has not ended: merge again when it has." for each in merged.going]
    if not merged.ordered:
        remarks.append("New results are at the end of the file: their places in the drop are not known.")
    if files.twice:
        remarks.append(f"{counted(files.twice, 'outcome')} of requests answered before: the first answer is kept.")
    if files.strange:
        remarks.append(f"{counted(files.strange, 'outcome')} of retries left out: not of failures of this run.")
    return remarks


def _tell_partial(screen: Screen, asked: _Asked, partial: PartialRun) -> None:
    if screen.look.json:
        about = {
            "requests": partial.requests,
            "there": partial.there,
            "again": partial.again,
            "new_parts": partial.new,
            "batches": partial.parts,
            "missing": partial.missing,
        }
        files = list(map(_file_as_json, partial.files))
        screen.json(run=asked.run.run, to=str(partial.to), files=files, partial=about)
        return
    batches = f"{len(partial.parts):,} of {counted(len(partial.parts) + len(partial.missing), 'batch', 'batches')}"
    there = f"{partial.there:,} of {partial.requests:,} requests in {partial.to}/"
    more = [f"{batches} so far, {counted(partial.new, 'part')} new. The run has not ended."]
    if partial.missing:
        more.append(f"Missing: {_ranges(partial.missing)}.")
    if partial.again:
        failures = sum(part.failures for part in partial.parts)
        more.append(f"{partial.again:,} of {counted(failures, 'failure')} go again in a round, and may become results.")
    screen.verdict(Mark.UNDER_WAY, f"{there}, {_matches(partial.files)}", *more)
    _show(screen, partial.files)
    screen.line()
    screen.line("  Type the same again for what is new; once it has ended, it fetches all files.")
    screen.command(asked.again("--partial"))


def _show(screen: Screen, files: Sequence[Fetched | Written]) -> None:
    screen.line()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    for justify in ("left", "right", "right"):
        table.add_column(justify=justify)
    for each in files:
        lines = "" if each.path.name in _BESIDE else counted(each.lines, "line")
        table.add_row(f"  {screen.text(each.path.name)}", lines, size(each.bytes))
    screen.table(table)


def _matches(files: list[Fetched]) -> str:
    return "sizes match" if _without_checksum(files) else "checksums match"


def _unverified(files: list[Fetched]) -> list[str]:
    """Say which files the receipt has no checksum of. It has none of itself and the page."""
    names = sorted(_without_checksum(files))
    return [f"No checksum is known of {', '.join(names)}: bytes and lines were compared."] if names else []


def _without_checksum(files: list[Fetched]) -> set[str]:
    return {each.path.name for each in files if not each.verified and each.path.name not in _BESIDE}


def _ranges(numbers: list[int]) -> str:
    """Return numbers of batches, as `batches 4 to 6 and 9`."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and runs[-1][-1] + 1 == each:
            runs[-1].append(each)
        else:
            runs.append([each])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]:,} to {run[-1]:,}" for run in runs]
    return f"{'batch' if len(numbers) == 1 else 'batches'} {', '.join(words)}"


def _as_json(fetched: FetchedRun) -> dict[str, object]:
    files = list(map(_file_as_json, fetched.files))
    ended = fetched.ended
    return {"run": ended.run.run, "status": ended.receipt.status, "to": str(fetched.to), "files": files}


def _file_as_json(each: Fetched) -> dict[str, object]:
    return {
        "file": each.path.name,
        "lines": each.lines,
        "bytes": each.bytes,
        "sha256": each.sha256,
        "verified": each.verified,
    }
