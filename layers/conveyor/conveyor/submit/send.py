"""The paid call, made once. The provider's API has no idempotency key, so the ledger takes its place.

Before each paid call an intent is written, which says by when the call has ended. If the response proves that nothing
was created, another attempt may follow. If it proves nothing, or is lost, nobody pays again until `poll` has found the
batch, or has found none within `settle_seconds` (`poll/recover.py`).
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan
from conveyor.domain.refusal import AT_GATE, RefusalKind
from conveyor.domain.schedule import BatchName
from conveyor.gates.gate import open_gate
from conveyor.ledger.batch_facts import CLAIMED, Attempt, AttemptRefused, AttemptUnknown, Duplicate, Submitted
from conveyor.ledger.run_facts import Refusal
from conveyor.ledger.state import BatchState, RunState
from conveyor.provider.protocol import Created, CredentialsUnusable, NewBatch, Refused, Unknown
from conveyor.s3.read_errors import DropUnreadable
from conveyor.spend.reserve import DayBudget, NoCeiling, open_day
from conveyor.submit.plan_rounds import plan_due_rounds
from conveyor.submit.queue import admit_or_wait
from conveyor.submit.retries import (
    ROUND_CLAIMED,
    RunRefusal,
    decide_run_refusal,
    last_refusal,
    refusal_of,
    refused_attempt,
)
from conveyor.validation.batch_body import Envelope

SPARE = timedelta(seconds=60)
"""Time to write the response after the last moment of a paid call."""


def submit_next(context: RunContext, run_state: RunState, plan: Plan | None = None) -> bool:
    """Make at most one paid call: for the first batch that may be sent, if there is time and room for it.

    Returns whether it was made. A batch whose last attempt is unsettled does not hold up the others. `plan`: if this
    invocation has it already.
    """
    for leg in run_state.legs:
        _claim_last_batch(context.of_leg(leg), run_state.of_leg(leg))
    if run_state.refused or context.retry_after.is_active:
        return False
    if plan_due_rounds(context, run_state):
        run_state, plan = context.run_state(), None
    plan = plan or context.ledger.plan(run_state)
    for leg, batch in _next_batches(plan, run_state):
        gate = open_gate(context, run_state, plan, leg, batch)
        if gate is not None:
            return _send_if_due(context.of_leg(leg), run_state.of_leg(leg), plan, batch, gate)
    return False


def _claim_last_batch(context: RunContext, run_state: RunState) -> None:
    """Claim the batch that was sent last: the function that sent it may have ended before the claim."""
    sent = [number for number, batch_state in run_state.batches.items() if batch_state.submitted]
    if sent:
        number = max(sent)
        submitted = context.ledger.read(Submitted, number, run_state.batch(number).generation)
        context.claims.claim_own_batch(submitted.id, number)


def _next_batches(plan: Plan, run_state: RunState) -> Iterator[tuple[str, Batch]]:
    """Yield the first batch of each leg that is not sent, and of which no attempt is unsettled, with its leg."""
    for leg in plan.legs:
        of_leg = run_state.of_leg(leg)
        states = ((batch, of_leg.batch(batch.number)) for batch in plan.of_leg(leg).batches if batch.requests)
        batch = next((batch for batch, state in states if not (state.submitted or state.unsettled_attempt)), None)
        if batch is not None:
            yield leg, batch


def _send_if_due(context: RunContext, run_state: RunState, plan: Plan, batch: Batch, gate: int) -> bool:
    """Send a batch unless it is too early; refuse the run if no attempt can help. Returns whether the call was made."""
    batch_state, last = run_state.batch(batch.number), None
    if batch_state.attempts:
        last = last_refusal(batch.number, batch_state, context.ledger)
        previous = refusal_of(batch_state.attempts - 1, batch.number, batch_state, context.ledger)
        if refusal := decide_run_refusal(context.run, batch, batch_state, last, previous):
            _refuse_run(context, refusal)
            return False
    if (last and last.retry_at > context.now()) or not _has_time(context):
        return False
    if refusal := _unusable_credentials(context):
        _refuse_run(context, refusal)
        return False
    day = open_day(context, run_state, plan, batch)  # before the queue: what waits for money takes no turn there
    if day is None or not _announced(context, run_state, batch, gate, day):
        return False
    context.invocation.observed.batch = BatchName(context.leg, batch.number).to_event()
    _pay(context, batch, batch_state, last)
    return True


def _announced(context: RunContext, run_state: RunState, batch: Batch, gate: int, day: DayBudget | NoCeiling) -> bool:
    """Announce a paid call if queue, drop and the day's ceiling allow it; return whether it may be made."""
    if not admit_or_wait(context, batch.requests, run_state):
        return False
    if refusal := _unreadable_drop(context, batch):
        _refuse_run(context, refusal)
        return False
    number = run_state.batch(batch.number).attempts + 1
    if not day.reserve(number) or not _has_time(context):  # others may have taken the room, or many came at once
        return False
    return _announce(context, batch, number, gate, day)


def _refuse_run(context: RunContext, refusal: RunRefusal) -> None:
    code, message, words_key = refusal
    context.ledger.write(Refusal(context.writer, context.now(), code, message, words_key=words_key))


