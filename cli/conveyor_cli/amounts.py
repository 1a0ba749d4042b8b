"""Amounts of US dollars as people give them: one reader for all options, and for Python."""

from conveyor.settings.amounts import plain_amount, problem_of
from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble


def read_amount(name: str, text: str) -> str:
    """Return an amount as the stack takes it: `$0.42` is `0.42`. Raises Trouble for what is none.

    `name`: what the amount is for, as the person gave it.
    """
    amount = text.strip().removeprefix("$")
    if plain_amount(amount) is None:
        message = f"{name}: {problem_of(text.strip(), 'the value')}"
        raise Trouble("usage", message, "Nothing was changed.", exit_code=Exit.USAGE)
    return amount
