"""The faults of a drop, and a summary of them for messages and receipts."""

from collections import Counter
from collections.abc import Sequence

import msgspec

MOST_FIRST = 10
Problem = tuple[str, str]
"""A code, and a message for a person that does not quote a prompt."""

CustomId = str | int
"""A request's id as the user wrote it: 7 is returned as 7, but counts as the same id as "7"."""


class Fault(msgspec.Struct, frozen=True):
    """A fault of a drop; a line of `invalid.jsonl`. `line` and `byte` are null if no single line is at fault."""

    line: int | None
    byte: int | None
    custom_id: CustomId | None
    code: str
    message: str


class FirstFault(msgspec.Struct, frozen=True):
    """One of the first faults. Its message quotes no prompt."""

    line: int | None
    code: str
    message: str


class Findings(msgspec.Struct, frozen=True):
    """A summary of a drop's faults: counts, and up to ten examples, one of each code first."""

    lines: int
    """Lines with faults."""
    codes: dict[str, int]
    """Faults by code, the most frequent first."""
    first: list[FirstFault]
    """In the order of the drop."""


def findings_of(faults: Sequence[Fault]) -> Findings | None:
    """Summarise faults, which are in the order of the drop; None if there are none."""
    if not faults:
        return None
    counts = Counter(fault.code for fault in faults)
    codes = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    first_of_code = {fault.code: at for at, fault in reversed(list(enumerate(faults)))}
    chosen = sorted(first_of_code.values())[:MOST_FIRST]
    others = (at for at in range(min(len(faults), 2 * MOST_FIRST)) if at not in chosen)
    chosen += [at for at, _ in zip(others, range(MOST_FIRST - len(chosen)), strict=False)]
    first = [FirstFault(faults[at].line, faults[at].code, faults[at].message) for at in sorted(chosen)]
    return Findings(len({fault.line for fault in faults}), codes, first)
