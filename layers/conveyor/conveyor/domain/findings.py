"""What was found wrong with the lines of a drop, in short, as messages and receipts say it."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from conveyor.validation.rules import Fault

MOST_FIRST = 10


class FirstFault(msgspec.Struct, frozen=True):
    """One of the first faults. Its message quotes no prompt."""

    line: int | None
    code: str
    message: str


class Found(msgspec.Struct, frozen=True):
    """The faults of a drop: counts, and at most ten, at least one of each code while there is room."""

    lines: int
    """Lines with faults."""
    codes: dict[str, int]
    """Faults by code, the most frequent first."""
    first: list[FirstFault]
    """In the order of the drop."""


def found_in(faults: Sequence[Fault]) -> Found | None:
    """Return what there is to say of faults in the order of the drop; None where there are none."""
    if not faults:
        return None
    counts = Counter(fault.code for fault in faults)
    codes = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
    first_of_code = {fault.code: at for at, fault in reversed(list(enumerate(faults)))}
    chosen = sorted(first_of_code.values())[:MOST_FIRST]
    others = (at for at in range(min(len(faults), 2 * MOST_FIRST)) if at not in chosen)
    chosen += [at for at, _ in zip(others, range(MOST_FIRST - len(chosen)), strict=False)]
    first = [FirstFault(faults[at].line, faults[at].code, faults[at].message) for at in sorted(chosen)]
    return Found(len({fault.line for fault in faults}), codes, first)
