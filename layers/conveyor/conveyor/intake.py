"""An upload becomes a run: written down, and watched by the state machine, before anything else is done."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from conveyor.clients import Machine
from conveyor.drop import AGAIN, PACKED, SUFFIX, Drop, Upload
from conveyor.ledger import Ledger
from conveyor.records import Run
from conveyor.settings import PER_DROP, BadMetadata, Settings
from conveyor.storage import Storage

_OF_THE_STACK = {field.replace("_", "") for field in Settings.__struct_fields__ if field not in PER_DROP.values()}
_ALIKE = 0.8
"""Share of equal characters by which a name is taken for a misspelt one."""


def receive(upload: Upload, storage: Storage, machine: Machine, settings: Settings, stack_id: str) -> Run:
    """Write down the run of an upload and start its execution; a repeated event finds both done."""
    drop = storage.describe(upload.key, upload.version)
    name = drop.run_id(stack_id)
    settings, problem = _in_force(settings, drop)
    run = Ledger(storage, name).write_run(Run(name, drop.name, drop, settings, problem))
    machine.start(name, first_state(run))
    return run


def first_state(run: Run) -> dict[str, Any]:
    """Return the state in which the first execution of a run begins."""
    execution = {"number": 1, "events": 0}
    return {"run": run.run, "wait_seconds": run.settings.poll_min_seconds, "trouble": None, "execution": execution}


def _in_force(settings: Settings, drop: Drop) -> tuple[Settings, str | None]:
    """Return a drop's settings, and what forbids to read it at all."""
    if drop.version == "null":
        return settings, "the object has no version: the bucket's versioning is off or was switched on just now"
    if not drop.key.removesuffix(PACKED).endswith(SUFFIX):
        return settings, f'the file\'s name does not end in "{SUFFIX}" or "{SUFFIX}{PACKED}": rename it'
    if misspelt := _misspelt(drop.metadata):
        return settings, misspelt
    if drop.metadata.get(AGAIN, "yes") != "yes":
        return settings, f'the object\'s metadata "{AGAIN}" must be "yes", or be left out'
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
