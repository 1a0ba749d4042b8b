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

from conveyor.context import Turn
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import WORDS, Cause, RefusalKind
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import Attempt, AttemptRefused, AttemptUnknown, Duplicate, Refusal, Submitted
from conveyor.ledger.state import BatchFacts, Facts
from conveyor.provider.protocol import RESTING, Created, CredentialsUnusable, Outgoing, Refused, Unknown, Unrun
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


def submit_next(turn: Turn, facts: Facts) -> bool:
    """Make at most one paid call: for the first batch that may be sent, if there is time and room for it.

    Returns whether it was made. A batch whose last attempt is unsettled does not hold up the others.
    """
    sent = max((number for number, about in facts.batches.items() if about.submitted), default=None)
    if sent is not None:  # its writer may have been broken off before the claim
        turn.ledger.write_claim(turn.ledger.submitted(sent, facts.batches[sent].take).id, sent)
    if facts.refused or turn.rest.is_on:
        return False
    for batch in turn.ledger.plan().batches:
        about = facts.batches.get(batch.number, BatchFacts())
        if about.submitted or about.unsettled_attempt:
            continue
        refused = last_refusal(batch.number, about, turn.ledger)
        is_due = refused is None or refused.retry_at <= turn.now()
        if _conclude(turn, batch, about) or not is_due or not _has_time(turn) or not _has_key(turn):
            return False
        return admit(turn, batch.requests, facts) and _is_readable(turn, batch) and _pay(turn, batch, about)
    return False


def _has_time(turn: Turn) -> bool:
    return turn.invocation.left >= timedelta(seconds=turn.run.settings.post_seconds) + SPARE


def _has_key(turn: Turn) -> bool:
    """Read the credentials anew, and refuse the run where there are none that could serve."""
    try:
        turn.api.renew()
    except CredentialsUnusable as error:
        turn.ledger.write_refusal(Refusal(turn.invocation.writer, turn.now(), "key-unusable", str(error)))
        return False
    return True


def _is_readable(turn: Turn, batch: Batch) -> bool:
    """Refuse the run where the drop cannot be read any more: each attempt would fail, and nobody would know why."""
    try:
        turn.storage.touch(turn.source_of(batch), batch.first_byte)
    except DropUnreadable as error:
        turn.ledger.write_refusal(Refusal(turn.invocation.writer, turn.now(), error.code, str(error)))
        return False
    return True


def last_refusal(batch: int, about: BatchFacts, ledger: Ledger) -> AttemptRefused | None:
    """Return why the provider did not take, or not run, the last attempt; before its `retry_at` there is no other."""
    if about.attempts in about.failed:
        return ledger.attempt_failed(batch, about.attempts)
    return ledger.attempt_refused(batch, about.attempts) if about.attempts in about.refused else None


def _conclude(turn: Turn, batch: Batch, about: BatchFacts) -> bool:
    """Refuse the run if no further attempt at a batch can help; tell whether it is refused."""
    last, words = about.attempts, None
    if last in about.refused:
        refused = turn.ledger.attempt_refused(batch.number, last)
        before = turn.ledger.attempt_refused(batch.number, last - 1).kind if last - 1 in about.refused else None
        if refused.kind is RefusalKind.LATER or (
            refused.kind is RefusalKind.RESEND and before is not RefusalKind.RESEND
        ):
            return False
        code, message = _reason(turn, batch, refused)
        words = refused.message
    elif len(about.absent) >= MOST_ATTEMPTS:
        code, message = "unsent", f"{MOST_ATTEMPTS} attempts to send a batch came to nothing: none of them is listed"
    else:
        return False
    turn.ledger.write_refusal(Refusal(turn.invocation.writer, turn.now(), code, message, words))
    return True


def _reason(turn: Turn, batch: Batch, refused: AttemptRefused) -> tuple[str, str]:
    """Return the code of a refusal that ends the run, and what a message says of it."""
    told = told_of(refused.status, refused.type)
    cause = refused.cause
    if cause is Cause.BETA and turn.run.settings.betas:
        return cause.value, f"{told}: {WORDS[cause]}: {_betas_of(turn, refused)}"
    if turn.run.settings.auth == "aws" and refused.status in _NOT_LET_IN:
        return "role-refused", told
    if cause is None or cause is Cause.BETA:
        return _CODES.get(refused.status) or _CODES[refused.kind], told
    words, named = WORDS[cause], f"HTTP {refused.status} {refused.type}" if refused.status else refused.type
    if cause is Cause.SIZE:
        size = f"{counted(batch.requests, 'request')}, {counted(batch.body_bytes, 'byte')}"
        words = f"{words} than batch {batch.number} has, {size}"
    return cause.value, f"{words} ({named})"


