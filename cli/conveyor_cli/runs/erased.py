"""Runs whose content was erased, as an object says that `conveyor erase` writes at its end.

A receipt that is missing does not show it: people may have deleted it, or may not read it.
"""

from collections.abc import Iterable
from datetime import datetime

from conveyor.domain import keys
from conveyor.domain.drop import STAMP
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.exits import Exit
from conveyor_cli.runs.control import listed
from conveyor_cli.trouble import Trouble


def erased_mark(run: str, project: str) -> str:
    """Return the key of the object. It is under the run's project, whose people may list it."""
    _, of_project = keys.controls(run, project)
    return of_project + keys.ERASED


def is_erased(bucket: Bucket, run: Run) -> bool:
    """Tell whether a run was erased; False also for people who may not list the control objects of its project."""
    mark = erased_mark(run.run, run.project)
    return mark in listed(bucket, mark)


def refuse_erased(bucket: Bucket, run: Run) -> None:
    """Raise Trouble if a run was erased: what it had does not exist any more."""
    if is_erased(bucket, run):
        more = "Its drop, content, results and failures were deleted. `conveyor runs` still shows what it has cost."
        raise Trouble("erased", f"{run.name} was erased", more, exit_code=Exit.NO_RESULTS)


def erased_runs(bucket: Bucket, projects: Iterable[str], since: datetime) -> set[str]:
    """Return the runs of some projects since a moment that were erased: a request for each project.

    Nothing is said of projects whose control objects a person may not list.
    """
    return {run for project in sorted(set(projects)) for run in _of_project(bucket, project, since)}


def _of_project(bucket: Bucket, project: str, since: datetime) -> set[str]:
    prefix = f"control/{project}/"
    found = (key.removeprefix(prefix).split("/") for key in listed(bucket, prefix, since.strftime(STAMP)))
    return {run for run, *name in found if name == [keys.ERASED]}
