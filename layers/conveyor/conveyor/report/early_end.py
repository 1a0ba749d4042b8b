"""What a run that ended early did not send, and failures that are not the requests' fault, with what to fix."""

from conveyor.domain.refusal import CAUSE_TEXTS, Cause
from conveyor.domain.status import Status
from conveyor.receipt.receipt import Receipt
from conveyor.wording.advice import advice_of
from conveyor.wording.mail import block
from conveyor.wording.text import counted, paragraph


def early_end(receipt: Receipt) -> list[str]:
    """Say how much was not sent of a run that ended before all of it was; nothing if all was sent."""
    if receipt.code is None or not receipt.never_sent or receipt.status in {Status.REFUSED, Status.UNBALANCED}:
        return []
    unsent = counted(receipt.never_sent, "request was", "requests were")
    return paragraph(f"{unsent} not sent, and nothing was charged for {'it' if receipt.never_sent == 1 else 'them'}.")


def blamed_elsewhere(receipt: Receipt) -> list[str]:
    """Say how many failures no line is to blame for, and what to fix; the first step of the verdict says so already."""
    said = list[list[str]]()
    for cause, count in receipt.causes.items():
        failures = counted(count, "failure is", "failures are")
        whose = "the request's" if count == 1 else "the requests'"
        text = f"{failures} not {whose} fault: {CAUSE_TEXTS[Cause(cause)]}."
        said.append(advice_of(cause, receipt.key_secret, text) if said or receipt.code else paragraph(text))
    return block(*said)
