"""What is wrong with a drop: its faults, and a short account of them for messages and receipts."""

from collections import Counter
from collections.abc import Sequence

import msgspec

MOST_FIRST = 10


CustomId = str | int
"""What a user may call a request: 7 is given back as 7, but is the same id as "7"."""


class Fault(msgspec.Struct, frozen=True):
    """Something wrong with a drop; a line of `invalid.jsonl`. `line` and `byte` are null where no line is to blame."""

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
    """The faults of a drop: counts, and at most ten, at least one of each code while there is room."""

    lines: int
    """Lines with faults."""
    codes: dict[str, int]
    """Faults by code, the most frequent first."""
    first: list[FirstFault]
    """In the order of the drop."""


def findings_of(faults: Sequence[Fault]) -> Findings | None:
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
    return Findings(len({fault.line for fault in faults}), codes, first)
