"""The whole drop is checked before anything of it is sent."""

import msgspec
from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.dialect import Dialect
from conveyor.domain.drop import PACKED, SUFFIXES, is_taken
from conveyor.domain.findings import findings_of
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.file_types.conversion import conversion_of
from conveyor.file_types.detect import WrongFileType
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.settings.betas import BETAS_NOT_TAKEN
from conveyor.submit.drop_reader import Reading
from conveyor.validation.checker import MOST_FAULTS, Check, check_drop
from conveyor.validation.refusal_reasons import reason_of

_encode = msgspec.json.Encoder().encode


def validate(context: RunContext) -> None:
    """Read the whole drop and write down either its plan or its refusal."""
    if reason := _unread(context.run, context.api.dialect):
        _refuse(context, *reason)
        return
    if not is_taken(context.run.drop.key):
        _refuse_name(context)
        return
    reading = Reading(context)
    try:
        check = check_drop(context.run.run, context.run.settings, context.api.dialect, reading.chunks)
    except WrongFileType as error:
        _refuse_file_type(context, error, reading.layers)
        return
    except Unreadable as error:
        _refuse(context, error.code, str(error))
        return
    reason = reason_of(check, context.run.settings)
    if reason is None and (other := _seen_before(context, reading.sha256)):
        _refuse(context, "seen-before", f"the same bytes under this key are run {other} already")
        return
    file = _write_faults(context, check) if check.faults else None
    if reason:
        _refuse(context, *reason, check, file)
    else:
        for batch in check.batches:
            batch.unpacked = reading.is_packed
        drop = ValidatedDrop(check.lines, reading.sha256, len(check.faults), file, findings_of(check.faults))
        context.ledger.write_plan(Plan(drop, check.batches))


def _refuse_file_type(context: RunContext, wrong: WrongFileType, layers: int) -> None:
    """Refuse a file that is known to be something else."""
    conversion = conversion_of(wrong.file_type, context.run.drop.key, layers)
    context.ledger.write(Refusal(context.writer, context.now(), wrong.code, str(wrong), conversion=conversion))


def _refuse_name(context: RunContext) -> None:
    """Refuse a file by its name, or rather for what it is: to be renamed is no help to a table."""
    reading = Reading(context)
    try:
        for _ in reading.chunks():
            break
    except WrongFileType as error:
        _refuse_file_type(context, error, reading.layers)
    except Unreadable as error:
        _refuse(context, error.code, str(error))
    else:
        taken = f"{', '.join(SUFFIXES)}, with or without {PACKED}"
        _refuse(context, "wrong-name", f"the file's name does not end in one of {taken}: rename it")


def _write_faults(context: RunContext, check: Check) -> OutputFile:
    with context.bucket.writer(keys.invalid(context.run.name, context.run.run)) as writer:
        for fault in check.faults[:MOST_FAULTS]:
            writer.write(_encode(fault) + b"\n")
    return writer.account()


def _refuse(
    context: RunContext, code: str, message: str, check: Check | None = None, file: OutputFile | None = None
) -> None:
    refusal = Refusal(context.writer, context.now(), code, message, faults_file=file)
    if check is not None:
        lines = None if check.gave_up else check.lines
        refusal = replace(refusal, lines=lines, faults=len(check.faults), findings=findings_of(check.faults))
    context.ledger.write(refusal)


def _unread(run: Run, dialect: Dialect) -> tuple[str, str] | None:
    """Return why a drop is refused without being read."""
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


def _seen_before(context: RunContext, checksum: str) -> str | None:
    """Return the run that has the same bytes already: an edit of an object's metadata in the console drops them, too.

    Claims them for this run where there is none. Only a drop that can be sent claims its bytes.
    """
    drop = context.run.drop
    return context.claims.claim_content(drop.content(checksum), drop.again)