def _has_time(context: RunContext) -> bool:
    return context.invocation.left >= timedelta(seconds=context.run.settings.post_seconds) + SPARE


def _unusable_credentials(context: RunContext) -> RunRefusal | None:
    """Read the credentials again; return what is wrong with them, if anything is."""
    try:
        context.api.renew()
    except CredentialsUnusable as error:
        return RunRefusal("key-unusable", str(error))
    return None


def _unreadable_drop(context: RunContext, batch: Batch) -> RunRefusal | None:
    """Read one byte of a batch; return why the drop is unreadable, if it is: then every attempt would fail."""
    try:
        context.bucket.touch(context.source_of(batch), batch.first_byte)
    except DropUnreadable as error:
        return RunRefusal(error.code, str(error))
    return None


def _announce(context: RunContext, batch: Batch, number: int, gate: int, day: DayBudget | NoCeiling) -> bool:
    """Write the intent of a paid call and claim it; return whether this invocation may make the call.

    The ledger is listed after the intent is written: a stop or a pause at the same time either sees the intent or is
    seen here. `gate`: the gate that was open before. `day`: in which money was reserved, and the call must begin.
    """
    writer, now = context.writer, context.now()
    intent = Attempt(writer, now, context.invocation.not_after, batch.requests)
    if not day.covers(now) or context.ledger.write(intent, batch.number, number).writer != writer:
        return False
    run_state = context.ledger.run_state()
    if run_state.refused:
        stopped = Refused(RefusalKind.STOP, 0, "stopped", "the run was stopped before the call was made", None)
        context.ledger.write(refused_attempt(AttemptRefused, context, stopped, number), batch.number, number)
        return False
    if run_state.gate != gate:  # closed, or already approved for another amount: the next look asks again
        held = Refused(RefusalKind.LATER, 0, AT_GATE, "a gate was closed before the call was made", 0)
        context.ledger.write(refused_attempt(AttemptRefused, context, held, number), batch.number, number)
        return False
    if run_state.batch(batch.number).submitted:  # a batch of an earlier attempt was adopted meanwhile
        return False
    if context.claims.claim_attempt(batch.number, number, writer):
        return True
    # The claim is another's if the ledger was deleted, and the run began again: poll finds what that attempt created.
    if keys.round_number(context.leg):
        _end_before_round(context, batch, number)
    return False


def _end_before_round(context: RunContext, batch: Batch, number: int) -> None:
    """End a run whose round was sent before its ledger was lost: nobody knows which lines it had then.

    They may have been others, so that its results must not be read as those of this round, nor is it paid again.
    """
    said = f"{BatchName(context.leg, batch.number)} was sent before the ledger of this run was lost"
    claimed = Refused(RefusalKind.STOP, 0, CLAIMED, said, None)
    context.ledger.write(refused_attempt(AttemptRefused, context, claimed, number), batch.number, number)
    _refuse_run(context, RunRefusal(ROUND_CLAIMED, f"{said}: its requests are not sent again"))


def _pay(context: RunContext, batch: Batch, batch_state: BatchState, previous: AttemptRefused | None) -> None:
    """Make the paid call, and write what its response proves. `previous`: why the attempt before was refused."""
    number, writer, settings = batch_state.attempts + 1, context.writer, context.run.settings
    envelope = Envelope(context.api.dialect.form, context.leg_id, settings.default_max_tokens)
    body = partial(_body, context, batch, envelope)
    new_batch = NewBatch(context.origin(batch), batch.requests, batch.body_bytes, body)
    try:
        response = context.api.create(new_batch, settings.post_seconds)
    except DropUnreadable as error:  # the body was cut: what the provider made of its beginning is unknown
        response = Unknown(f"{error.code} while the batch was sent")
    match response:
        case Created(batch_id, created_at, expires_at):
            submitted = Submitted(writer, context.now(), batch_id, created_at, expires_at)
            if context.ledger.write(submitted, batch.number, batch_state.generation).id == batch_id:
                context.claims.claim_own_batch(batch_id, batch.number)
            else:  # another batch was adopted meanwhile; this one has the same requests
                context.ledger.write(Duplicate(writer, context.now()), batch.number, batch_id)
                context.api.cancel(batch_id)
        case Refused() as refused:
            last = _write_refused(context, batch, refused, number)
            if refusal := decide_run_refusal(context.run, batch, batch_state, last, previous):
                _refuse_run(context, refusal)
        case Unknown(reason):
            context.ledger.write(AttemptUnknown(writer, context.now(), reason), batch.number, number)


def _write_refused(context: RunContext, batch: Batch, refused: Refused, number: int) -> AttemptRefused:
    """Write that an attempt was refused. The provider's words, which a receipt may need, are written apart from that.

    The fact is written first: without it the attempt would count as one whose response was lost.
    """
    fact = refused_attempt(AttemptRefused, context, refused, number)
    if refused.kind is RefusalKind.LATER:
        return context.ledger.write(fact, batch.number, number)
    words_key = keys.refusal_words(context.content_prefix, batch.number, number)
    written = context.ledger.write(replace(fact, words_key=words_key), batch.number, number)
    context.bucket.put(words_key, refused.message.encode())
    return written


def _body(context: RunContext, batch: Batch, envelope: Envelope) -> Iterator[bytes]:
    return envelope.body(batch, context.blocks(batch))
