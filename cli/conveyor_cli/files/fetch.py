"""The files of a run that has ended, on this machine."""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor_cli.exits import Exit
from conveyor_cli.files.disk import explained_disk, write_whole
from conveyor_cli.files.download import Fetched, fetch_file
from conveyor_cli.files.ended import Ended, ended_run
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.progress import SILENT, Progress
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

RECEIPT = "receipt.json"
PARTIAL = "partial.json"
"""Says of which run the parts in a folder are."""


class _Owner(msgspec.Struct):
    """The run that a folder belongs to, as its receipt or its account of parts says."""

    run: str


class FetchedRun(NamedTuple):
    """The files of a run on this machine. The receipt is the last one; it has no checksum of its own."""

    ended: Ended
    to: Path
    files: list[Fetched]


def fetch(stack: ChosenStack, run: Run, to: Path, progress: Progress = SILENT) -> FetchedRun:
    """Fetch the files of a run into a folder, and verify them by its receipt. Files that are there and match stay.

    Raises Trouble: if the run has not ended (code `not-ended`), for a folder of another run, for a file that does not
    match, and for each error of AWS and of the disk.
    """
    with explained_for(run):
        ended = ended_run(stack.bucket, run)
        if ended is None:
            raise Trouble("not-ended", f"{run.name} has not ended", exit_code=Exit.USAGE)
        claim(to, run)
        begin(progress, ended)
        return fetch_ended(stack, ended, to, progress)


def begin(progress: Progress, *runs: Ended) -> None:
    """Say how much is fetched of some runs."""
    files = sum(len(each.receipt.files) + 1 for each in runs)
    progress.begins(files, sum(len(each.data) + sum(file.bytes for file in each.receipt.files) for each in runs))


def fetch_ended(stack: ChosenStack, ended: Ended, to: Path, progress: Progress) -> FetchedRun:
    """Do the same for a run of which it is known that it has ended. Errors of AWS are not in words yet.

    Files that are there are compared before anything is written.
    """
    claim(to, ended.run)
    paths = {file.key: to / keys.file_of(file.key) for file in ended.receipt.files}
    fetched = dict[str, Fetched]()
    for file in sorted(ended.receipt.files, key=lambda file: not paths[file.key].exists()):
        if not paths[file.key].exists():
            write_whole(to / RECEIPT, ended.data)  # says from now on whose folder this is
        fetched[file.key] = fetch_file(stack.bucket, file, paths[file.key], progress)
    write_whole(to / RECEIPT, ended.data)
    progress.advances(RECEIPT, len(ended.data))
    digest = sha256(ended.data).hexdigest()
    about = (ended.data.count(b"\n"), len(ended.data), digest)
    receipt = Fetched(to / RECEIPT, *about, verified=False)
    return FetchedRun(ended, to, [*(fetched[key] for key in paths), receipt])


def claim(to: Path, run: Run) -> None:
    """Make the folder of a run. Raises Trouble if it holds files of another run."""
    with explained_disk(to):
        to.mkdir(parents=True, exist_ok=True)
        for name in (RECEIPT, PARTIAL):
            owner = _owner(to / name)
            if owner not in {None, run.run}:
                raise Trouble(
                    "another-run",
                    f"{to} has the files of another run, {owner}",
                    "Nothing was changed. Choose another folder with --to.",
                    exit_code=Exit.USAGE,
                )


def folder_of(run: Run) -> Path:
    """Return the folder that a run has by default: the last part of its name, in the current folder."""
    return Path(run.name.rpartition("/")[2])


def _owner(path: Path) -> str | None:
    """Return the run that a file says it is of. A file that says nothing has no owner."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Owner).run
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
