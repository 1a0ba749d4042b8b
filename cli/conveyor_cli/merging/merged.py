"""The files of a run, merged with those of the later drops of its `retry.jsonl`."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.exits import Exit
from conveyor_cli.files.disk import explained_disk, write_whole
from conveyor_cli.files.ended import Ended, ended_run, with_page
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.fetch import FetchedRun, begin, claim, fetch_ended
from conveyor_cli.files.progress import SILENT, Progress
from conveyor_cli.merging.merge import MergedFiles, Pair, merge
from conveyor_cli.merging.places import blank_lines
from conveyor_cli.merging.retries import retries_of
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

ACCOUNT = "merged.json"
RETRIES = "retries"
"""The folder of the retries' own files."""


class MergedRun(NamedTuple):
    """A run and its retries on this machine, merged."""

    fetched: FetchedRun
    retries: list[FetchedRun]
    going: list[Run]
    """Retries that have not ended: nothing of them is merged."""
    files: MergedFiles
    ordered: bool
    """Whether the merged results are in the order of the drop; else new ones are at the end."""


def fetch_merged(stack: ChosenStack, run: Run, to: Path, progress: Progress = SILENT) -> MergedRun:
    """Fetch a run and its retries, and merge their results and failures: each request once, in the order of the drop.

    Writes `results.merged.jsonl`, `failures.merged.jsonl` and `merged.json` beside the files of the run itself. Raises
    Trouble as `fetch` does, and if the counts do not add up (code `unbalanced`).
    """
    with explained_for(run):
        ended = ended_run(stack.bucket, run)
        if ended is None:
            raise Trouble("not-ended", f"{run.name} has not ended", exit_code=Exit.USAGE)
        if ended.file(keys.RESULTS) is None:
            raise Trouble("no-results", f"{run.name} has no results: {ended.receipt.status}", exit_code=Exit.USAGE)
        chain, going = _chain(stack.bucket, run)
        claim(to, run)
        ended, *chain = (with_page(stack.bucket, each) for each in (ended, *chain))
        begin(progress, ended, *chain)
        fetched = fetch_ended(stack, ended, to, progress)
    retries = [_fetch_retry(stack, each, to / RETRIES / each.run.run, progress) for each in chain]
    with explained_for(run):
        blank = blank_lines(stack.bucket, ended)
    files = _merge(fetched, retries, blank)
    merged = MergedRun(fetched, retries, going, files, ordered=blank is not None)
    _write_account(merged)
    return merged


def merged_name(kind: str) -> str:
    """Return the name of a merged file."""
    return kind.replace(".jsonl", ".merged.jsonl")


def _chain(bucket: Bucket, run: Run) -> tuple[list[Ended], list[Run]]:
    """Return the retries that have ended, and those that have not."""
    chain, going = list[Ended](), list[Run]()
    for retry in retries_of(bucket, run):
        with explained_for(retry):
            ended = ended_run(bucket, retry)
        if ended:
            chain.append(ended)
        else:
            going.append(retry)
    return chain, going


def _fetch_retry(stack: ChosenStack, retry: Ended, to: Path, progress: Progress) -> FetchedRun:
    with explained_for(retry.run):
        return fetch_ended(stack, retry, to, progress)


def _merge(fetched: FetchedRun, retries: list[FetchedRun], blank: Sequence[int] | None) -> MergedFiles:
    to = fetched.to
    names = [to / merged_name(kind) for kind in (keys.RESULTS, keys.FAILURES)]
    new = [path.with_name(f"{path.name}.new") for path in names]
    answered = [each for each in retries if each.ended.file(keys.RESULTS)]  # a refused one has no files
    with explained_disk(to):
        try:
            files = merge(_pair(fetched), list(map(_pair, answered)), Pair(*new), blank, to / "merging.db")
        except sqlite3.Error as error:
            raise Trouble("disk-full", f"{to} cannot be written", "The disk is full, or fails.") from error
        receipt = fetched.ended.receipt
        if files.results.lines + files.failures.lines != receipt.requests - receipt.not_run:
            raise _unbalanced(fetched.ended, files)
        for path, name in zip(new, names, strict=True):
            path.replace(name)
    results, failures = files.results._replace(path=names[0]), files.failures._replace(path=names[1])
    return files._replace(results=results, failures=failures)


def _pair(fetched: FetchedRun) -> Pair:
    return Pair(fetched.to / keys.RESULTS, fetched.to / keys.FAILURES)


def _unbalanced(ended: Ended, files: MergedFiles) -> Trouble:
    requests = ended.receipt.requests - ended.receipt.not_run
    found = files.results.lines + files.failures.lines
    return Trouble(
        "unbalanced",
        f"The account does not balance: {requests:,} requests, {found:,} accounted for",
        "The merged files were left under names that end in .new. Send nothing again.",
        exit_code=Exit.UNBALANCED,
    )


def _write_account(merged: MergedRun) -> None:
    files, receipt = merged.files, merged.fetched.ended.receipt
    about = {
        "run": receipt.run,
        "retries": [each.ended.run.run for each in merged.retries],
        "not_ended": [each.run for each in merged.going],
        "requests": receipt.requests,
        "results": files.results.lines,
        "failures": files.failures.lines,
        "mended": files.mended,
        "ordered": merged.ordered,
    }
    write_whole(merged.fetched.to / ACCOUNT, msgspec.json.format(msgspec.json.encode(about)) + b"\n")