def _betas_of(turn: Turn, refused: AttemptRefused) -> str:
    """Name the betas that the provider names, or else all that were sent, and where they were set."""
    sent = turn.run.settings.betas.split(",")
    blamed = [name for name in sent if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", refused.message)]
    where = "drop's metadata betas" if "betas" in turn.run.drop.metadata else "stack's parameter Betas"
    return f"{', '.join(blamed or sent)} (set by the {where})"


def told_of(status: int, kind: str) -> str:
    """Say what the provider answered, without its own words: they may quote a prompt, and this goes into messages."""
    if status == _TAKEN:
        return f"the provider took the batch, and then ran nothing of it: {kind}"
    if kind == RESTING:
        return "the provider asked not to be called for some time"
    return of_status(status, kind) if status else "no connection to the provider could be made"


def _pay(turn: Turn, batch: Batch, about: BatchFacts) -> bool:
    """Make the paid call of a batch, unless another has the right to it; tell whether it was made."""
    number = about.attempts + 1
    writer = turn.invocation.writer
    intent = Attempt(writer, turn.now(), turn.invocation.not_after, batch.requests)
    if turn.ledger.write_attempt(batch.number, number, intent).writer != writer:
        return False
    if not _is_still_due(turn, batch.number, number):
        return False
    if not turn.ledger.claim_attempt(batch.number, number, writer):
        return False  # the ledger was lost and begun anew: looking finds what the earlier attempt created
    _call(turn, batch, number, about)
    return True


def _call(turn: Turn, batch: Batch, number: int, about: BatchFacts) -> None:
    """Make the paid call, and write down what its answer proves."""
    writer = turn.invocation.writer
    settings = turn.run.settings
    envelope = Envelope(turn.api.dialect.form, turn.run.run, settings.default_max_tokens)
    body = partial(_body, turn, batch, envelope)
    outgoing = Outgoing(turn.origin(batch), batch.requests, batch.body_bytes, body)
    try:
        answer = turn.api.create(outgoing, settings.post_seconds)
    except DropUnreadable as error:  # while it was read to be sent: what the provider made of the beginning is unknown
        answer = Unknown(f"{error.code} while the batch was sent")
    match answer:
        case Created(batch_id, created_at, expires_at):
            submitted = Submitted(writer, turn.now(), batch_id, created_at, expires_at)
            if turn.ledger.write_submitted(batch.number, about.take, submitted).id == batch_id:
                turn.ledger.write_claim(batch_id, batch.number)
            else:  # another was adopted meanwhile; this one is surely ours too
                turn.ledger.write_duplicate(batch.number, batch_id, Duplicate(writer, turn.now()))
                turn.api.cancel(batch_id)
        case Refused() as refused:
            turn.ledger.write_attempt_refused(batch.number, number, _refused_attempt(turn, refused, number))
            _conclude(turn, batch, replace(about, attempts=number, refused=about.refused | {number}))
        case Unknown(reason):
            turn.ledger.write_attempt_unknown(batch.number, number, AttemptUnknown(writer, turn.now(), reason))


def _body(turn: Turn, batch: Batch, envelope: Envelope) -> Iterator[bytes]:
    return envelope.body(batch, turn.stretches(batch))


def fail_attempt(turn: Turn, batch: int, about: BatchFacts, unrun: Unrun) -> AttemptRefused:
    """Write down that the provider ran nothing of the last attempt for want of room; the next waits ever longer."""
    refused = Refused(RefusalKind.LATER, _TAKEN, unrun.error.type, unrun.error.message, None)
    failed = _refused_attempt(turn, refused, about.take)
    return turn.ledger.write_attempt_failed(batch, about.attempts, failed)


def _is_still_due(turn: Turn, batch: int, number: int) -> bool:
    """Tell, once the intent is written, whether nobody stopped the run or adopted a batch at the same moment.

    Whoever stops sees the intent, or we see the stop.
    """
    facts = turn.ledger.facts()
    if facts.refused:
        stopped = Refused(RefusalKind.STOP, 0, "stopped", "the run was stopped before the call was made", None)
        turn.ledger.write_attempt_refused(batch, number, _refused_attempt(turn, stopped, number))
    return not facts.refused and not facts.batches[batch].submitted


def _refused_attempt(turn: Turn, refused: Refused, number: int) -> AttemptRefused:
    later = refused.kind is RefusalKind.LATER
    wait = timedelta(seconds=_pause(refused.retry_after, number) if later else 0)
    about = (refused.kind, refused.status, refused.type, refused.message)
    retry_at = turn.now() + wait
    if later and turn.rest.until:  # which another answer may have asked for
        retry_at = max(retry_at, turn.rest.until)
    return AttemptRefused(turn.invocation.writer, turn.now(), *about, retry_at, refused.cause)


def _pause(said: int | None, number: int) -> int:
    """Return the seconds until attempt `number` is followed by another: as the provider said, but ever longer."""
    own = min(_SHORTEST_PAUSE << (number - 1), _LONGEST_PAUSE)
    if said is None:
        return own
    return said if number == 1 else max(said, own)
