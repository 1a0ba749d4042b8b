"""The files of a run that has ended, on this machine."""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor_cli.exits import Exit
from conveyor_cli.files.disk import explained_disk, write_whole
from conveyor_cli.files.download import Fetched, another_file, fetch_file
from conveyor_cli.files.ended import Ended, ended_run, with_page
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.progress import SILENT, Progress
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

RECEIPT, REPORT = "receipt.json", "report.html"
PARTIAL = "partial.json"
"""Says of which run the parts in a folder are."""


class _Owner(msgspec.Struct):
    """The run that a folder belongs to, as its receipt or its account of parts says."""

    run: str


class FetchedRun(NamedTuple):
    """The files of a run on this machine. The last ones are the receipt and the page, of which it has no checksum."""

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
        ended = with_page(stack.bucket, ended)
        begin(progress, ended)
        return fetch_ended(stack, ended, to, progress)


def begin(progress: Progress, *runs: Ended) -> None:
    """Say how much is fetched of some runs."""
    small = [data for each in runs for data in (each.data, each.page) if data is not None]
    files = [file for each in runs for file in each.receipt.files]
    progress.begins(len(small) + len(files), sum(map(len, small)) + sum(file.bytes for file in files))


def fetch_ended(stack: ChosenStack, ended: Ended, to: Path, progress: Progress) -> FetchedRun:
    """Do the same for a run of which it is known that it has ended. Errors of AWS are not in words yet.

    Files that are there are compared before anything is written.
    """
    claim(to, ended.run)
    if ended.page is not None:
        _compare(to / REPORT, ended.page)
    paths = {file.key: to / keys.file_of(file.key) for file in ended.receipt.files}
    fetched = dict[str, Fetched]()
    for file in sorted(ended.receipt.files, key=lambda file: not paths[file.key].exists()):
        if not paths[file.key].exists():
            write_whole(to / RECEIPT, ended.data)  # says from now on whose folder this is
        fetched[file.key] = fetch_file(stack.bucket, file, paths[file.key], progress)
    small = [(RECEIPT, ended.data), (REPORT, ended.page)]
    written = [_write(to / name, data, progress) for name, data in small if data is not None]
    return FetchedRun(ended, to, [*(fetched[key] for key in paths), *written])


def _compare(path: Path, page: bytes) -> None:
    """Raise Trouble if a file is there that is not the page."""
    with explained_disk(path):
        found = path.read_bytes() if path.exists() else page
    if found != page:
        raise another_file(path, f"{len(page):,} bytes expected, {len(found):,} found")


def _write(path: Path, data: bytes, progress: Progress) -> Fetched:
    write_whole(path, data)
    progress.advances(path.name, len(data))
    return Fetched(path, data.count(b"\n"), len(data), sha256(data).hexdigest(), verified=False)


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
