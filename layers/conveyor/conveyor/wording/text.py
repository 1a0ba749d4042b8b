"""Counts, money, times and paragraphs as messages write them."""

import textwrap
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

LONGEST_SUBJECT = 99
"""SNS takes fewer than 100 ASCII characters."""
WIDTH = 78
"""Columns of a line, unless it holds a command, an address or a link."""
_CENT = Decimal("0.01")
_SMALLEST_AMOUNT = Decimal("0.0001")
_FOUR_DIGITS_BELOW = Decimal("0.1")
_FEWEST_OF_NAME = 12


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 line", "2,000 lines". `many`: the plural, if it is not `one` and an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def subject(word: str, name: str, figures: str = "") -> str:
    """Return the subject of a message. A long name is cut in the middle: its end may be a date."""
    figures = f" ({figures})" if figures else ""
    start = f"Conveyor: {word} "
    room = max(LONGEST_SUBJECT - len(start) - len(figures), _FEWEST_OF_NAME)
    return f"{start}{cut_middle(name, room)}{figures}"[:LONGEST_SUBJECT]


def cut_middle(name: str, longest: int) -> str:
    """Return a name, cut in the middle if it is longer than `longest` characters."""
    if len(name) <= longest:
        return name
    end = (longest - 2) // 2
    return f"{name[: longest - 2 - end]}..{name[len(name) - end :]}"


def dollars(amount: Decimal) -> str:
    """Return an estimated amount in US dollars, as `paid` does."""
    text = paid(amount)
    return text if text.startswith("less") else f"about {text}"


def paid(amount: Decimal) -> str:
    """Return an amount that is known, in US dollars: with two decimals, or four below $0.10. It is never $0.00."""
    if 0 < amount < _SMALLEST_AMOUNT:
        return f"less than ${_SMALLEST_AMOUNT}"
    if amount >= _FOUR_DIGITS_BELOW or not amount:
        return f"${amount.quantize(_CENT, ROUND_HALF_UP):,.2f}"
    digits = f"{amount:.4f}"
    return f"${digits.removesuffix('00') if digits.endswith('00') and digits != '0.0000' else digits}"


def exact_dollars(amount: Decimal, rounding: str = ROUND_CEILING) -> str:
    """Return an exact amount in US dollars, rounded up to cents. `rounding`: another way of the module `decimal`."""
    return f"${amount.quantize(_CENT, rounding):,.2f}"


def one_line(text: str, longest: int) -> str:
    """Return a text of somebody else as it fits into a row: cut, and without line breaks or control characters."""
    return "".join(character if character.isprintable() else "?" for character in text[:longest])


def duration(time: timedelta) -> str:
    """Return a duration in its two largest units."""
    minutes, seconds = divmod(max(int(time.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((at for at, (count, _) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count) or "0 s"


def sentence(text: str) -> str:
    """Return a text that ends with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def paragraph(*sentences: str) -> list[str]:
    """Return sentences, wrapped into lines."""
    return textwrap.wrap(" ".join(sentences), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(rows: list[tuple[str, str]]) -> list[str]:
    """Return a line for each label and its value, in two columns."""
    return [f"{label + ':':<15}{value}" for label, value in rows]
