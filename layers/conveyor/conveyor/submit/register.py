"""An upload becomes a run: it is written to the ledger and the index, and an execution watches it from then on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from conveyor.clients import Clients
from conveyor.config import Config
from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, AGAIN_FORM, MAX_USD, NO_VERSION, RETRY_OF, RUN_ID_FORM, STAMP, Drop, Upload
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.s3.read_errors import DropUnreadable
from conveyor.settings.amounts import EXPECTED_AMOUNT, likely_limit, read_limit
from conveyor.settings.metadata import ALLOWED_VALUES, describe_misspelled
from conveyor.settings.settings import BadMetadata, Settings
from conveyor.spend.index_entry import StartEntry
from conveyor.submit.projects import assign_project

_QUOTED = 100
"""Characters of a wrong value that an error quotes."""
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
        run = Ledger(bucket, name).write(_new_run(name, drop, clients.settings, config()))
    bucket.put_if_absent(StartEntry(run.project, run.run, run.drop.bytes).key, b"")
    clients.machine.start(run.run, first_state(run))
    return run


def _new_run(name: str, drop: Drop, stack: Settings, config: Config) -> Run:
    """Return the run of a drop that S3 describes, with the reason for its refusal if that is known already."""
    settings, problem = _settings_of(drop, stack)
    assigned = assign_project(drop, settings, config)
    project = assigned.project
    run = Run(
        name, drop.name, drop, settings, problem,
        project=project, config_faults=config.faults, content=keys.content(name, project),
    )  # fmt: skip
    return run if problem else replace(run, problem=assigned.problem, code=assigned.code)


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
        name, drop.name, drop, clients.settings, str(error), error.code, project, content=keys.content(name, project)
    )
    return Ledger(bucket, name).write(run)


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


def _settings_of(drop: Drop, settings: Settings) -> tuple[Settings, str | None]:
    """Return the settings that apply to a drop, and why the drop will be refused, if that is known already."""
    if drop.version == NO_VERSION:
        return settings, "the object has no version: the bucket's versioning is off or was switched on just now"
    if problem := describe_misspelled(drop.metadata):
        return settings, problem
    if problem := _wrong_value(drop):
        return settings, problem
    try:
        return settings.for_drop(drop.metadata), None
    except BadMetadata as error:
        return settings, str(error)


def _wrong_value(drop: Drop) -> str | None:
    """Return what is wrong with a value of metadata that is no setting; None if all are accepted."""
    for name, values in ALLOWED_VALUES.items():
        if (value := drop.metadata.get(name, values[0])) not in values:
            allowed = " or ".join(f'"{each}"' for each in values)
            return f'the object\'s metadata "{name}" is "{value[:_QUOTED]}"; it must be {allowed}, or be left out'
    if not AGAIN_FORM.fullmatch(drop.again or "yes"):
        return f'the object\'s metadata "{AGAIN}" must be "yes" or the id of a run, or be left out'
    if RETRY_OF in drop.metadata and not RUN_ID_FORM.fullmatch(drop.metadata[RETRY_OF]):
        return f'the object\'s metadata "{RETRY_OF}" must be the id of a run, or be left out'
    return _wrong_amount(drop.metadata[MAX_USD]) if MAX_USD in drop.metadata else None


def _wrong_amount(value: str) -> str | None:
    """Return what is wrong with an amount of dollars in metadata; None if it is accepted."""
    if read_limit(value):
        return None
    text, guess = f'the object\'s metadata "{MAX_USD}" is "{value[:_QUOTED]}"', likely_limit(value)
    return f"{text}; expected {EXPECTED_AMOUNT}" + (f'; did you mean "{guess}"?' if guess else "")
