"""The whole drop is validated before any of it is sent."""

import msgspec
from msgspec.structs import replace

from conveyor.config import Config
from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import DRY_RUN
from conveyor.domain.findings import findings_of
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.file_types.conversion import conversion_of
from conveyor.gates.approval import words_that_open
from conveyor.gates.gate import stands_at_gate
from conveyor.gates.reasons import reasons_of
from conveyor.intake.check import Checked, check_file, plan_file
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal, Run, WaitingRun
from conveyor.submit.drop_reader import DropReader
from conveyor.validation.checker import MOST_FAULTS, Checker
from conveyor.wording.text import counted

_encode = msgspec.json.Encoder().encode


def validate(context: RunContext, config: Config) -> Plan | None:
    """Read the whole drop, and write its plan or its refusal. Returns the plan that stands; None after a refusal.

    Prices and limits in force now are copied into the plan: they hold for the run, whatever is changed later.
    """
    reader = DropReader(context)
    checked = check_file(context.run, context.api.dialect, reader, config.prices)
    if checked.checker:
        try:
            return _conclude(context, reader, checked, checked.checker, config)
        except Unreadable as error:
            _refuse(context, error.code, str(error))
            return None
    if checked.reason:
        code, message = checked.reason
        of = checked.file_type
        conversion = conversion_of(of, context.run.drop.key, reader.layers) if of else None
        context.ledger.write(Refusal(context.writer, context.now(), code, message, conversion=conversion))
    return None


def _conclude(
    context: RunContext, reader: DropReader, checked: Checked, checker: Checker, config: Config
) -> Plan | None:
    """Write what follows from a drop that was read whole. Only a drop that can be sent claims its content.

    Raises Unreadable if lines for the probe cannot be read again.
    """
    reason, is_dry = checked.reason, DRY_RUN in context.run.drop.metadata
    if reason is None and not is_dry and (other := _claim_content(context, reader.sha256)):
        _refuse_seen(context, other)
        return None
    file = _write_faults(context, checker) if checker.faults else None
    if reason:
        _refuse(context, *reason, checker, file)
        return None
    drop, planned = plan_file(context.run, context.api.dialect, reader, checker, config, file)
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


def _claim_content(context: RunContext, checksum: str) -> str | None:
    """Claim the drop's content for this run; return the run that has it already, if any.

    Editing an object's metadata in the console uploads the same content again.
    """
    drop = context.run.drop
    return context.claims.claim_content(drop.content(checksum), drop.again)
