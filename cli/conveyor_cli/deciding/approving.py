"""What a person's approval of a run says, and whether it would open the gate."""

from conveyor.gates.approval import (
    ANY_MODEL,
    NO_LIMIT,
    UP_TO,
    Approval,
    Insufficient,
    is_about_money,
    judge,
    read_approval,
    words_that_open,
)
from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor_cli.exits import Exit
from conveyor_cli.runs.desk import Going
from conveyor_cli.trouble import Trouble


def gate_of(found: Going) -> Gate:
    """Return the gate at which a run waits. Raises Trouble if it does not."""
    if found.held_at is None:
        raise _wrong("not-held", f"{found.run.name} waits for no approval; it is {found.state.words}")
    return found.held_at


def approval(gate: Gate, up_to: str | None, *, no_limit: bool, is_shown: bool) -> tuple[str, Approval]:
    """Return the words of an approval, and what they allow. Raises Trouble if they would open nothing.

    `up_to`: US dollars. `is_shown`: whether a person sees what the run needs before they agree; else they must name an
    amount.
    """
    if up_to and no_limit:
        raise _wrong("usage", "--up-to and --no-limit exclude each other")
    words = NO_LIMIT if no_limit else f"{UP_TO} {up_to}" if up_to else words_that_open(gate)
    if gate.has(ReasonCode.MODEL) and (up_to or no_limit):
        words = f"{words} {ANY_MODEL}"
    read = read_approval(words)
    verdict = read if isinstance(read, Insufficient) else judge(read, gate)
    if isinstance(verdict, Insufficient):
        raise _wrong("insufficient", f"This approval would open nothing: {verdict.reason}")
    if not is_shown and is_about_money(gate) and not (up_to or no_limit):
        raise _wrong("no-amount", "Without a question, --up-to or --no-limit must say how much the run may cost")
    return words, verdict


def _wrong(code: str, message: str) -> Trouble:
    return Trouble(code, message, "Nothing was changed.", exit_code=Exit.USAGE)
