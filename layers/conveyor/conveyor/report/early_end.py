"""Why a run ended early, or requests failed that are not to blame, and what a person must fix."""

from conveyor.domain.refusal import CAUSE_TEXTS, Cause
from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.wording.advice import advice_of
from conveyor.wording.text import counted, sentence


def early_end(receipt: Receipt) -> list[str]:
    """Say why a run ended before all of its batches were sent, and what to fix; nothing if all were sent."""
    if receipt.code is None or receipt.status in {Status.REFUSED, Status.UNBALANCED}:
        return []
    unsent = counted(receipt.never_sent, "request was", "requests were")
    uncharged = [f"{unsent} not sent, and nothing was charged for {'it' if receipt.never_sent == 1 else 'them'}."]
    what = "Why" if receipt.status != Status.STUCK else "Why the rest was not sent"
    return advice_of(
        receipt.code, f"{what}: {sentence(str(receipt.reason))}", *(uncharged if receipt.never_sent else [])
    )


def blamed_elsewhere(receipt: Receipt) -> list[str]:
    """Say how many failures no line is to blame for, and what to fix."""
    lines = []
    for cause, count in receipt.causes.items():
        failures = counted(count, "failure is", "failures are")
        whose = "the request's" if count == 1 else "the requests'"
        lines += advice_of(cause, f"{failures} not {whose} fault: {CAUSE_TEXTS[Cause(cause)]}.")
    return lines
