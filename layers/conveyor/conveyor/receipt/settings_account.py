"""The settings of a run in its receipt."""

import msgspec

from conveyor.ledger.run_facts import Run
from conveyor.settings.settings import FIELDS, PER_DROP, parameter_of


class SettingAccount(msgspec.Struct, frozen=True):
    """A setting that was in force for a run."""

    name: str
    """What sets it at a deployment if `=` and a value follow: `OnInvalid`, or `Tuning=settle-seconds`."""
    value: str
    metadata: str = ""
    """The metadata of the drop that set it, such as `retry-rounds`; empty if the stack did."""


def settings_of(run: Run) -> list[SettingAccount]:
    """Return all settings of a run by name. A drop that is refused for its metadata has set none."""
    given = {} if run.problem else {PER_DROP[name]: name for name in run.drop.metadata if name in PER_DROP}
    fields = sorted(FIELDS, key=parameter_of)
    return [
        SettingAccount(parameter_of(field), _written(getattr(run.settings, field)), given.get(field, ""))
        for field in fields
    ]


def _written(value: str | float) -> str:
    """Return a value as people write it: 20 and not 20.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
