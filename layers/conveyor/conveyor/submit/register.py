"""An upload becomes a run: it is written to the ledger and the index, and an execution watches it from then on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from conveyor.clients import Clients
from conveyor.config import Config
from conveyor.domain import keys
from conveyor.domain.drop import NO_VERSION, STAMP, Drop, Upload
from conveyor.intake.new_run import new_run
from conveyor.intake.projects import assign_project
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.s3.read_errors import DropUnreadable
from conveyor.spend.index_entry import StartEntry

_BEFORE, _AFTER = timedelta(days=8), timedelta(days=1)
"""The range around its event in which an object was last modified. For a multipart upload that is when its first part
began, up to a week before."""


def register(upload: Upload, clients: Clients, config: Callable[[], Config]) -> Run | None:
    """Write the run of an upload and its entry in the index, and start its execution; a repeated event changes nothing.

    Returns the run that stands, or None if the object is gone and the event names no version: then there is no drop.
    """
    bucket, stack_id = clients.bucket, clients.environment.stack_id
    try:
        drop = bucket.describe(upload.key, upload.version)
    except DropUnreadable as error:
        if error.is_gone and not upload.version:
            return None
        run = _run_of_unreadable(upload, error, clients, config)
    else:
        name = _run_id(upload, drop, bucket, stack_id)
        run = Ledger(bucket, name).write(_with_secret(new_run(name, drop, clients.settings, config()), clients))
    bucket.put_if_absent(StartEntry(run.project, run.run, run.drop.bytes).key, b"")
    clients.machine.start(run.run, first_state(run))
    return run


def _run_id(upload: Upload, drop: Drop, bucket: Bucket, stack_id: str) -> str:
    """Return the id of a drop's run. A run that began while S3 did not describe the drop is named after its event."""
    by_event = replace(drop, last_modified=upload.at).run_id(stack_id)
    by_object = drop.run_id(stack_id)
    is_begun = by_event != by_object and bucket.find(Run.key(by_event)) is not None
    return by_event if is_begun else by_object


def _run_of_unreadable(upload: Upload, error: DropUnreadable, clients: Clients, config: Callable[[], Config]) -> Run:
    """Return the run of an upload that S3 does not describe: the one that exists, or a new one that will be refused.

    An earlier run has the object's last modification in its id, and the event has another moment: runs are searched by
    the end of the id, so that a repeated event does not begin a second run.
    """
    drop, bucket, stack_id = upload.undescribed(), clients.bucket, clients.environment.stack_id
    suffix = f"-{drop.id_suffix(stack_id)}"
    if drop.version != NO_VERSION:
        until = _stamp(upload.at + _AFTER)
        for name in bucket.folders(keys.RUNS, _stamp(upload.at - _BEFORE)):
            if name.endswith(suffix):
                return Ledger(bucket, name).read(Run)
            if name > until:
                break
    name = drop.run_id(stack_id)
    project = assign_project(drop, clients.settings, config()).project
    run = Run(
        name, drop.name, drop, clients.settings, str(error), error.code, project,
        budget=config().budgets.counted_as(project), content=keys.content(name, project),
    )  # fmt: skip
    return Ledger(bucket, name).write(_with_secret(run, clients))


def _with_secret(run: Run, clients: Clients) -> Run:
    """Return the same run with the name of the secret that has the API key."""
    return replace(run, key_secret=clients.environment.api_key_secret)


def _stamp(moment: datetime) -> str:
    return f"{moment:{STAMP}}"


def first_state(run: Run) -> dict[str, Any]:
    """Return the input of the first execution of a run. `name` is for the message if the execution fails."""
    return {
        "run": run.run,
        "name": run.name,
        "wait_seconds": run.settings.poll_min_seconds,
        "trouble": None,
        "warned": None,
        "gate": None,
        "budget": "",
        "execution": {"number": 1, "events": 0},
    }
