"""What the receipt of a run that has ended says of its files."""

from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import read_index_entry
from conveyor_cli.runs.erased import refuse_erased
from conveyor_cli.trouble import Trouble


class Receipt(msgspec.Struct, frozen=True):
    """What a desk needs of `receipt.json`."""

    run: str
    status: str
    requests: int
    results: int
    failures: int
    not_run: int
    files: list[OutputFile]
    ordered: bool = True
    retryable: int = 0


class Ended(NamedTuple):
    """A run that has ended."""

    run: Run
    receipt: Receipt
    data: bytes
    """The receipt, as it is stored."""
    page: bytes | None = None
    """`report.html`, once it was asked for (`with_page`): runs of earlier releases have none."""

    def file(self, name: str) -> OutputFile | None:
        """Return the account of one of its files by name; None if it has none."""
        return next((file for file in self.receipt.files if keys.file_of(file.key) == name), None)


def ended_run(bucket: Bucket, run: Run) -> Ended | None:
    """Return a run with its receipt; None if it has not ended. Raises Trouble for one that was erased.

    Other errors are botocore's: see `explained`.
    """
    key = keys.receipt(run.name, run.run)
    listed = bucket.list(keys.index_entry(run.project, run.run, ""))
    has_ended = any(map(read_index_entry, listed))
    data = bucket.find(key)
    if data is None and has_ended:  # runs of earlier versions have no entries
        refuse_erased(bucket, run)
        data = bucket.get(key)
    return Ended(run, decoded_receipt(data, run, Receipt), data) if data else None


def decoded_receipt[T](data: bytes, run: Run, kind: type[T]) -> T:
    """Return a receipt. Raises Trouble for one that this release cannot read."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        message = f"The receipt of {run.name} is of another release than this command"
        raise Trouble("another-release", message, "Install the command of the stack's release.") from error


def with_page(bucket: Bucket, ended: Ended) -> Ended:
    """Add the page of a run, if it has one. It is small, and one request reads all of one content."""
    return ended._replace(page=bucket.find(keys.report(ended.run.name, ended.run.run)))
