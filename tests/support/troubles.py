"""Decisions of a check in which requests to the provider failed."""

from conveyor.domain.schedule import BatchName, Next
from conveyor.poll.decisions.decision import Decision, Decisions


def check(*asked: str, known: tuple[str, ...] = (), is_skipped: bool = False) -> Decisions:
    """Return the decisions of a check in which requests failed for these reasons.

    `known`: reasons in the ledger. `is_skipped`: whether the provider was not asked about another batch.
    """
    found = [
        Decision(Next.WAIT, is_skipped=is_skipped),
        *(Decision(Next.WAIT, trouble=reason, failed=(reason,)) for reason in asked),
        *(Decision(Next.WAIT, trouble=reason) for reason in known),
    ]
    return {BatchName("", number): decision for number, decision in enumerate(found, 1)}
