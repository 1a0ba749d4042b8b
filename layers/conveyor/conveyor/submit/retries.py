"""What follows from an attempt that the provider refused: another attempt later, or the end of the run."""

import re
from datetime import timedelta
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain.plan import Batch
from conveyor.domain.refusal import CAUSE_TEXTS, CREATED, Cause, RefusalKind
from conveyor.ledger.batch_facts import AttemptFailed, AttemptRefused
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.ledger.state import BatchState
from conveyor.provider.protocol import NotRun, Refused
from conveyor.wording.text import counted
from conveyor.wording.trouble import describe_refusal

MOST_ATTEMPTS = 10
"""Attempts at one batch that created none, before the run is refused. A refusal with `LATER` does not count."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 60, 1800
"""Seconds between attempts that a busy provider refuses: each attempt sends the whole body again."""
_ACCESS_DENIED = (401, 403)
_CODES: dict[RefusalKind | int, str] = {
    401: "key-refused",
    RefusalKind.STOP: "provider-stopped",
    RefusalKind.DEFECT: "provider-refused",
    RefusalKind.RESEND: "provider-refused",
}


ROUND_CLAIMED = "round-sent-before"
"""Code of the end of a run whose round was sent by a run with the same id, whose ledger was lost."""


class RunRefusal(NamedTuple):
    """Why a run is refused: no further attempt at one of its batches can help."""

    code: str
    message: str
    words_key: str | None = None
    """Where the provider's error text is."""


def last_refusal(batch: int, batch_state: BatchState, ledger: Ledger) -> AttemptRefused | None:
    """Read why the latest attempt created no batch, or why its batch was not run; None if neither is so.

    There is no other attempt before its `retry_at`.
    """
    return refusal_of(batch_state.attempts, batch, batch_state, ledger)


def refusal_of(attempt: int, batch: int, batch_state: BatchState, ledger: Ledger) -> AttemptRefused | None:
    """Read why an attempt created no batch, or why its batch was not run; None if neither is so."""
    if attempt in batch_state.failed:
        return ledger.read(AttemptFailed, batch, attempt)
    return ledger.read(AttemptRefused, batch, attempt) if attempt in batch_state.refused else None


def decide_run_refusal(
    run: Run, batch: Batch, batch_state: BatchState, last: AttemptRefused | None, previous: AttemptRefused | None
) -> RunRefusal | None:
    """Return why no further attempt at a batch can help; None if one may. `previous`: the refusal before the last one.

    A cut body is sent once more, and no more often.
    """
    if len(batch_state.absent) >= MOST_ATTEMPTS:
        return RunRefusal("unsent", f"{MOST_ATTEMPTS} attempts created no batch: the provider lists none of them")
    if last is None or last.kind is RefusalKind.LATER:
        return None
    is_repeated = previous is not None and previous.kind is RefusalKind.RESEND
    if last.kind is RefusalKind.RESEND and not is_repeated:
        return None
    return RunRefusal(*_code_and_message(run, batch, last), last.words_key)


def _code_and_message(run: Run, batch: Batch, refused: AttemptRefused) -> tuple[str, str]:
    answer, cause = describe_refusal(refused.status, refused.type), refused.cause
    if cause is Cause.BETA and run.settings.betas:
        return cause.value, f"{answer}: {CAUSE_TEXTS[cause]}: {_describe_betas(run, refused.betas)}"
    if run.settings.auth == "aws" and refused.status in _ACCESS_DENIED:
        return "role-refused", answer
    if cause is None or cause is Cause.BETA:
        return _CODES.get(refused.status) or _CODES[refused.kind], answer
    words, error = CAUSE_TEXTS[cause], f"HTTP {refused.status} {refused.type}" if refused.status else refused.type
    if cause is Cause.SIZE:
        size = f"{counted(batch.requests, 'request')}, {counted(batch.body_bytes, 'byte')}"
        words = f"{words} than batch {batch.number} has, {size}"
    return cause.value, f"{words} ({error})"


def _describe_betas(run: Run, named: tuple[str, ...]) -> str:
    """List the betas that the provider names, or all that were sent if it names none, and where they were set."""
    where = "drop's metadata betas" if "betas" in run.drop.metadata else "stack's parameter Betas"
    return f"{', '.join(named or run.settings.betas.split(','))} (set by the {where})"


def _betas_in(error_text: str, run: Run) -> tuple[str, ...]:
    sent = filter(None, run.settings.betas.split(","))
    return tuple(beta for beta in sent if re.search(rf"(?<![\w.-]){re.escape(beta)}(?![\w.-])", error_text))


def fail_attempt(context: RunContext, batch: int, batch_state: BatchState, not_run: NotRun) -> AttemptFailed:
    """Write that the provider did not run the batch of the latest attempt; another attempt follows after a pause.

    The pause grows with each batch that was not run.
    """
    refused = Refused(RefusalKind.LATER, CREATED, not_run.error.type, not_run.error.message, None)
    failed = refused_attempt(AttemptFailed, context, refused, batch_state.generation)
    return context.ledger.write(failed, batch, batch_state.attempts)


def refused_attempt[F: AttemptRefused](kind: type[F], context: RunContext, refused: Refused, number: int) -> F:
    """Return the fact that an attempt was refused, without the provider's words; writes nothing.

    `number`: of attempts so far, for the pause.
    """
    is_later = refused.kind is RefusalKind.LATER
    retry_at = context.now() + timedelta(seconds=_pause(refused.retry_after, number) if is_later else 0)
    if is_later and context.retry_after.until:  # another response may have asked for a longer pause
        retry_at = max(retry_at, context.retry_after.until)
    betas = _betas_in(refused.message, context.run) if refused.cause is Cause.BETA else ()
    answer = (refused.kind, refused.status, refused.type, retry_at, refused.cause, betas)
    return kind(context.writer, context.now(), *answer)


def _pause(retry_after: int | None, number: int) -> int:
    """Return the seconds between attempt `number` and the next: as the provider asks, or longer after the first one."""
    usual = min(_SHORTEST_PAUSE << (number - 1), _LONGEST_PAUSE)
    if retry_after is None:
        return usual
    return retry_after if number == 1 else max(retry_after, usual)
