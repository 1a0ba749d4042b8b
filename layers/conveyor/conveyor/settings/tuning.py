"""The parameter `Tuning`: times and limits that tests and experts change.

    Tuning=poll-min-seconds=1,settle-seconds=2

Faults are described in words for the person who deploys: CloudFormation can only refuse the whole text.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

PARAMETER = "Tuning"


class Number(NamedTuple):
    """A number that can be tuned. It sets the field of `Settings` of the same name."""

    default: int
    least: int
    most: int
    meaning: str
    """For `docs/settings.md`."""


_DAY, _WEEK = 86_400, 604_800
TUNING: Mapping[str, Number] = MappingProxyType({
    "poll_min_seconds": Number(
        30, 1, 900,
        "Shortest wait between two checks of a run. In between, the wait is a tenth of the time that has passed.",
    ),
    "poll_max_seconds": Number(
        300, 1, 900,
        "Longest wait between two checks of a run, not below poll-min-seconds. Alarms about runs that wait need a "
        "check in 15 minutes.",
    ),
    "post_seconds": Number(
        600, 5, 800,
        "Timeout of the one call that creates a batch. It ends at least a minute before the 900 seconds of submit.",
    ),
    "settle_seconds": Number(
        900, 1, _DAY,
        "Time within which the provider is sure to list a batch after the call that created it. After a lost response, "
        "a batch that is not listed by then is sent again: too low a value may pay for it twice.",
    ),
    "reread_seconds": Number(
        600, 1, _DAY,
        "Wait between two reads of results that lack a line. A line is called missing after three complete reads.",
    ),
    "trouble_seconds": Number(
        21_600, 1, _WEEK,
        "Time of trouble with the provider after which one message reports it. The run continues.",
    ),
    "probe_seconds": Number(
        3_600, 1, _DAY,
        "Time for which the rest of a drop waits for the answer to its probe, if it may cost no more than the limits "
        "allow.",
    ),
    "round_seconds": Number(
        600, 1, _DAY,
        "Pause between the last results and the first round of requests that are sent again. Before each later round "
        "the pause is six times as long.",
    ),
    "budget_day_seconds": Number(
        _DAY, 1, _DAY,
        "Length of the days that usd_per_day in config/budgets.json is about. They are counted from midnight UTC. A "
        "shorter one is for tests.",
    ),
    "max_events": Number(
        15_000, 50, 20_000,
        "Events after which a run continues in a new execution. AWS ends an execution at 25,000 events, and retries "
        "need room, too.",
    ),
    "max_bytes_per_drop": Number(
        20_000_000_000, 1_000, 50_000_000_000,
        "Largest drop, in bytes after unpacking: what one function can check within its 15 minutes. A larger drop is "
        "refused, with the command that splits it.",
    ),
    "max_requests_per_batch": Number(
        0, 0, 100_000,
        "Most requests in one batch. 0 for the limit of the batch API: 100,000 (messages) or 50,000 (files).",
    ),
    "max_bytes_per_batch": Number(
        0, 0, 256_000_000,
        "Largest request body of one batch, in bytes. 0 for the limit of the batch API: 256,000,000 (messages) or "
        "200,000,000 (files).",
    ),
    "max_tokens_per_batch": Number(
        1_500_000_000, 1, 9_000_000_000,
        "Largest sum of max_tokens in one batch: one function must split its results within its time and disk. A "
        "single request may have more.",
    ),
    "max_invalid_percent": Number(
        50, 0, 100,
        "Largest share of invalid lines in a drop, in percent. If more lines are invalid, nothing is sent, even with "
        "OnInvalid=skip: it is probably the wrong file. 100 for no limit.",
    ),
})  # fmt: skip
"""By the field of `Settings`. Bounds are those of what is deployed: a run keeps what was allowed when it began."""
_BETWEEN = re.compile(" *, *| +")
_NUMBER = re.compile("0|[1-9][0-9]{0,14}")
_SEPARATORS = re.compile("[^a-z0-9]")
_QUOTED = 40
"""Characters of a wrong word that an error quotes."""


class BadTuning(ValueError):
    """A text cannot be the parameter `Tuning`. The message says what is wrong, what is allowed, and what to type."""


def name_of(field: str) -> str:
    """Return the name of a field in `Tuning`: `settle-seconds`."""
    return field.replace("_", "-")


def read_tuning(text: str) -> dict[str, int]:
    """Return the numbers that a text gives, by the field of `Settings` that each sets.

    Raises BadTuning, also for two numbers that cannot be in force together.
    """
    given = read_numbers(text)
    _check_together(defaults() | given)
    return given


def read_numbers(text: str) -> dict[str, int]:
    """Return the numbers that a text gives, whatever they are together. Raises BadTuning."""
    given: dict[str, int] = {}
    for field, number in _pairs(text):
        if field in given:
            raise BadTuning(
                f"{PARAMETER} names {name_of(field)} twice, as {given[field]} and as {number}; remove one of them"
            )
        given[field] = number
    return given


def write_tuning(numbers: Mapping[str, int]) -> str:
    """Return the text that gives numbers, by field, as `read_tuning` reads it."""
    return ",".join(f"{name_of(field)}={number}" for field, number in numbers.items())


def defaults() -> dict[str, int]:
    """Return the numbers that are in force with an empty text, by field."""
    return {field: number.default for field, number in TUNING.items()}


def _pairs(text: str) -> Iterator[tuple[str, int]]:
    words = _BETWEEN.split(text.strip(" ")) if text.strip(" ") else []
    for word in words:
        if not word:
            raise BadTuning(f"{PARAMETER} has a comma too many; write name=number with one comma, or blanks, between")
        name, equals, value = word.partition("=")
        if not equals and name.isdigit():
            raise BadTuning(
                f"{PARAMETER} has a number without a name, {_quoted(word)}; write numbers without commas in them"
            )
        field = _field(name)
        if not equals:
            raise BadTuning(f"{name} in {PARAMETER} has no number; write {name}={TUNING[field].default}, for example")
        yield field, _number(field, value)


def _field(name: str) -> str:
    by_name = {name_of(field): field for field in TUNING}
    if name in by_name:
        return by_name[name]
    bare = {_bare(known): known for known in by_name}
    guess = next(iter(get_close_matches(_bare(name), bare, 1)), None)
    advice = f"did you mean {bare[guess]}?" if guess else f"expected one of: {', '.join(by_name)}"
    raise BadTuning(f"unknown name {_quoted(name)} in {PARAMETER}; {advice}")


def _number(field: str, value: str) -> int:
    known, name = TUNING[field], name_of(field)
    number = int(value) if _NUMBER.fullmatch(value) else None
    if number is not None and known.least <= number <= known.most:
        return number
    nearest = known.default if number is None else min(max(number, known.least), known.most)
    raise BadTuning(
        f"{name} in {PARAMETER} is {_quoted(value)}; expected a whole number from {known.least:,} to {known.most:,}, "
        f"without separators: write {name}={nearest}, for example"
    )


def _check_together(numbers: Mapping[str, int]) -> None:
    shortest, longest = numbers["poll_min_seconds"], numbers["poll_max_seconds"]
    if shortest > longest:
        raise BadTuning(
            f"{PARAMETER} makes the shortest wait between two checks, poll-min-seconds={shortest}, longer than the "
            f"longest, poll-max-seconds={longest}; write both: poll-min-seconds={shortest},poll-max-seconds={shortest}"
        )


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())


def _quoted(word: str) -> str:
    return f'"{word}"' if len(word) <= _QUOTED else f'"{word[:_QUOTED]}…"'
