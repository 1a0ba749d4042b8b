"""Why the gate after validation is closed. Pure: it follows from the run and its plan alone."""

from collections.abc import Iterator

from conveyor.domain.drop import HOLD
from conveyor.domain.plan import ValidatedDrop
from conveyor.gates.limits import above_limits, cost_at_most, cost_of_probe
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.wording.text import counted, one_line

_MOST_MODELS = 5
_LONGEST_MODEL = 60


def reasons_of(run: Run, drop: ValidatedDrop) -> list[Reason]:
    """Return why a run waits for a person before anything is paid; empty if it does not."""
    cost = cost_of_probe(drop.probe) if drop.probe else cost_at_most(drop.estimate)
    return [*_asked(run), *_of_config(run, drop), *above_limits(run, drop, cost), *_of_models(run, drop)]


def _asked(run: Run) -> Iterator[Reason]:
    if HOLD in run.drop.metadata:
        yield Reason(ReasonCode.ASKED, f"the drop asks for an approval (metadata {HOLD}={run.drop.metadata[HOLD]})")


def _of_config(run: Run, drop: ValidatedDrop) -> Iterator[Reason]:
    """Name the faults of when the run began, and of when the drop was validated, which may be hours later."""
    for fault in dict.fromkeys((*run.config_faults, *drop.config_faults)):
        yield Reason(ReasonCode.CONFIG, f"a file with limits or prices is wrong: {fault}")


def _of_models(run: Run, drop: ValidatedDrop) -> Iterator[Reason]:
    """Compare the models that the drop names with those that its project may use."""
    if drop.models is None or drop.estimate is None:
        return
    others = [model for model in drop.estimate.models if model not in drop.models]
    if drop.estimate.has_too_many_models:
        others.append("more models than are looked at")
    if others:
        named = ", ".join(one_line(model, _LONGEST_MODEL) or '""' for model in others[:_MOST_MODELS])
        more = len(others) - _MOST_MODELS
        rest = f" and {counted(more, 'more model')}" if more > 0 else ""
        yield Reason(ReasonCode.MODEL, f'the project "{run.project}" may not use {named}{rest} (models)')
