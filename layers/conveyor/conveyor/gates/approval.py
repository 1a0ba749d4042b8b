"""What a person writes to open a gate, and whether that is enough. Pure."""

from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor.settings.amounts import plain_amount, problem_of
from conveyor.wording.text import exact_dollars

_ABOUT_MONEY = frozenset({
    ReasonCode.ASKED, ReasonCode.HOLD_ABOVE, ReasonCode.CEILING, ReasonCode.MAX_USD, ReasonCode.MODEL,
    ReasonCode.CONFIG, ReasonCode.DAY, ReasonCode.OVER_APPROVED,
})  # fmt: skip
"""Reasons for which an approval must say how much."""
UP_TO, NO_LIMIT, ANY_MODEL, APPROVE = "up-to", "no-limit", "any-model", "approve"


class Approval(NamedTuple):
    """A person lets the run pay on."""

    up_to: Decimal | None = None
    """US dollars that the run may cost in all."""
    has_no_limit: bool = False
    takes_any_model: bool = False


class Insufficient(NamedTuple):
    """An approval that opens nothing, and why: a sentence without its end."""

    reason: str


def read_approval(text: str) -> Approval | Insufficient:
    """Read the words of an approval: `up-to 61.40`, `no-limit` or `approve`, each with `any-model` or without it."""
    words = text.replace("\ufeff", "").lower().split()
    takes_any_model = ANY_MODEL in words
    match [word for word in words if word != ANY_MODEL]:
        case [word, amount] if word == UP_TO:
            up_to = plain_amount(amount.removeprefix("$"))
            if up_to is not None:
                return Approval(up_to, takes_any_model=takes_any_model)
            return Insufficient(problem_of(amount, f'the word after "{UP_TO}"'))
        case [word] if word == NO_LIMIT:
            return Approval(has_no_limit=True, takes_any_model=takes_any_model)
        case [word] if word == APPROVE:
            return Approval(takes_any_model=takes_any_model)
    return Insufficient(f'it must say "{UP_TO} <US dollars>", "{NO_LIMIT}" or "{APPROVE}"')


def judge(approval: Approval, gate: Gate) -> Approval | Insufficient:
    """Return the approval as it opens a gate, with the amount that `approve` alone stands for; or why it does not."""
    if gate.has(ReasonCode.MODEL) and not approval.takes_any_model:
        return Insufficient(f'the run names a model that its project may not use: add "{ANY_MODEL}" to allow it')
    if gate.need_usd is None:
        return _judge_unbounded(approval, gate)
    if approval.up_to is not None and approval.up_to < gate.need_usd:
        need = exact_dollars(gate.need_usd)
        return Insufficient(f"it allows ${approval.up_to:,f}, and it must allow at least {need}")
    if approval.up_to is None and not approval.has_no_limit and is_about_money(gate):
        return approval._replace(up_to=gate.need_usd)
    return approval


def _judge_unbounded(approval: Approval, gate: Gate) -> Approval | Insufficient:
    """Return the approval as it opens a gate of a run without a bound, which cannot keep to an amount."""
    if approval.has_no_limit or (approval.up_to is None and not is_about_money(gate)):
        return approval
    return Insufficient(f'the cost of the run has no bound: write "{NO_LIMIT}" to allow whatever it costs')


def is_about_money(gate: Gate) -> bool:
    """Return whether an approval must say how much, because it lets a run begin to pay, or pay more.

    After a pause, or a probe that failed, the amount in force stays: what a person decides there is not an amount.
    """
    return any(reason.code in _ABOUT_MONEY for reason in gate.reasons)


def words_that_open(gate: Gate) -> str:
    """Return the words of an approval that opens a gate."""
    if not is_about_money(gate):
        words = APPROVE
    elif gate.need_usd is None:
        words = NO_LIMIT
    else:
        words = f"{UP_TO} {amount_of(gate.need_usd)}"
    return f"{words} {ANY_MODEL}" if gate.has(ReasonCode.MODEL) else words


def amount_of(dollars: Decimal) -> str:
    """Return an amount, rounded up to cents, as an approval names it."""
    return str(dollars.quantize(Decimal("0.01"), ROUND_CEILING))
