"""Why cells of an answer are empty."""

import msgspec

from conveyor_cli.answers.message import CUT_OFF, REFUSED
from conveyor_cli.answers.record import Record
from conveyor_cli.writing.cells import Cell


class Filled(msgspec.Struct):
    """How many cells of a column have a value, and why others have none."""

    column: str
    filled: int = 0
    cut_off: int = 0
    refused: int = 0
    failed: int = 0
    no_request: int = 0
    absent: int = 0
    """Empty for none of these reasons: the answer does not have it."""

    def add(self, record: Record | None, cell: Cell) -> None:
        """Count one more."""
        if cell is not None:
            self.filled += 1
        elif record is None:
            self.no_request += 1
        elif record.answer is None:
            self.failed += 1
        elif record.answer.stop_reason in CUT_OFF:
            self.cut_off += 1
        elif record.answer.stop_reason == REFUSED:
            self.refused += 1
        else:
            self.absent += 1
