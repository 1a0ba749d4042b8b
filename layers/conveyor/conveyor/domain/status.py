"""How a run stands, in one word: the one table of statuses.

Receipt, messages and their attribute, the metric `Runs`, and `docs/operate.md` take their words from here.
"""

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The attribute `status` of every message, and the field of the receipt."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"
    STUCK = "stuck"
    UNBALANCED = "unbalanced"
    TROUBLED = "troubled"
    AT_RISK = "at-risk"
    UNDECIDED = "undecided"


class About(NamedTuple):
    """What follows from a status."""

    is_final: bool
    """Whether the run has ended: it has one such message, and a receipt."""
    means: str


STATUSES = {
    Status.COMPLETED: About(is_final=True, means="at least one request was answered"),
    Status.FAILED: About(is_final=True, means="requests were sent, and none was answered"),
    Status.STOPPED: About(is_final=True, means="a person stopped the run"),
    Status.REFUSED: About(is_final=True, means="nothing was sent"),
    Status.STUCK: About(is_final=True, means="a batch was given up without its results"),
    Status.UNBALANCED: About(is_final=True, means="the account does not add up"),
    Status.TROUBLED: About(is_final=False, means="asking the provider, or reading the drop, has failed for hours"),
    Status.AT_RISK: About(is_final=False, means="requests may expire"),
    Status.UNDECIDED: About(is_final=False, means="it is unknown whether a call created a batch"),
}
"""Every status; `docs/operate.md` has a row for each, with these words."""

STOPPED = "stopped"
"""The code of a refusal that is a person's stop."""


def final_status(*, code: str | None, sent: bool, answered: int, balances: bool, stuck: bool) -> Status:
    """Return the status of a run that has ended.

    What a person must look into before anything is sent again comes first: an account that does not add up, then
    batches that may have been paid for. A stop is a stop, whatever came back before it. `code`: why nothing (more) was
    sent; `sent`: whether anything was.
    """
    if not balances:
        return Status.UNBALANCED
    if stuck:
        return Status.STUCK
    if code == STOPPED:
        return Status.STOPPED
    if not sent:
        return Status.REFUSED
    return Status.COMPLETED if answered else Status.FAILED
