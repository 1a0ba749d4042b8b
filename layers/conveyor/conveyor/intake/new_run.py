"""A drop becomes a run: the settings and the project that it has, or why it will be refused. Pure."""

from msgspec.structs import replace

from conveyor.config import Config
from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, AGAIN_FORM, MAX_USD, NO_VERSION, RETRY_OF, RUN_ID_FORM, Drop
from conveyor.intake.projects import assign_project
from conveyor.ledger.run_facts import Run
from conveyor.settings.amounts import EXPECTED_AMOUNT, likely_limit, read_limit
from conveyor.settings.metadata import ALLOWED_VALUES, describe_misspelled
from conveyor.settings.settings import BadMetadata, Settings

_QUOTED = 100
"""Characters of a wrong value that an error quotes."""


def new_run(name: str, drop: Drop, stack: Settings, config: Config) -> Run:
    """Return the run of a drop that S3 describes, with the reason for its refusal if that is known already."""
    settings, problem = _settings_of(drop, stack)
    assigned = assign_project(drop, settings, config)
    project = assigned.project
    run = Run(
        name, drop.name, drop, settings, problem,
        project=project, config_faults=config.faults, content=keys.content(name, project),
        budget=config.budgets.counted_as(project),
    )  # fmt: skip
    return run if problem else replace(run, problem=assigned.problem, code=assigned.code)


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
