"""Paying once. The provider's API knows no idempotency key, so the ledger must.

Each paid call is announced by an intent that says until when the call can last. An answer that proves that nothing was
created lets the next attempt follow; an answer that proves nothing, or none, lets nobody pay again before `looking`
has found the batch, or has found after `settle_seconds` that there is none.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import CAUSE_TEXTS, Cause, RefusalKind
from conveyor.ledger.batch_facts import Attempt, AttemptFailed, AttemptRefused, AttemptUnknown, Duplicate, Submitted
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState, RunState
from conveyor.provider.protocol import NOT_CALLED, Created, CredentialsUnusable, NewBatch, NotRun, Refused, Unknown
from conveyor.s3.read_errors import DropUnreadable
from conveyor.submit.queue import admit
from conveyor.validation.request_body import Envelope
from conveyor.wording.text import counted
from conveyor.wording.trouble import of_status

SPARE = timedelta(seconds=60)
"""Time to write down the answer after the last moment of a paid call."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 60, 1800
"""Seconds between attempts that a busy provider refuses: each sends the whole body again."""
MOST_ATTEMPTS = 10
"""Attempts at one batch that came to nothing, before a person is asked; "later" does not count."""
_TAKEN = 200
"""Type of a refusal of the api's own: the call was not made, since the provider had said when to come back."""
_NOT_LET_IN = (401, 403)
_CODES: dict[RefusalKind | int, str] = {
    401: "key-refused",
    RefusalKind.STOP: "provider-stopped",
    RefusalKind.DEFECT: "provider-refused",
    RefusalKind.RESEND: "provider-refused",
}


def submit_next(context: RunContext, run_state: RunState) -> bool:
    """Make at most one paid call: for the first batch that may be sent, if there is time and room for it.

    Returns whether it was made. A batch whose last attempt is unsettled does not hold up the others.
    """
    sent = max((number for number, batch_state in run_state.batches.items() if batch_state.submitted), default=None)
    if sent is not None:  # its writer may have been broken off before the claim
        context.claims.claim_own_batch(
            context.ledger.read(Submitted, sent, run_state.batches[sent].generation).id, sent
        )
    if run_state.refused or context.retry_after.is_active:
        return False
    for batch in context.ledger.plan().batches:
        batch_state = run_state.batches.get(batch.number, BatchState())
        if batch_state.submitted or batch_state.unsettled_attempt:
            continue
        refused = last_refusal(batch.number, batch_state, context.ledger)
        is_due = refused is None or refused.retry_at <= context.now()
        if _conclude(context, batch, batch_state) or not is_due or not _has_time(context) or not _has_key(context):
            return False
        return (
            admit(context, batch.requests, run_state)
            and _is_readable(context, batch)
            and _pay(context, batch, batch_state)
        )
    return False


def _has_time(context: RunContext) -> bool:
    return context.invocation.left >= timedelta(seconds=context.run.settings.post_seconds) + SPARE


def _has_key(context: RunContext) -> bool:
    """Read the credentials anew, and refuse the run where there are none that could serve."""
    try:
        context.api.renew()
    except CredentialsUnusable as error:
        context.ledger.write(Refusal(context.writer, context.now(), "key-unusable", str(error)))
        return False
    return True


def _is_readable(context: RunContext, batch: Batch) -> bool:
    """Refuse the run where the drop cannot be read any more: each attempt would fail, and nobody would know why."""
    try:
        context.bucket.touch(context.source_of(batch), batch.first_byte)
    except DropUnreadable as error:
        context.ledger.write(Refusal(context.writer, context.now(), error.code, str(error)))
        return False
    return True


def last_refusal(batch: int, batch_state: BatchState, ledger: Ledger) -> AttemptRefused | None:
    """Return why the provider did not take, or not run, the last attempt; before its `retry_at` there is no other."""
    if batch_state.attempts in batch_state.failed:
        return ledger.read(AttemptFailed, batch, batch_state.attempts)
    return (
        ledger.read(AttemptRefused, batch, batch_state.attempts)
        if batch_state.attempts in batch_state.refused
        else None
    )


def _conclude(context: RunContext, batch: Batch, batch_state: BatchState) -> bool:
    """Refuse the run if no further attempt at a batch can help; tell whether it is refused."""
    last, words = batch_state.attempts, None
    if last in batch_state.refused:
        refused = context.ledger.read(AttemptRefused, batch.number, last)
        before = (
            context.ledger.read(AttemptRefused, batch.number, last - 1).kind
            if last - 1 in batch_state.refused
            else None
        )
        if refused.kind is RefusalKind.LATER or (
            refused.kind is RefusalKind.RESEND and before is not RefusalKind.RESEND
        ):
            return False
        code, message = _reason(context, batch, refused)
        words = refused.message
    elif len(batch_state.absent) >= MOST_ATTEMPTS:
        code, message = "unsent", f"{MOST_ATTEMPTS} attempts to send a batch came to nothing: none of them is listed"
    else:
        return False
    context.ledger.write(Refusal(context.writer, context.now(), code, message, words))
    return True


