"""Amounts of US dollars as people write them: in a drop's metadata, in `config/budgets.json` and in approvals."""

import re
from decimal import Decimal

LARGEST_AMOUNT = 1_000_000_000
"""US dollars that a limit may have."""
EXPECTED_AMOUNT = f"US dollars above 0 and up to {LARGEST_AMOUNT:,}, such as 61.40"
_PLAIN = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,6})?")
_CURRENCY = re.compile(r"(?:us)?\$|usd|(?:us )?dollars?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,6}")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3}){2,}")
"""Commas that can only group thousands. `1,000` is not one: the comma may stand before cents."""
_COMMA = re.compile(r"\$?[0-9.]*,[0-9.,]*")
_QUOTABLE = re.compile(r"[0-9.,$+-]{1,20}")
"""What is quoted of an amount that is none: any other word may be a key that was pasted by mistake."""


def plain_amount(text: str) -> Decimal | None:
    """Return the amount that a plain decimal number says, such as `1234.50`; None for any other text."""
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def problem_of(text: str, unquoted: str) -> str:
    """Return why a text is no amount, and how to write one. `unquoted`: names a text that is not quoted."""
    problem = "has a comma" if _COMMA.fullmatch(text) else "is no amount"
    named = f'"{text}"' if _QUOTABLE.fullmatch(text) else unquoted
    return f"{named} {problem}: write US dollars as 1234.50"


def is_limit(amount: Decimal) -> bool:
    """Tell whether an amount can be a limit: it is above 0, and not absurdly large."""
    return 0 < amount <= LARGEST_AMOUNT


def read_limit(text: str) -> Decimal | None:
    """Return the limit that a text says; None for what is no plain amount, or cannot be a limit."""
    amount = plain_amount(text)
    return amount if amount is not None and is_limit(amount) else None


def likely_limit(text: str) -> str | None:
    """Return the limit that a text surely means, as it is accepted (`$20` is `20`); None if that is not sure."""
    bare = _CURRENCY.sub("", text, count=1).strip()
    if _DECIMAL_COMMA.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    return bare if read_limit(bare) else None
