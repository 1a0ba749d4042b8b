"""The verdict on a run that has ended: the figures in the subject of its message, and the first sentences."""

from collections.abc import Callable
from typing import NamedTuple

from conveyor.domain.outcome import Outcome
from conveyor.domain.status import STOPPED, Status
from conveyor.report.receipt import Receipt
from conveyor.wording.text import counted, duration, sentence

_SHORT = {
    "seen-before": "the same content as an earlier drop",
    "no-requests": "it holds no request",
    "file-is-empty": "the file is empty",
    "too-large": "the file is too large",
    "too-many-requests": "too many requests",
    "models-alternate": "its lines change the model too often",
    "key-unusable": "the stack has no API key",
    "key-refused": "the API key is not accepted",
    "role-refused": "the provider denies the stack access",
    "credit-exhausted": "no credit at the provider",
    "limit-reached": "a limit at the provider is reached",
    "account-disabled": "the account at the provider is disabled",
    "batch-too-large": "the provider takes smaller batches",
    "provider-stopped": "the provider stopped it",
    "provider-refused": "the provider does not accept it",
    "unsent": "the provider did not take it",
    "drop-gone": "the file was deleted",
}
"""Why, in the few words that a subject has room for, by the code of a refusal."""


class Verdict(NamedTuple):
    """What a person reads first."""

    word: str
    figures: str
    """In brackets behind the name: short, since it is never cut."""
    sentences: list[str]


def verdict_of(receipt: Receipt) -> Verdict:
    """Return the verdict on a run, by its status."""
    return _VERDICTS[receipt.status](receipt)


def is_unsent(receipt: Receipt) -> bool:
    """Tell whether nothing of a drop was sent."""
    return not receipt.batches and not receipt.failures


def is_half_way(receipt: Receipt) -> bool:
    """Tell whether a run ended before all was sent, without a person's stop."""
    return receipt.code not in {None, STOPPED} and not is_unsent(receipt)


def _half_way(receipt: Receipt) -> str:
    return "refused half-way" if receipt.words is not None else "ended half-way"


def _key(receipt: Receipt) -> str:
    return str(receipt.drop["key"])


def _time(receipt: Receipt) -> str:
    ended = max((batch.split_at for batch in receipt.batches), default=None)
    return f", in {duration(ended - receipt.received_at)}" if ended else ""


def _unanswered(receipt: Receipt) -> list[str]:
    """Return how many requests were not answered, and why not, as counts."""
    left_out = receipt.outcomes[Outcome.INVALID]
    counts = [(receipt.failures - left_out, "failed"), (left_out, "left out as invalid")]
    return [f"{count:,} {what}" for count, what in counts if count]


def _completed(receipt: Receipt) -> Verdict:
    key, time, requests = _key(receipt), _time(receipt), counted(receipt.requests, "request")
    answered = f"{receipt.results:,} {'was' if receipt.results == 1 else 'were'} answered{time}."
    if is_half_way(receipt):
        return Verdict(
            _half_way(receipt),
            f"{receipt.results:,} answered, {receipt.failures:,} not",
            [f"{key} was {_half_way(receipt)}: of its {requests}, {answered}"],
        )
    if receipt.failures:
        told = f"Of the {requests} of {key}, {' and '.join(_unanswered(receipt))}; {answered}"
        return Verdict(receipt.status, ", ".join([f"{receipt.results:,} answered", *_unanswered(receipt)]), [told])
    if receipt.requests == 1:
        return Verdict(receipt.status, "1 answered", [f"The 1 request of {key} was answered{time}."])
    return Verdict(
        receipt.status, f"all {receipt.results:,} answered", [f"All {requests} of {key} were answered{time}."]
    )


def _failed(receipt: Receipt) -> Verdict:
    none = f"None of the {receipt.requests:,} requests of" if receipt.requests > 1 else "The 1 request of"
    told = f"{none} {_key(receipt)} was {'not ' if receipt.requests == 1 else ''}answered."
    figures = f"0 of {receipt.requests:,} answered"
    if not is_half_way(receipt):
        return Verdict(receipt.status, figures, [told])
    return Verdict(receipt.status, f"{figures}, {_half_way(receipt)}", [told, f"The run was {_half_way(receipt)}."])


def _stopped(receipt: Receipt) -> Verdict:
    if is_unsent(receipt):
        return Verdict(receipt.status, "nothing was sent", [f"{_key(receipt)} was stopped before anything was sent."])
    told = f"{_key(receipt)} was stopped{_time(receipt).replace(', in', ' after')}: {receipt.results:,} of "
    told += f"{counted(receipt.requests, 'request')} {'was' if receipt.results == 1 else 'were'} answered."
    return Verdict(receipt.status, f"{receipt.results:,} answered, {receipt.failures:,} not", [told])


def _refused(receipt: Receipt) -> Verdict:
    findings = receipt.findings
    if receipt.code in {"invalid-lines", "mostly-invalid"} and findings and receipt.requests:
        verb = "is" if findings.lines == 1 else "are"
        short = f"{findings.lines:,} of {counted(receipt.requests, 'line')} {verb} invalid"
        why = short if receipt.code == "invalid-lines" else str(receipt.reason)
        return Verdict(receipt.status, short, [sentence(f"{_key(receipt)} was refused: {why}")])
    short = _SHORT.get(receipt.code or "", "nothing was sent")
    return Verdict(receipt.status, short, [sentence(f"{_key(receipt)} was refused: {receipt.reason}")])


def _stuck(receipt: Receipt) -> Verdict:
    lost = f"{receipt.outcomes['stuck']:,} of {counted(receipt.requests, 'request')}"
    told = [f"The run of {_key(receipt)} ends without results of {lost}, which may have been charged."]
    if receipt.code == STOPPED:
        told.append("It was stopped.")
    elif is_half_way(receipt):
        told.append(f"It was {_half_way(receipt)}, too.")
    return Verdict(receipt.status, f"no results of {lost}", told)


def _unbalanced(receipt: Receipt) -> Verdict:
    counts = f"{receipt.results:,} answered, {receipt.failures:,} failed, of {receipt.requests:,}"
    told = f"The account of {_key(receipt)} does not balance: {counted(receipt.requests, 'request')}, "
    told += f"{counted(receipt.results, 'result')}, {counted(receipt.failures, 'failure')}."
    return Verdict(receipt.status, counts, [told, "Something is missing from the files, or stands there twice."])


_VERDICTS: dict[Status, Callable[[Receipt], Verdict]] = {
    Status.COMPLETED: _completed,
    Status.FAILED: _failed,
    Status.STOPPED: _stopped,
    Status.REFUSED: _refused,
    Status.STUCK: _stuck,
    Status.UNBALANCED: _unbalanced,
}
