"""What a person's approval of a run says, and whether it would open the gate."""

from shlex import quote

from conveyor.gates.approval import (
    ANY_MODEL,
    NO_LIMIT,
    UP_TO,
    Approval,
    Insufficient,
    amount_of,
    is_about_money,
    judge,
    read_approval,
    words_that_open,
)
from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor.s3.bucket import Bucket
from conveyor_cli.exits import Exit
from conveyor_cli.runs.desk import Going, going
from conveyor_cli.trouble import Trouble


def gate_of(found: Going) -> Gate:
    """Return the gate at which a run waits. Raises Trouble if it does not."""
    if found.held_at is None:
        raise _wrong("not-held", f"{found.run.name} waits for no approval; it is {found.state.words}")
    return found.held_at


def approval(gate: Gate, up_to: str | None, *, no_limit: bool, is_shown: bool, called: str) -> tuple[str, Approval]:
    """Return the words of an approval, and what they allow. Raises Trouble if they would open nothing.

    `up_to`: US dollars, see `read_amount`. `is_shown`: whether a person sees what the run needs before they agree; else
    they must name an amount. `called`: how they named the run.
    """
    if up_to is not None and no_limit:
        raise _wrong("usage", "--up-to and --no-limit exclude each other")
    words = NO_LIMIT if no_limit else words_that_open(gate) if up_to is None else f"{UP_TO} {up_to}"
    if gate.has(ReasonCode.MODEL) and (up_to or no_limit):
        words = f"{words} {ANY_MODEL}"
    read = read_approval(words)
    verdict = read if isinstance(read, Insufficient) else judge(read, gate)
    if isinstance(verdict, Insufficient):
        raise _wrong("insufficient", f"This approval would open nothing: {verdict.reason}")
    if not is_shown and is_about_money(gate) and not (up_to or no_limit):
        raise _unnamed(gate, called)
    return words, verdict


def refuse_changed(bucket: Bucket, shown: Going) -> None:
    """Raise Trouble if a run waits no more at the gate that was shown: a person may take hours to answer."""
    now = going(bucket, shown.run.run)
    if now.held_at is None or now.run_state.gate != shown.run_state.gate:
        at_gate = f", at gate {now.run_state.gate}" if now.held_at else ""
        raise _wrong("changed", f"{shown.run.name} has changed since it was shown: it is {now.state.words}{at_gate}")


def _unnamed(gate: Gate, called: str) -> Trouble:
    """Return that a program must name the amount, with the command that does."""
    opens = "--no-limit" if gate.need_usd is None else f"--up-to {amount_of(gate.need_usd)}"
    return Trouble(
        "no-amount",
        "Without a question, --up-to or --no-limit must say how much the run may cost",
        "Nothing was changed.",
        commands=(f"conveyor approve {quote(called)} --yes {opens}",),
        exit_code=Exit.USAGE,
    )


def _wrong(code: str, message: str) -> Trouble:
    return Trouble(code, message, "Nothing was changed.", exit_code=Exit.USAGE)
