"""The status of a run: the one table of all statuses.

Receipt, messages and their attribute, the metric `Runs`, and `docs/operate.md` take their words from here.
"""

from enum import StrEnum
from typing import NamedTuple

from conveyor.domain.drop import DRY_RUN


class Status(StrEnum):
    """The attribute `status` of every message, and the field of the receipt."""

    STARTED = "started"
    WAITING = "waiting-for-approval"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    DECLINED = "declined"
    ESTIMATED = "estimated"
    REFUSED = "refused"
    STUCK = "stuck"
    UNBALANCED = "unbalanced"
    TROUBLED = "troubled"
    AT_RISK = "at-risk"
    UNDECIDED = "undecided"
    WAITING_FOR_BUDGET = "waiting-for-budget"
    BUDGET_REACHED = "budget-reached"


class Meaning(NamedTuple):
    """What a status says."""

    is_final: bool
    """Whether the run has ended: it has one such message, and a receipt."""
    word: str
    """With which the subject of its message begins, after `Conveyor: `; ASCII."""
    means: str


STATUSES = {
    Status.COMPLETED: Meaning(is_final=True, word="done", means="at least one request was answered"),
    Status.FAILED: Meaning(is_final=True, word="failed", means="requests were sent, and none was answered"),
    Status.STOPPED: Meaning(is_final=True, word="stopped", means="a person stopped the run"),
    Status.DECLINED: Meaning(
        is_final=True, word="declined", means="nobody approved the run in time; nothing (more) was sent"
    ),
    Status.ESTIMATED: Meaning(
        is_final=True, word="estimated", means="the drop asked for an estimate only; nothing was sent"
    ),
    Status.REFUSED: Meaning(is_final=True, word="refused", means="nothing was sent"),
    Status.STUCK: Meaning(is_final=True, word="stuck", means="a batch was given up without its results"),
    Status.UNBALANCED: Meaning(is_final=True, word="unbalanced", means="the account does not add up"),
    Status.STARTED: Meaning(
        is_final=False, word="started", means="the run has begun, and the drop asked for a message then"
    ),
    Status.WAITING: Meaning(is_final=False, word="held", means="nothing more is paid until a person approves the run"),
    Status.TROUBLED: Meaning(
        is_final=False, word="trouble", means="asking the provider, or reading the drop, has failed for hours"
    ),
    Status.AT_RISK: Meaning(is_final=False, word="at risk", means="requests may expire"),
    Status.UNDECIDED: Meaning(is_final=False, word="undecided", means="it is unknown whether a call created a batch"),
    Status.WAITING_FOR_BUDGET: Meaning(
        is_final=False, word="budget", means="the run waits until its project may spend more"
    ),
    Status.BUDGET_REACHED: Meaning(
        is_final=False, word="budget", means="80 % or all of what a project may spend today is taken"
    ),
}
"""Every status; `docs/operate.md` has a row for each, with these words."""

STOPPED = "stopped"
"""The code of a refusal that is a person's request to stop."""
DECLINED = "declined"
"""The code of a refusal because nobody approved the run in time."""
_ENDED_BY_CHOICE = {STOPPED: Status.STOPPED, DECLINED: Status.DECLINED, DRY_RUN: Status.ESTIMATED}
"""Statuses by the code of the refusal."""


def final_status(*, code: str | None, sent: bool, answered: int, balances: bool, stuck: bool) -> Status:
    """Return the status of a run that has ended.

    A status that a person must look into before anything is sent again takes precedence: an account that does not add
    up, then batches that may have been paid for. A stopped run is `stopped`, and a declined one `declined`, whatever
    was answered before. `code`: why nothing, or nothing more, was sent. `sent`: whether anything was sent.
    """
    if not balances:
        return Status.UNBALANCED
    if stuck:
        return Status.STUCK
    if code in _ENDED_BY_CHOICE:
        return _ENDED_BY_CHOICE[code]
    if not sent:
        return Status.REFUSED
    return Status.COMPLETED if answered else Status.FAILED
