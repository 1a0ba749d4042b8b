"""Check a file before anything of it is sent: at a desk before it is uploaded, and in the function that validates it.

Pure: what is wrong with it, or the batches, the estimate and the probe that it becomes. Both use the same functions, so
they say the same of the same file, settings and limits.
"""

from typing import NamedTuple

from msgspec.structs import replace

from conveyor.config import Config
from conveyor.domain.dialect import Dialect
from conveyor.domain.drop import PACKED, SUFFIXES, is_taken
from conveyor.domain.findings import Problem, findings_of
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import ValidatedDrop
from conveyor.file_types.detect import WrongFileType
from conveyor.file_types.known_types import FileType
from conveyor.gates.probing import is_probed
from conveyor.intake.file import DroppedFile
from conveyor.intake.probe_plan import ChosenLine, PlannedProbe, plan_probe
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.ledger.run_facts import Run
from conveyor.money.prices import Prices
from conveyor.settings.betas import BETAS_NOT_TAKEN
from conveyor.settings.settings import parameter_of
from conveyor.validation.checker import Checker, check_drop
from conveyor.validation.refusal_reasons import reason_of


class Checked(NamedTuple):
    """What was found in a file."""

    reason: Problem | None
    """Why nothing of it is sent; None if it can be sent."""
    checker: Checker | None = None
    """What was found in its lines, if they were read."""
    file_type: FileType | None = None
    """Its type, if it is a wrong one that was recognised."""


class Planned(NamedTuple):
    """What a file becomes that can be sent."""

    drop: ValidatedDrop
    probe: PlannedProbe | None
    """Its lines are taken out of the checked batches."""


def check_file(run: Run, dialect: Dialect, file: DroppedFile, prices: Prices) -> Checked:
    """Check a file against all rules. `run`: the one that the file begins. `prices`: those of the run.

    Memory grows by a few bytes per request. Errors of reading the file, but for Unreadable, are raised.
    """
    if reason := _reason_not_to_read(run, dialect):
        return Checked(reason)
    try:
        if not is_taken(run.drop.key):
            return Checked(_wrong_name(file))
        checker = check_drop(run.run, run.settings, dialect, file.chunks, prices=prices)
    except WrongFileType as error:
        return Checked((error.code, str(error)), file_type=error.file_type)
    except Unreadable as error:
        return Checked((error.code, str(error)))
    return Checked(reason_of(checker, run.settings), checker)


def plan_file(  # noqa: PLR0913, PLR0917  # what a plan depends on
    run: Run,
    dialect: Dialect,
    file: DroppedFile,
    checker: Checker,
    config: Config,
    faults_file: OutputFile | None = None,
) -> Planned:
    """Return what a checked file becomes. `faults_file`: the faults of lines that are left out, if they are written.

    Raises Unreadable if lines for the probe cannot be read again.
    """
    for batch in checker.batches:
        batch.unpacked = file.layers > 0
    budget = config.budgets.of(run.project)
    drop = ValidatedDrop(
        checker.lines,
        file.sha256,
        len(checker.faults),
        faults_file,
        findings_of(checker.faults),
        prices=config.prices.among(checker.models),
        estimate=checker.estimate(),
        is_gated=True,
        usd_per_drop=budget.usd_per_drop,
        models=budget.models,
        config_faults=config.faults,
        has_kept_keys=checker.has_kept_keys,
    )
    if not is_probed(run, drop, checker.requests, budget.usd_per_day):
        return Planned(drop, None)
    planned = _probe_of(run, dialect, file, checker, config.prices)
    return Planned(replace(drop, probe=planned and planned.probe), planned)


def _probe_of(run: Run, dialect: Dialect, file: DroppedFile, checker: Checker, prices: Prices) -> PlannedProbe | None:
    """Return the probe of a checked file, and take its lines out of the checked batches; None if no line fits.

    The probe follows from the drop and the run: validating it again gives the same.
    """
    places = checker.sample()
    if not places:
        return None
    chosen = [ChosenLine(line, place.model) for line, place in zip(file.lines(places), places, strict=True)]
    return plan_probe(run.run, run.settings, dialect, prices, checker.batches, chosen)


def _wrong_name(file: DroppedFile) -> Problem:
    """Return what is wrong with its name. Raises its type if its beginning shows another: renaming would not help."""
    for _ in file.chunks():
        break
    taken = f"{', '.join(SUFFIXES)}, with or without {PACKED}"
    return "wrong-name", f"the file's name does not end in one of {taken}: rename it"


def _reason_not_to_read(run: Run, dialect: Dialect) -> Problem | None:
    """Return the code and message of a refusal that does not depend on the file's content."""
    limit = run.settings.max_bytes_per_drop
    if run.problem:
        return run.code, run.problem
    if run.settings.betas and not dialect.takes_betas:
        return BETAS_NOT_TAKEN, (
            f"beta features ({run.settings.betas}) have no meaning with BatchApi={run.settings.batch_api}: leave out "
            "the drop's metadata betas, and the stack's parameter Betas"
        )
    if run.drop.bytes > limit:
        return "too-large", (
            f"the drop has {run.drop.bytes:,} bytes; the stack's limit is {limit:,} "
            f"({parameter_of('max_bytes_per_drop')}={limit}): "
            f"split it, with split -C {limit} --additional-suffix=.jsonl, say"
        )
    return None
