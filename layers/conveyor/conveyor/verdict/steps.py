"""What a person can do once a run has ended: at most three steps, each with its command."""

from collections.abc import Callable
from decimal import Decimal
from shlex import quote

from conveyor.domain.drop import DRY_RUN, NO_PROJECT
from conveyor.domain.outcome import MAY_BE_BILLED, Outcome
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import is_half_way, is_unsent
from conveyor.wording import commands
from conveyor.wording.advice import ADVICE, fix_of
from conveyor.wording.mail import Step
from conveyor.wording.numbers import rounded_up
from conveyor.wording.text import counted

_DROPPED_AS_IT_IS = frozenset({STOPPED, DECLINED, "seen-before", "unsent"})
"""Codes of refusals after which nothing must be changed."""
_LOST = "Put that in order, and drop the file again"
_OF_THE_FILE = {
    "drop-archived": "Restore the object from its archive and drop it again, or drop the file again",
    "drop-gone": "Drop the file again",
    "drop-key-refused": _LOST,
    "drop-encrypted": _LOST,
    "drop-denied": _LOST,
    "drop-unreadable": _LOST,
}
"""What to do where nothing is known to be wrong with the lines of the file."""


def steps_of(receipt: Receipt, called: str) -> list[Step]:
    """Return what to do, in the order in which a person should do it. `called`: what commands call the run."""
    if is_unsent(receipt):
        return _unsent(receipt, called)
    steps = [*_first(receipt), *_send_again(receipt, called)]
    if any(file.lines for file in receipt.files):
        steps.append(Step("Get the files", f"conveyor fetch {quote(called)}"))
    return steps


def open_matters(receipt: Receipt) -> list[str]:
    """Return what may still be charged, or was charged without an answer; nothing if all is settled."""
    is_told = receipt.status is Status.STUCK  # of these a sentence before it says so
    missing = sum(receipt.outcomes[each] for each in MAY_BE_BILLED if not (is_told and each is Outcome.STUCK))
    doubles = sum(len(batch.duplicates) for batch in receipt.all_batches)
    said = [
        (missing, "has no result: it may have been charged", "have no result: they may have been charged"),
        (receipt.unreadable, "has a result that cannot be read", "have a result that cannot be read"),
    ]
    matters = [f"{counted(count, 'request')} {one if count == 1 else many}." for count, one, many in said if count]
    if doubles:
        batches = counted(doubles, "other batch has", "other batches have")
        matters.append(f"{batches} the same requests at the provider, and may be charged, too.")
    if receipt.unanswered and not is_unsent(receipt):
        calls = counted(receipt.unanswered, "create request")
        matters.append(f"{calls} got no response: what they may have created is not known.")
    return matters


def _first(receipt: Receipt) -> list[Step]:
    """Return what must be put in order first."""
    if receipt.status is Status.UNBALANCED:
        bucket = str(receipt.drop["bucket"])
        return [Step("Look into the ledger before anything is sent again", commands.fetch_ledger(bucket, receipt.run))]
    if receipt.status is Status.STUCK:
        words = "Ask the provider about its batches before you send their lines again: you may pay twice"
        return [Step(words)]
    codes = [receipt.code] if is_half_way(receipt) else list(receipt.causes)
    return [_fix(code, receipt) for code in codes if code in ADVICE][:1]


def _fix(code: str, receipt: Receipt) -> Step:
    return fix_of(code, receipt.key_secret, receipt.reason or "")


def _send_again(receipt: Receipt, called: str) -> list[Step]:
    if receipt.status is Status.UNBALANCED or not receipt.retryable:
        if receipt.status is Status.FAILED:
            return [Step("Correct the file, and drop it again")]
        return []
    lines = "the line that is" if receipt.retryable == 1 else f"the {receipt.retryable:,} lines that are"
    price = _price(receipt)
    about = f", about {rounded_up(price)}" if price is not None else ""
    return [Step(f"Send again {lines} worth it{about}", f"conveyor drop --retry {quote(called)}")]


def _price(receipt: Receipt) -> Decimal | None:
    """Return what the lines that are worth it will cost, by what the others have cost."""
    if receipt.cost_usd is None or not (receipt.results and receipt.tokens) or receipt.money.unpriced:
        return None
    return receipt.cost_usd / receipt.results * receipt.retryable


def _unsent(receipt: Receipt, called: str) -> list[Step]:
    for applies, steps in _OF_UNSENT:
        if applies(receipt):
            return steps(receipt, called)
    code, again = receipt.code or "", _again(called)
    if DRY_RUN in receipt.drop_settings:  # no command of `conveyor` estimates the same drop again
        done = "When that is put in order" if commands.can_stay(code) else "When the file is corrected"
        return [*([_fix(code, receipt)] if code in ADVICE else []), Step(f"{done}, estimate it again")]
    if code in _DROPPED_AS_IT_IS:
        return [Step("Run it after all", again)]
    if not commands.can_stay(code):
        return [Step(_OF_THE_FILE.get(code, "Correct the file, and drop it again"))]
    if code == NO_PROJECT:
        again = f"{again} --project '<project>'"
    first = [_fix(code, receipt)] if code in ADVICE else []
    return [*first, Step("Then drop it again" if first else "When that is put in order, drop it again", again)]


def _invalid(receipt: Receipt, called: str) -> list[Step]:
    if DRY_RUN in receipt.drop_settings:
        return [Step("Correct these lines, and estimate the file again")]
    left = receipt.requests - (receipt.findings.lines if receipt.findings else 0)
    skip = Step(f"Send the other {counted(left, 'line')}", f"{_again(called)} --on-invalid skip")
    return [Step("Correct these lines, and drop the file again"), *([skip] if left > 0 else [])]


def _convert(receipt: Receipt, _called: str) -> list[Step]:
    conversion = receipt.conversion
    if conversion and conversion.prepare:
        return [
            Step("Write your prompt into prompt.md, and make requests of the file", conversion.prepare),
            Step("Drop the new file", f"conveyor drop {quote(conversion.file)}"),
        ]
    if conversion is None or not conversion.command:
        return [Step("Convert it to a file of requests, one a line, and drop that")]
    return [Step("Convert it, and drop the new file", conversion.command)]


def _seen(receipt: Receipt, called: str) -> list[Step]:
    other = receipt.waiting_run
    approve = [Step("Let the run go on that has the same content", f"conveyor approve {other.run}")] if other else []
    return [*approve, Step("Run the same content again, and pay again", _again(called))]


def _estimated(_receipt: Receipt, called: str) -> list[Step]:
    return [Step("Run it", _again(called))]


def _again(called: str) -> str:
    return f"conveyor drop --again {quote(called)}"


_OF_UNSENT: tuple[tuple[Callable[[Receipt], bool], Callable[[Receipt, str], list[Step]]], ...] = (
    (lambda receipt: receipt.status is Status.ESTIMATED, _estimated),
    (lambda receipt: receipt.conversion is not None, _convert),
    (lambda receipt: receipt.code == "invalid-lines" and receipt.findings is not None, _invalid),
    (lambda receipt: receipt.code == "seen-before", _seen),
)
