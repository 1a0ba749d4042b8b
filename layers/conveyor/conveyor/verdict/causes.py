"""Why requests failed, for a screen: types of errors with the provider's words, without what these quote."""

import re
from typing import NamedTuple

from conveyor.domain.outcome import Error, Outcome, is_retryable
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.kinds import KINDS

MOST_CAUSES = 5
_LONGEST = 100
_QUOTED = re.compile(r"""input_value=.*|(?<!\w)'[^']*'?(?!\w)|"[^"]*"?|`[^`]*`?|“[^”]*”?""")
_NAME = re.compile(r"""['"`][A-Za-z_][\w.-]{0,39}['"`]""")
"""The name of a field or a model, as providers quote it. A prompt has spaces."""
_UNSENT = frozenset({"never_sent", Outcome.CANCELED, Outcome.EXPIRED, Outcome.MISSING})


class Cause(NamedTuple):
    """Requests that failed for one reason."""

    type: str
    words: str
    """Empty if nothing is known but the type."""
    lines: int
    is_retryable: bool
    """Whether their lines are worth sending again, as far as the receipt says."""


def causes_of(receipt: Receipt) -> list[Cause]:
    """Return all causes, the most frequent first."""
    causes = [cause for name, kind in receipt.errors.items() for cause in _of_kind(receipt, name, kind)]
    return sorted(causes, key=lambda cause: (-cause.lines, cause.type, cause.words))


def without_quotes(text: str) -> str:
    """Return a provider's text without what it quotes, which may be of a prompt; names of fields stay."""
    kept = _QUOTED.sub(lambda match: match[0] if _NAME.fullmatch(match[0]) else "...", text)
    return kept if len(kept) <= _LONGEST else f"{kept[: _LONGEST - 3]}..."


def _of_kind(receipt: Receipt, name: str, kind: ErrorKind) -> list[Cause]:
    counts: dict[str, int] = {}
    for text, times in kind.words.items():
        words = without_quotes(text)
        counts[words] = counts.get(words, 0) + times
    left = kind.failures - sum(counts.values())
    if left > 0 or not counts:
        counts[KINDS.get(name, "")] = counts.get(KINDS.get(name, ""), 0) + max(left, 0)
    return [Cause(name, words, times, _is_again(receipt, name, words)) for words, times in counts.items()]


def _is_again(receipt: Receipt, name: str, words: str) -> bool:
    if receipt.retryable in {0, receipt.failures}:
        return bool(receipt.retryable)
    if receipt.findings and name in receipt.findings.codes:
        return False
    return name in _UNSENT or (name != Outcome.STUCK and is_retryable(Outcome.ERRORED, Error(name, words)))
