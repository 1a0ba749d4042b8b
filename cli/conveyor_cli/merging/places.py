"""Where the results of a run belong among its failures: only failures have the number of their line."""

from array import array
from collections.abc import Sequence

from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.plan import Plan
from conveyor.jsonl.lines import read_lines
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.s3.read_errors import DropUnreadable
from conveyor_cli.files.ended import Ended


class Places:
    """Counts the results before each failure. Failures come in the order of the drop."""

    def __init__(self, blank: Sequence[int]) -> None:
        """`blank`: the numbers of the drop's blank lines."""
        self._blank = blank
        self._blanks = 0
        self._line = 0
        """The number of the last line of the drop that was dealt with."""

    def results_before(self, line: int) -> int:
        """Return how many results are between the last failure and the one of this line."""
        before = self._blanks
        while self._blanks < len(self._blank) and self._blank[self._blanks] < line:
            self._blanks += 1
        count = line - self._line - 1 - (self._blanks - before)
        self._line = line
        return count


def blank_lines(bucket: Bucket, ended: Ended) -> Sequence[int] | None:
    """Return the numbers of the drop's blank lines; None if the results are in no order, or the drop is gone.

    The drop is read only if it has blank lines.
    """
    ledger = Ledger(bucket, ended.run.run)
    run_state = ledger.run_state()
    if not ended.receipt.ordered or not run_state.planned:
        return None
    plan = ledger.plan()
    if plan.batches[-1].last_line == plan.drop.lines:
        return ()
    try:
        return _read_blank_lines(bucket, ended.run, plan)
    except DropUnreadable:
        return None


def _read_blank_lines(bucket: Bucket, run: Run, plan: Plan) -> Sequence[int]:
    last = plan.batches[-1]
    source = Source(keys.unpacked(run.content_prefix)) if last.unpacked else run.drop.source
    blank, before = array("Q"), 0
    for line in read_lines(bucket.stream(source, 0, last.end_byte)):
        blank.extend(range(before + 1, line.number))
        before = line.number
    return blank