def _reason(context: RunContext, batch: Batch, refused: AttemptRefused) -> tuple[str, str]:
    """Return the code of a refusal that ends the run, and what a message says of it."""
    told = told_of(refused.status, refused.type)
    cause = refused.cause
    if cause is Cause.BETA and context.run.settings.betas:
        return cause.value, f"{told}: {CAUSE_TEXTS[cause]}: {_betas_of(context, refused)}"
    if context.run.settings.auth == "aws" and refused.status in _NOT_LET_IN:
        return "role-refused", told
    if cause is None or cause is Cause.BETA:
        return _CODES.get(refused.status) or _CODES[refused.kind], told
    words, named = CAUSE_TEXTS[cause], f"HTTP {refused.status} {refused.type}" if refused.status else refused.type
    if cause is Cause.SIZE:
        size = f"{counted(batch.requests, 'request')}, {counted(batch.body_bytes, 'byte')}"
        words = f"{words} than batch {batch.number} has, {size}"
    return cause.value, f"{words} ({named})"


def _betas_of(context: RunContext, refused: AttemptRefused) -> str:
    """Name the betas that the provider names, or else all that were sent, and where they were set."""
    sent = context.run.settings.betas.split(",")
    blamed = [name for name in sent if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", refused.message)]
    where = "drop's metadata betas" if "betas" in context.run.drop.metadata else "stack's parameter Betas"
    return f"{', '.join(blamed or sent)} (set by the {where})"


def told_of(status: int, kind: str) -> str:
    """Say what the provider answered, without its own words: they may quote a prompt, and this goes into messages."""
    if status == _TAKEN:
        return f"the provider took the batch, and then ran nothing of it: {kind}"
    if kind == NOT_CALLED:
        return "the provider asked not to be called for some time"
    return of_status(status, kind) if status else "no connection to the provider could be made"


def _pay(context: RunContext, batch: Batch, batch_state: BatchState) -> bool:
    """Make the paid call of a batch, unless another has the right to it; tell whether it was made."""
    number = batch_state.attempts + 1
    writer = context.writer
    intent = Attempt(writer, context.now(), context.invocation.not_after, batch.requests)
    if context.ledger.write(intent, batch.number, number).writer != writer:
        return False
    if not _is_still_due(context, batch.number, number):
        return False
    if not context.claims.claim_attempt(batch.number, number, writer):
        return False  # the ledger was lost and begun anew: looking finds what the earlier attempt created
    _call(context, batch, number, batch_state)
    return True


def _call(context: RunContext, batch: Batch, number: int, batch_state: BatchState) -> None:
    """Make the paid call, and write down what its answer proves."""
    writer = context.writer
    settings = context.run.settings
    envelope = Envelope(context.api.dialect.form, context.run.run, settings.default_max_tokens)
    body = partial(_body, context, batch, envelope)
    new_batch = NewBatch(context.origin(batch), batch.requests, batch.body_bytes, body)
    try:
        answer = context.api.create(new_batch, settings.post_seconds)
    except DropUnreadable as error:  # while it was read to be sent: what the provider made of the beginning is unknown
        answer = Unknown(f"{error.code} while the batch was sent")
    match answer:
        case Created(batch_id, created_at, expires_at):
            submitted = Submitted(writer, context.now(), batch_id, created_at, expires_at)
            if context.ledger.write(submitted, batch.number, batch_state.generation).id == batch_id:
                context.claims.claim_own_batch(batch_id, batch.number)
            else:  # another was adopted meanwhile; this one is surely ours too
                context.ledger.write(Duplicate(writer, context.now()), batch.number, batch_id)
                context.api.cancel(batch_id)
        case Refused() as refused:
            context.ledger.write(_refused_attempt(AttemptRefused, context, refused, number), batch.number, number)
            _conclude(context, batch, replace(batch_state, attempts=number, refused=batch_state.refused | {number}))
        case Unknown(reason):
            context.ledger.write(AttemptUnknown(writer, context.now(), reason), batch.number, number)


def _body(context: RunContext, batch: Batch, envelope: Envelope) -> Iterator[bytes]:
    return envelope.body(batch, context.blocks(batch))


def fail_attempt(context: RunContext, batch: int, batch_state: BatchState, not_run: NotRun) -> AttemptFailed:
    """Write down that the provider ran nothing of the last attempt for want of room; the next waits ever longer."""
    refused = Refused(RefusalKind.LATER, _TAKEN, not_run.error.type, not_run.error.message, None)
    failed = _refused_attempt(AttemptFailed, context, refused, batch_state.generation)
    return context.ledger.write(failed, batch, batch_state.attempts)


def _is_still_due(context: RunContext, batch: int, number: int) -> bool:
    """Tell, once the intent is written, whether nobody stopped the run or adopted a batch at the same moment.

    Whoever stops sees the intent, or we see the stop.
    """
    run_state = context.ledger.run_state()
    if run_state.refused:
        stopped = Refused(RefusalKind.STOP, 0, "stopped", "the run was stopped before the call was made", None)
        context.ledger.write(_refused_attempt(AttemptRefused, context, stopped, number), batch, number)
    return not run_state.refused and not run_state.batches[batch].submitted


def _refused_attempt[F: AttemptRefused](kind: type[F], context: RunContext, refused: Refused, number: int) -> F:
    later = refused.kind is RefusalKind.LATER
    wait = timedelta(seconds=_pause(refused.retry_after, number) if later else 0)
    batch_state = (refused.kind, refused.status, refused.type, refused.message)
    retry_at = context.now() + wait
    if later and context.retry_after.until:  # which another answer may have asked for
        retry_at = max(retry_at, context.retry_after.until)
    return kind(context.writer, context.now(), *batch_state, retry_at, refused.cause)


def _pause(said: int | None, number: int) -> int:
    """Return the seconds until attempt `number` is followed by another: as the provider said, but ever longer."""
    own = min(_SHORTEST_PAUSE << (number - 1), _LONGEST_PAUSE)
    if said is None:
        return own
    return said if number == 1 else max(said, own)
