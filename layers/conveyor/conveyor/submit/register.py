"""An upload becomes a run: written down, and watched by the state machine, before anything else is done."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from conveyor.clients import Machine
from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, AGAIN_FORM, NO_VERSION, STAMP, Drop, Upload
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.s3.read_errors import DropUnreadable
from conveyor.settings.metadata import describe_misspelled
from conveyor.settings.settings import BadMetadata, Settings

_BEFORE, _AFTER = timedelta(days=8), timedelta(days=1)
"""Around its event an object was last modified: one that comes in parts when its first part began, in the last week."""


def receive(upload: Upload, bucket: Bucket, machine: Machine, settings: Settings, stack_id: str) -> Run | None:
    """Write down the run of an upload and start its execution; a repeated event finds both done.

    Returns None for an upload of which nothing is left that makes a run: neither a version's name nor an object.
    """
    try:
        drop = bucket.describe(upload.key, upload.version)
    except DropUnreadable as error:
        if error.is_gone and not upload.version:
            return None
        run = _unread(upload, error, bucket, settings, stack_id)
    else:
        name = _name(upload, drop, bucket, stack_id)
        settings, problem = _in_force(settings, drop)
        run = Ledger(bucket, name).write(Run(name, drop.name, drop, settings, problem))
    machine.start(run.run, first_state(run))
    return run


def _name(upload: Upload, drop: Drop, bucket: Bucket, stack_id: str) -> str:
    """Return the id of a drop's run: one that began when S3 did not describe the drop is named after its event."""
    named = replace(drop, last_modified=upload.at).run_id(stack_id)
    is_begun = named != drop.run_id(stack_id) and bucket.find(Run.key(named)) is not None
    return named if is_begun else drop.run_id(stack_id)


def _unread(upload: Upload, error: DropUnreadable, bucket: Bucket, settings: Settings, stack_id: str) -> Run:
    """Return the run of an upload that S3 does not describe: the one it has, or a new one that can only be refused.

    A run is named after the moment that S3 told, and the event names another: repeated, it must not begin a second run.
    """
    drop = upload.undescribed()
    mark = drop.mark(stack_id)
    if drop.version != NO_VERSION:
        until = _stamp(upload.at + _AFTER)
        for name in bucket.folders(keys.RUNS, _stamp(upload.at - _BEFORE)):
            if name.endswith(f"-{mark}"):
                return Ledger(bucket, name).read(Run)
            if name > until:
                break
    name = drop.run_id(stack_id)
    return Ledger(bucket, name).write(Run(name, drop.name, drop, settings, str(error), error.code))


def _stamp(moment: datetime) -> str:
    return f"{moment:{STAMP}}"


def first_state(run: Run) -> dict[str, Any]:
    """Return the state in which the first execution of a run begins. The name is for the message if it fails."""
    return {
        "run": run.run,
        "name": run.name,
        "wait_seconds": run.settings.poll_min_seconds,
        "trouble": None,
        "warned": None,
        "execution": {"number": 1, "events": 0},
    }


def _in_force(settings: Settings, drop: Drop) -> tuple[Settings, str | None]:
    """Return a drop's settings, and what forbids to read it at all."""
    if drop.version == NO_VERSION:
        return settings, "the object has no version: the bucket's versioning is off or was switched on just now"
    if told := describe_misspelled(drop.metadata):
        return settings, told
    if not AGAIN_FORM.fullmatch(drop.again or "yes"):
        return settings, f'the object\'s metadata "{AGAIN}" must be "yes" or the id of a run, or be left out'
    try:
        return settings.for_drop(drop.metadata), None
    except BadMetadata as error:
        return settings, str(error)
