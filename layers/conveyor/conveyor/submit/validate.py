"""The whole drop is validated before any of it is sent."""

import msgspec
from msgspec.structs import replace

from conveyor.config import Config
from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.dialect import Dialect
from conveyor.domain.drop import DRY_RUN, PACKED, SUFFIXES, is_taken
from conveyor.domain.findings import findings_of
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.file_types.conversion import conversion_of
from conveyor.file_types.detect import WrongFileType
from conveyor.gates.approval import words_that_open
from conveyor.gates.gate import stands_at_gate
from conveyor.gates.probing import is_probed
from conveyor.gates.reasons import reasons_of
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal, Run, WaitingRun
from conveyor.settings.betas import BETAS_NOT_TAKEN
from conveyor.submit.drop_reader import DropReader
from conveyor.submit.probe import probe_of
from conveyor.validation.checker import MOST_FAULTS, Checker, check_drop
from conveyor.validation.refusal_reasons import reason_of
from conveyor.wording.text import counted

_encode = msgspec.json.Encoder().encode


def validate(context: RunContext, config: Config) -> Plan | None:
    """Read the whole drop, and write its plan or its refusal. Returns the plan that stands; None after a refusal.

    Prices and limits in force now are copied into the plan: they hold for the run, whatever is changed later.
    """
    if reason := _reason_not_to_read(context.run, context.api.dialect):
        _refuse(context, *reason)
        return None
    reader = DropReader(context)
    try:
        if not is_taken(context.run.drop.key):
            _refuse_name(context, reader)
            return None
        checker = check_drop(
            context.run.run, context.run.settings, context.api.dialect, reader.chunks, prices=config.prices
        )
        return _conclude(context, reader, checker, config)
    except WrongFileType as error:
        conversion = conversion_of(error.file_type, context.run.drop.key, reader.layers)
        context.ledger.write(Refusal(context.writer, context.now(), error.code, str(error), conversion=conversion))
        return None
    except Unreadable as error:
        _refuse(context, error.code, str(error))
        return None


def _conclude(context: RunContext, reader: DropReader, checker: Checker, config: Config) -> Plan | None:
    """Write what follows from a drop that was read whole. Only a drop that can be sent claims its content.

    Raises Unreadable if lines for the probe cannot be read again.
    """
    reason = reason_of(checker, context.run.settings)
    is_dry = DRY_RUN in context.run.drop.metadata
    if reason is None and not is_dry and (other := _claim_content(context, reader.sha256)):
        _refuse_seen(context, other)
        return None
    file = _write_faults(context, checker) if checker.faults else None
    if reason:
        _refuse(context, *reason, checker, file)
        return None
    for batch in checker.batches:
        batch.unpacked = reader.is_packed
    budget = config.budgets.of(context.run.project)
    drop = ValidatedDrop(
        checker.lines,
        reader.sha256,
        len(checker.faults),
        file,
        findings_of(checker.faults),
        prices=config.prices.among(checker.models),
        estimate=checker.estimate(),
        is_gated=True,
        usd_per_drop=budget.usd_per_drop,
        models=budget.models,
        config_faults=config.faults,
        has_kept_keys=checker.has_kept_keys,
    )
    planned = None
    if is_probed(context.run, drop, checker.requests, budget.usd_per_day):
        planned = probe_of(context, checker, config.prices, unpacked=reader.is_packed)
        drop = replace(drop, probe=planned and planned.probe)
    if is_dry:
        _refuse(context, DRY_RUN, _what_would_happen(context.run, drop), checker, file)
        return None
    if planned:  # before the plan: where there is a plan, there is the file that it names
        context.bucket.put(keys.leg_lines(context.run.content_prefix, keys.PROBE), planned.file)
    return context.ledger.write_plan(Plan(drop, checker.batches))


def _what_would_happen(run: Run, drop: ValidatedDrop) -> str:
    """Return why a dry run sends nothing, and what would come first if it were none: an approval, a probe."""
    asked = "the drop asks for an estimate only (metadata dry-run)"
    reasons = "; ".join(reason.message for reason in reasons_of(run, drop))
    firsts = [f"it would wait for an approval: {reasons}"] if reasons else []
    firsts += [f"a probe of {counted(drop.probe.requests, 'request')} would be sent first"] if drop.probe else []
    return "; without that ".join((asked, "; then ".join(firsts))) if firsts else asked


def _refuse_seen(context: RunContext, other: str) -> None:
    """Refuse a drop whose bytes another run has; name the gate at which that run stands, if it stands at one."""
    ledger = Ledger(context.bucket, other)
    run_state = ledger.run_state()
    message = f"the same bytes under this key are run {other} already"
    if not stands_at_gate(ledger, run_state):
        _refuse(context, "seen-before", message)
        return
    number = run_state.gate
    key = keys.approval(other, number, ledger.read(Run).project)
    waiting = WaitingRun(other, key, words_that_open(ledger.read(Gate, number)))
    message = f"{message}, which waits for an approval (gate {number})"
    context.ledger.write(Refusal(context.writer, context.now(), "seen-before", message, waiting_run=waiting))


def _refuse_name(context: RunContext, reader: DropReader) -> None:
    """Refuse a file by its name. Raises its type if its beginning shows another: renaming would not help then."""
    for _ in reader.chunks():
        break
    taken = f"{', '.join(SUFFIXES)}, with or without {PACKED}"
    _refuse(context, "wrong-name", f"the file's name does not end in one of {taken}: rename it")


def _write_faults(context: RunContext, checker: Checker) -> OutputFile:
    with context.bucket.writer(keys.invalid(context.run.name, context.run.run)) as writer:
        for fault in checker.faults[:MOST_FAULTS]:
            writer.write(_encode(fault) + b"\n")
    return writer.account()


def _refuse(
    context: RunContext, code: str, message: str, checker: Checker | None = None, file: OutputFile | None = None
) -> None:
    refusal = Refusal(context.writer, context.now(), code, message, faults_file=file)
    if checker is not None:
        lines = None if checker.gave_up else checker.lines
        estimate = None if checker.gave_up else checker.estimate()
        refusal = replace(
            refusal, lines=lines, faults=len(checker.faults), findings=findings_of(checker.faults), estimate=estimate
        )
    context.ledger.write(refusal)


def _reason_not_to_read(run: Run, dialect: Dialect) -> tuple[str, str] | None:
    """Return the code and message of a refusal that does not depend on the drop's content."""
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
            f"the drop has {run.drop.bytes:,} bytes; the stack's MaxBytesPerDrop is {limit:,}: "
            f"split it, with split -C {limit} --additional-suffix=.jsonl, say"
        )
    return None


def _claim_content(context: RunContext, checksum: str) -> str | None:
    """Claim the drop's content for this run; return the run that has it already, if any.

    Editing an object's metadata in the console uploads the same content again.
    """
    drop = context.run.drop
    return context.claims.claim_content(drop.content(checksum), drop.again)
