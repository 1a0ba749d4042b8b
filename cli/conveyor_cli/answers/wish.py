"""What a person has asked for."""

from pathlib import Path
from typing import NamedTuple

from conveyor_cli.answers.record import Record
from conveyor_cli.exits import Exit
from conveyor_cli.files.disk import refuse_no_file
from conveyor_cli.tables.table import Reading
from conveyor_cli.trouble import Trouble

CSV, PARQUET, SHEET = ".csv", ".parquet", ".xlsx"


class Wish(NamedTuple):
    """Which rows and columns, and where they go."""

    output: Path
    join: Path | None = None
    on: str | None = None
    reading: Reading = Reading()
    fields: str | None = None
    failed: bool = False
    stop_reason: str | None = None
    excel: bool = False
    force: bool = False

    def check(self) -> None:
        """Raise Trouble for what cannot be done, before anything is read."""
        kinds = (CSV, PARQUET, SHEET)
        if self.output.suffix.lower() not in kinds:
            raise _usage(f"{self.output} ends in none of {', '.join(kinds)}")
        if self.excel and self.output.suffix.lower() != CSV:
            raise _usage("--excel is for .csv: a workbook is for Excel in any case")
        if self.failed and (self.stop_reason or self.fields):
            raise _usage("--failed excludes --stop-reason and --fields: a failure has no answer")
        if self.on and not self.join:
            raise _usage("--on names a column of the table that --join names")
        if self.join and self.join.is_dir():
            raise _usage("--join takes a table, not a folder: its columns come with the answers")
        refuse_no_file(self.output)
        if self.output.exists() and not self.force:
            message = f"{self.output} exists already"
            raise Trouble("exists", message, "Nothing was changed. Replace it with --force.", exit_code=Exit.USAGE)

    @property
    def is_filtered(self) -> bool:
        """Whether only some rows are wanted."""
        return self.failed or self.stop_reason is not None

    def wants(self, record: Record) -> bool:
        """Return whether an outcome is wanted."""
        if self.failed:
            return record.answer is None
        return self.stop_reason is None or bool(record.answer and record.answer.stop_reason == self.stop_reason)


def _usage(message: str) -> Trouble:
    return Trouble("usage", message, "Nothing was changed.", exit_code=Exit.USAGE)
