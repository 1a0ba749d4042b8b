"""The headline of a run that has ended: the figures in the subject of its message, and the first sentences."""

from collections.abc import Callable
from typing import NamedTuple

from conveyor.domain.drop import NO_PROJECT, OTHER_FOLDER
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.receipt.receipt import Receipt
from conveyor.wording.text import counted, duration, exact_dollars, sentence

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


class Headline(NamedTuple):
    """What a person reads first."""

    word: str
    figures: str
    """In brackets after the name: short, because it is never cut."""
    sentences: list[str]


def headline_of(receipt: Receipt) -> Headline:
    """Return the headline of a run, by its status."""
    return _HEADLINES[receipt.status](receipt)


def is_unsent(receipt: Receipt) -> bool:
    """Tell whether nothing of a drop was sent."""
    return not receipt.all_batches and not receipt.failures


def is_half_way(receipt: Receipt) -> bool:
    """Tell whether a run ended before all requests were sent, and not because a person stopped it."""
    return receipt.code not in {None, STOPPED, DECLINED} and not is_unsent(receipt)


def _half_way(receipt: Receipt) -> str:
    return "refused half-way" if receipt.words is not None else "ended half-way"


def _key(receipt: Receipt) -> str:
    return str(receipt.drop["key"])


def _time(receipt: Receipt) -> str:
    ended = max((batch.split_at for batch in receipt.all_batches), default=None)
    return f", in {duration(ended - receipt.received_at)}" if ended else ""


def _unanswered(receipt: Receipt) -> list[str]:
    """Return how many requests were not answered, and why not, as counts."""
    left_out = receipt.outcomes[Outcome.INVALID]
    counts = [(receipt.failures - left_out, "failed"), (left_out, "left out as invalid")]
    return [f"{count:,} {what}" for count, what in counts if count]


def _completed(receipt: Receipt) -> Headline:
    key, time, requests = _key(receipt), _time(receipt), counted(receipt.requests, "request")
    were = "was" if receipt.results == 1 else "were"
    if is_half_way(receipt):
        return Headline(
            _half_way(receipt),
            f"{receipt.results:,} answered, {receipt.failures:,} not",
            [f"{key} was {_half_way(receipt)}: {receipt.results:,} of its {requests} {were} answered{time}."],
        )
    if receipt.failures:
        answered = f"{receipt.results:,} of the {requests} of {key} {were} answered{time}"
        text = f"{answered}; {' and '.join(_unanswered(receipt))}."
        return Headline(receipt.status, ", ".join([f"{receipt.results:,} answered", *_unanswered(receipt)]), [text])
    if receipt.requests == 1:
        return Headline(receipt.status, "1 answered", [f"The 1 request of {key} was answered{time}."])
    return Headline(
        receipt.status, f"all {receipt.results:,} answered", [f"All {requests} of {key} were answered{time}."]
    )


def _failed(receipt: Receipt) -> Headline:
    none = f"None of the {receipt.requests:,} requests of" if receipt.requests > 1 else "The 1 request of"
    text = f"{none} {_key(receipt)} was {'not ' if receipt.requests == 1 else ''}answered."
    figures = f"0 of {receipt.requests:,} answered"
    if not is_half_way(receipt):
        return Headline(receipt.status, figures, [text])
    return Headline(receipt.status, f"{figures}, {_half_way(receipt)}", [text, f"The run was {_half_way(receipt)}."])


def _stopped(receipt: Receipt) -> Headline:
    if is_unsent(receipt):
        return Headline(receipt.status, "nothing was sent", [f"{_key(receipt)} was stopped before anything was sent."])
    text = f"{_key(receipt)} was stopped{_time(receipt).replace(', in', ' after')}: {receipt.results:,} of "
    text += f"{counted(receipt.requests, 'request')} {'was' if receipt.results == 1 else 'were'} answered."
    return Headline(receipt.status, f"{receipt.results:,} answered, {receipt.failures:,} not", [text])


def _declined(receipt: Receipt) -> Headline:
    if is_unsent(receipt):
        text = f"{_key(receipt)} was declined before anything was sent: {receipt.reason}"
        return Headline(receipt.status, "nothing was sent", [sentence(text)])
    answered = f"{receipt.results:,} of {counted(receipt.requests, 'request')}"
    text = f"The rest of {_key(receipt)} was declined: {receipt.reason}"
    were = "was" if receipt.results == 1 else "were"
    figures = f"{receipt.results:,} answered, {receipt.failures:,} not"
    return Headline(receipt.status, figures, [sentence(text), f"{answered} {were} answered{_time(receipt)}."])


def _estimated(receipt: Receipt) -> Headline:
    estimate = receipt.estimate
    most = estimate.at_most_usd if estimate else None
    bound = f"up to {exact_dollars(most)}" if most is not None else "no bound on the cost"
    text = f"{_key(receipt)} was estimated, and nothing was sent: {counted(_to_send(receipt), 'valid request')}"
    why = sentence(f"Why: {receipt.reason}")
    return Headline(receipt.status, f"{counted(_to_send(receipt), 'request')}, {bound}", [f"{text}, {bound}.", why])


def _to_send(receipt: Receipt) -> int:
    """Return how many requests would be sent."""
    return receipt.requests - (receipt.findings.lines if receipt.findings else 0)


def _refused(receipt: Receipt) -> Headline:
    findings = receipt.findings
    if receipt.code in {"invalid-lines", "mostly-invalid"} and findings and receipt.requests:
        verb = "is" if findings.lines == 1 else "are"
        short = f"{findings.lines:,} of {counted(receipt.requests, 'line')} {verb} invalid"
        why = short if receipt.code == "invalid-lines" else str(receipt.reason)
        return Headline(receipt.status, short, [sentence(f"{_key(receipt)} was refused: {why}")])
    short = _SHORT.get(receipt.code or "", "nothing was sent")
    return Headline(receipt.status, short, [sentence(f"{_key(receipt)} was refused: {receipt.reason}")])


def _stuck(receipt: Receipt) -> Headline:
    lost = f"{receipt.outcomes['stuck']:,} of {counted(receipt.requests, 'request')}"
    text = [f"The run of {_key(receipt)} ended without results for {lost}; these may have been charged."]
    if receipt.code == STOPPED:
        text.append("It was stopped.")
    elif is_half_way(receipt):
        text.append(f"It was {_half_way(receipt)}, too.")
    return Headline(receipt.status, f"no results for {lost}", text)


def _unbalanced(receipt: Receipt) -> Headline:
    counts = f"{receipt.results:,} answered, {receipt.failures:,} failed, of {receipt.requests:,}"
    text = f"The counts of {_key(receipt)} do not add up: {counted(receipt.requests, 'request')}, but "
    text += f"{counted(receipt.results, 'result')} and {counted(receipt.failures, 'failure')}."
    return Headline(receipt.status, counts, [text, "Lines are missing from the files, or are there twice."])


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
