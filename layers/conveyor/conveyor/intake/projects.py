"""Which project a drop is for. Its folder under `inbox/` decides if it has limits, since IAM can grant a folder."""

from typing import NamedTuple

from conveyor.config import Config
from conveyor.domain.drop import NO_PROJECT, OTHER_FOLDER, PROJECT, Drop
from conveyor.domain.keys import DEFAULT_PROJECT, INBOX, PROJECT_RULE, is_project_name
from conveyor.settings.settings import Settings

_QUOTED = 100
"""Characters of a wrong value that an error quotes."""


class Assignment(NamedTuple):
    """The project of a drop, and the code and reason for which it is refused, if it is."""

    project: str
    code: str = "unreadable"
    problem: str | None = None


def assign_project(drop: Drop, settings: Settings, config: Config) -> Assignment:
    """Return the project of a drop: its folder if that has limits, else its metadata, else the default.

    Metadata that names a project with limits counts only for a drop directly under `inbox/`, whose writer may write to
    every folder: from another folder it would spend money that is not its writer's. If the limits cannot be read,
    nobody knows which projects have a folder: the project is the default, and the faults close the gate.
    """
    named = drop.metadata.get(PROJECT, DEFAULT_PROJECT)
    if not is_project_name(named):
        quoted = named if len(named) <= _QUOTED else f"{named[:_QUOTED]}…"
        problem = f'the object\'s metadata "{PROJECT}" is "{quoted}"; expected {PROJECT_RULE}'
        return Assignment(DEFAULT_PROJECT, problem=problem)
    if not config.knows_projects:
        return Assignment(DEFAULT_PROJECT)
    if drop.folder in config.budgets.projects:
        return Assignment(drop.folder)
    if named in config.budgets.projects and drop.folder:
        problem = f'the project "{named}" has limits of its own, and takes drops from {INBOX}{named}/ only'
        return Assignment(DEFAULT_PROJECT, OTHER_FOLDER, problem)
    if named == DEFAULT_PROJECT and settings.require_project == "yes":
        return Assignment(DEFAULT_PROJECT, NO_PROJECT, "the drop names no project, and the stack requires one")
    return Assignment(named)
