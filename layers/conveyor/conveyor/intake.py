"""An upload becomes a run: written down, and watched by the state machine, before anything else is done."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from msgspec.structs import replace

from conveyor import keys
from conveyor.clients import Machine
from conveyor.drop import AGAIN, AGAIN_FORM, NO_VERSION, PACKED, STAMP, SUFFIXES, Drop, Upload, is_taken
from conveyor.ledger import Ledger
from conveyor.records import Run
from conveyor.settings import PER_DROP, BadMetadata, Settings
from conveyor.storage import Storage
from conveyor.unreadable import DropUnreadable

_OF_THE_STACK = {field.replace("_", "") for field in Settings.__struct_fields__ if field not in PER_DROP.values()}
_ALIKE = 0.8
"""Share of equal characters by which a name is taken for a misspelt one."""


_BEFORE, _AFTER = timedelta(days=8), timedelta(days=1)
"""Around its event an object was last modified: one that comes in parts when its first part began, in the last week."""


def receive(upload: Upload, storage: Storage, machine: Machine, settings: Settings, stack_id: str) -> Run | None:
    """Write down the run of an upload and start its execution; a repeated event finds both done.

    Returns None for an upload of which nothing is left that makes a run: neither a version's name nor an object.
    """
    try:
        drop = storage.describe(upload.key, upload.version)
    except DropUnreadable as error:
        if error.is_gone and not upload.version:
            return None
        run = _unread(upload, error, storage, settings, stack_id)
    else:
        name = _name(upload, drop, storage, stack_id)
        settings, problem = _in_force(settings, drop)
        run = Ledger(storage, name).write_run(Run(name, drop.name, drop, settings, problem))
    machine.start(run.run, first_state(run))
    return run


def _name(upload: Upload, drop: Drop, storage: Storage, stack_id: str) -> str:
    """Return the id of a drop's run: one that began when S3 did not describe the drop is named after its event."""
    named = replace(drop, last_modified=upload.at).run_id(stack_id)
    is_begun = named != drop.run_id(stack_id) and storage.find(keys.run(named)) is not None
    return named if is_begun else drop.run_id(stack_id)


def _unread(upload: Upload, error: DropUnreadable, storage: Storage, settings: Settings, stack_id: str) -> Run:
    """Return the run of an upload that S3 does not describe: the one it has, or a new one that can only be refused.

    A run is named after the moment that S3 told, and the event names another: repeated, it must not begin a second run.
    """
    drop = upload.undescribed()
    mark = drop.mark(stack_id)
    if drop.version != NO_VERSION:
        until = _stamp(upload.at + _AFTER)
        for name in storage.folders(keys.RUNS, _stamp(upload.at - _BEFORE)):
            if name.endswith(f"-{mark}"):
                return Ledger(storage, name).run()
            if name > until:
                break
    name = drop.run_id(stack_id)
    return Ledger(storage, name).write_run(Run(name, drop.name, drop, settings, str(error), error.code))


def _stamp(moment: datetime) -> str:
    return f"{moment:{STAMP}}"


def first_state(run: Run) -> dict[str, Any]:
    """Return the state in which the first execution of a run begins."""
    return {
        "run": run.run,
        "wait_seconds": run.settings.poll_min_seconds,
        "trouble": None,
        "warned": None,
        "execution": {"number": 1, "events": 0},
    }


def _in_force(settings: Settings, drop: Drop) -> tuple[Settings, str | None]:
    """Return a drop's settings, and what forbids to read it at all."""
    if drop.version == NO_VERSION:
        return settings, "the object has no version: the bucket's versioning is off or was switched on just now"
    if not is_taken(drop.key):
        taken = ", ".join(SUFFIXES)
        return settings, f"the file's name does not end in one of {taken}, with or without {PACKED}: rename it"
    if misspelt := _misspelt(drop.metadata):
        return settings, misspelt
    if not AGAIN_FORM.fullmatch(drop.again or "yes"):
        return settings, f'the object\'s metadata "{AGAIN}" must be "yes" or the id of a run, or be left out'
    try:
        return settings.for_drop(drop.metadata), None
    except BadMetadata as error:
        return settings, str(error)


def _misspelt(names: Iterable[str]) -> str | None:
    """Return what to say of metadata that is nearly a setting, or the stack's; any other belongs to another tool."""
    for name in names:
        if name.replace("-", "").replace("_", "") in _OF_THE_STACK:
            return f'the object\'s metadata "{name}" is a parameter of the stack, not of a drop: deploy again with it'
        if name not in PER_DROP and (meant := get_close_matches(name.replace("_", "-"), PER_DROP, 1, _ALIKE)):
            return f'the object\'s metadata "{name}" is not known: if it should be "{meant[0]}", spell it so'
    return None
