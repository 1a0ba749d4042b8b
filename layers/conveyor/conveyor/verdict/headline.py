"""The headline of a run that has ended: what happened, and the figures in the subject of its message."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from conveyor.domain.drop import NO_PROJECT, OTHER_FOLDER
from conveyor.domain.outcome import MAY_BE_BILLED, Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.receipt.receipt import Receipt
from conveyor.wording.text import counted, duration, exact_dollars, paid, sentence

_SHORT = {
    "seen-before": "the same content as an earlier drop",
    "no-requests": "the file has no requests",
    NO_PROJECT: "it belongs to no project",
    OTHER_FOLDER: "its project has a folder of its own",
    "file-is-empty": "the file is empty",
    "too-large": "the file is too large",
    "too-many-requests": "too many requests",
    "models-alternate": "the model changes too often",
    "key-unusable": "the stack has no API key",
    "key-refused": "the API key is not accepted",
    "role-refused": "the provider denies the stack access",
    "credit-exhausted": "no credit at the provider",
    "limit-reached": "a limit at the provider is reached",
    "account-disabled": "the account at the provider is disabled",
    "batch-too-large": "the batch is too large for the provider",
    "provider-stopped": "the provider refused access",
    "provider-refused": "the provider refused the batch",
    "unsent": "it could not be sent",
    "drop-gone": "the file was deleted",
}
"""Reasons short enough for a subject, by the code of a refusal."""
CUT_OFF = "max_tokens"
"""The stop reason of an answer that is paid for and not complete."""


class Headline(NamedTuple):
    """What a person reads first."""

    figures: str
    """In brackets after the name: short, because it is never cut."""
    first: str
    """What happened, without its last full stop."""
    rest: tuple[str, ...] = ()
    """Sentences that follow, before the cost."""


def headline_of(receipt: Receipt) -> Headline:
    """Return the headline of a run, by its status."""
    headline = _HEADLINES[receipt.status](receipt)
    cost = _figure(receipt)
    return headline._replace(figures=f"{headline.figures}, {cost}") if cost else headline


def is_unsent(receipt: Receipt) -> bool:
    """Tell whether nothing of a drop was sent."""
    return not receipt.all_batches and not receipt.failures


def is_half_way(receipt: Receipt) -> bool:
    """Tell whether a run ended before all requests were sent, and not because a person stopped it."""
    return receipt.code not in {None, STOPPED, DECLINED} and not is_unsent(receipt)


def seconds_of(receipt: Receipt) -> int | None:
    """Return the seconds from the upload to the last result; None if there was none."""
    ended = max((batch.split_at for batch in receipt.all_batches), default=None)
    return max(int((ended - receipt.received_at).total_seconds()), 0) if ended else None


def time_of(receipt: Receipt) -> str:
    """Return the same in words; empty if there was none."""
    seconds = seconds_of(receipt)
    return "" if seconds is None else duration(timedelta(seconds=seconds))


def cut_off(receipt: Receipt) -> int:
    """Return how many answers were cut off at `max_tokens`."""
    return sum(reasons.get(CUT_OFF, 0) for reasons in receipt.stop_reasons.values())


def _figure(receipt: Receipt) -> str:
    """Return what a run cost, for a subject; empty if nothing was sent, or that is not known."""
    if is_unsent(receipt) or receipt.cost_usd is None or (not receipt.tokens and receipt.results):
        return ""
    if not receipt.tokens and any(receipt.outcomes[outcome] for outcome in MAY_BE_BILLED):
        return ""
    return f"{paid(receipt.cost_usd)}{'+' if receipt.money.unpriced else ''}"


def _half_way(receipt: Receipt) -> str:
    return "refused half-way" if receipt.words is not None else "ended half-way"


def _answered(receipt: Receipt) -> str:
    """Return how many requests were answered, as a sentence without its end."""
    of = counted(receipt.requests, "request")
    return f"{receipt.results:,} of {of} {'was' if receipt.results == 1 else 'were'} answered"


def _others(receipt: Receipt) -> str:
    """Return what became of other requests, and how many answers are not complete, as a sentence; empty if none."""
    left_out, cut = receipt.outcomes[Outcome.INVALID], cut_off(receipt)
    failed, were = receipt.failures - left_out, "was" if left_out == 1 else "were"
    said = [
        (failed, f"{failed:,} failed"),
        (left_out, f"{left_out:,} {were} left out as invalid"),
        (cut, f"{counted(cut, 'answer')} {'was' if cut == 1 else 'were'} cut off"),
    ]
    *first, last = [words for count, words in said if count] or [""]
    return f"{', '.join(first)}, and {last}" if first else last


def _completed(receipt: Receipt) -> Headline:
    name, others = receipt.name, _others(receipt)
    if is_half_way(receipt):
        figures = f"{receipt.results:,} answered, {receipt.failures:,} not, {_half_way(receipt)}"
        return Headline(figures, f"{name} was {_half_way(receipt)}: {_answered(receipt)}")
    if receipt.failures:
        left_out = receipt.outcomes[Outcome.INVALID]
        counts = [(receipt.failures - left_out, "failed"), (left_out, "left out as invalid")]
        short = [f"{receipt.results:,} answered", *(f"{count:,} {what}" for count, what in counts if count)]
        of = counted(receipt.requests, "request")
        were = "was" if receipt.results == 1 else "were"
        return Headline(", ".join(short), f"{receipt.results:,} of {of} of {name} {were} answered. {others}")
    end = f". {others}" if others else ""
    if receipt.requests == 1:
        return Headline("1 answered", f"The 1 request of {name} was answered{end}")
    return Headline(
        f"all {receipt.results:,} answered", f"All {counted(receipt.requests, 'request')} of {name} were answered{end}"
    )


def _failed(receipt: Receipt) -> Headline:
    none = f"None of the {receipt.requests:,} requests of" if receipt.requests > 1 else "The 1 request of"
    text = f"{none} {receipt.name} was {'not ' if receipt.requests == 1 else ''}answered"
    figures = f"0 of {receipt.requests:,} answered"
    if not is_half_way(receipt):
        return Headline(figures, text)
    return Headline(f"{figures}, {_half_way(receipt)}", text, (f"The run was {_half_way(receipt)}.",))


def _stopped(receipt: Receipt) -> Headline:
    if is_unsent(receipt):
        return Headline("nothing was sent", f"{receipt.name} was stopped before anything was sent")
    text = f"{receipt.name} was stopped after {time_of(receipt)}: {_answered(receipt)}"
    return Headline(f"{receipt.results:,} answered, {receipt.failures:,} not", text)


def _declined(receipt: Receipt) -> Headline:
    if is_unsent(receipt):
        return Headline("nothing was sent", f"{receipt.name} was declined before anything was sent: {receipt.reason}")
    figures = f"{receipt.results:,} answered, {receipt.failures:,} not"
    return Headline(figures, f"The rest of {receipt.name} was declined: {receipt.reason}", (f"{_answered(receipt)}.",))


def _estimated(receipt: Receipt) -> Headline:
    estimate = receipt.estimate
    most = estimate.at_most_usd if estimate else None
    bound = f"up to {exact_dollars(most)}" if most is not None else "no bound on the cost"
    requests = counted(_to_send(receipt), "valid request")
    text = f"{receipt.name} was estimated, and nothing was sent: {requests}, {bound}"
    figures = f"{counted(_to_send(receipt), 'request')}, {bound}"
    return Headline(figures, text, (sentence(f"Why: {receipt.reason}"),))


def _to_send(receipt: Receipt) -> int:
    """Return how many requests would be sent."""
    return receipt.requests - (receipt.findings.lines if receipt.findings else 0)


def _refused(receipt: Receipt) -> Headline:
    findings = receipt.findings
    if receipt.code in {"invalid-lines", "mostly-invalid"} and findings and receipt.requests:
        verb = "is" if findings.lines == 1 else "are"
        short = f"{findings.lines:,} of {counted(receipt.requests, 'line')} {verb} invalid"
        why = short if receipt.code == "invalid-lines" else str(receipt.reason)
        return Headline(short, f"{receipt.name} was refused: {why.removesuffix('.')}")
    is_wrong = receipt.conversion is not None or receipt.code == "wrong-name"
    short = _SHORT.get(receipt.code or "", "no file of requests; nothing was sent" if is_wrong else "nothing was sent")
    return Headline(short, f"{receipt.name} was refused: {why_refused(receipt)[0].removesuffix('.')}")


def why_refused(receipt: Receipt) -> tuple[str, str]:
    """Return why a drop was refused, and how it becomes one by hand, if the command `conveyor prepare` makes it."""
    if receipt.conversion is None or not receipt.conversion.prepare:
        return str(receipt.reason), ""
    what, _, how = str(receipt.reason).partition(": ")
    return what, how


def _stuck(receipt: Receipt) -> Headline:
    lost, of = receipt.outcomes["stuck"], counted(receipt.requests, "request")
    text = f"There are no results for {lost:,} of {of} of {receipt.name}"
    how = "It was stopped." if receipt.code == STOPPED else f"It was {_half_way(receipt)}, too."
    said = receipt.code == STOPPED or is_half_way(receipt)
    return Headline(f"no results for {lost:,} of {of}", text, (how,) if said else ())


def _unbalanced(receipt: Receipt) -> Headline:
    figures = f"{receipt.results:,} answered, {receipt.failures:,} failed, of {receipt.requests:,}"
    text = f"The counts of {receipt.name} do not add up: {counted(receipt.requests, 'request')}, but "
    text += f"{counted(receipt.results, 'result')} and {counted(receipt.failures, 'failure')}"
    return Headline(figures, text, ("Lines are missing from the files, or are there twice.",))


_HEADLINES: dict[Status, Callable[[Receipt], Headline]] = {
    Status.COMPLETED: _completed,
    Status.FAILED: _failed,
    Status.STOPPED: _stopped,
    Status.DECLINED: _declined,
    Status.ESTIMATED: _estimated,
    Status.REFUSED: _refused,
    Status.STUCK: _stuck,
    Status.UNBALANCED: _unbalanced,
}
