"""The run that a person means: by its id, or the newest one of a name."""

from difflib import get_close_matches
from itertools import batched
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import RUN_ID_FORM
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor_cli.exits import Exit
from conveyor_cli.runs.read import at_once
from conveyor_cli.trouble import Trouble

_MOST_READ = 1000
"""Runs whose names are read, the newest first."""


class Found(NamedTuple):
    """A run that was named."""

    run: Run
    others: tuple[str, ...] = ()
    """Older runs of the same name, the newest first."""


def find_run(bucket: Bucket, called: str) -> Run:
    """Return a run by its id, or the newest of a name: with its folder, or without. Raises Trouble if there is none."""
    return find_named(bucket, called).run


def find_named(bucket: Bucket, called: str, *, reads_all: bool = False) -> Found:
    """Return the same with the other runs of the name, as far as they are read.

    `reads_all`: whether also those are read that are not needed to find the newest: up to a thousand requests.
    """
    if RUN_ID_FORM.fullmatch(called) and (run := read_run(bucket, called)):
        return Found(run)
    names, found = list[str](), list[Run]()
    ids = sorted(filter(RUN_ID_FORM.fullmatch, bucket.folders(keys.RUNS, "")), reverse=True)[:_MOST_READ]
    for some in batched(ids, MOST_READS, strict=False):
        runs = [run for run in at_once(lambda each: read_run(bucket, each), list(some)) if run]
        found += [run for run in runs if called in {run.name, _without_folder(run.name)}]
        if found and not reads_all:
            break
        names += [run.name for run in runs]
    if found:
        return Found(found[0], tuple(run.run for run in found[1:]))
    likely = get_close_matches(called, [*names, *map(_without_folder, names)], 1)
    message = f'No run "{called}"' + (f'; did you mean "{likely[0]}"?' if likely else "")
    raise Trouble("no-run", message, "Nothing was changed.", commands=("conveyor runs",), exit_code=Exit.USAGE)


def called_by(run: Run, typed: str | None) -> str:
    """Return what commands that are shown call a run: as it was typed, so that they are about the same run.

    A name that would be taken for an option, or for the id of another run, is none. `typed`: None if no name was.
    """
    is_odd = run.name.startswith("-") or RUN_ID_FORM.fullmatch(run.name)
    return run.run if typed == run.run or is_odd else run.name


def newest_run(bucket: Bucket) -> Run:
    """Return the newest run of a stack. Raises Trouble if there is none."""
    ids = sorted(filter(RUN_ID_FORM.fullmatch, bucket.folders(keys.RUNS, "")), reverse=True)[:MOST_READS]
    run = next((run for each in ids if (run := read_run(bucket, each))), None)
    if run is None:
        raise Trouble("no-run", "There is no run yet", commands=("conveyor runs",), exit_code=Exit.USAGE)
    return run


def read_run(bucket: Bucket, run: str) -> Run | None:
    """Return a run by its id; None if its ledger is gone."""
    found = bucket.find(Run.key(run))
    return msgspec.json.decode(found, type=Run) if found else None


def _without_folder(name: str) -> str:
    return name.rpartition("/")[2]
