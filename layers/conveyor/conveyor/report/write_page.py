"""Writes the page of a run, `report.html`. Only here is it loaded: its template engine takes time of a cold start."""

import traceback
from pathlib import Path

from conveyor.domain import keys
from conveyor.receipt.receipt import Receipt
from conveyor.s3.bucket import Bucket
from conveyor.wording.console import Console


def write_page(receipt: Receipt, console: Console, bucket: Bucket) -> str | None:
    """Write the page of a run; return why it has none, if it has none.

    A page that cannot be made must not keep a run from ending, so what is raised is returned: type and place of the
    error, without its text, which may quote the receipt. Errors of S3 are raised: they pass, and the run is reported
    again.
    """
    try:
        from conveyor.page.page import page_of  # noqa: PLC0415 - see above

        html = page_of(receipt, console)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return _named(error)
    bucket.put_page(keys.report(receipt.name, receipt.run), html)
    return None


def _named(error: Exception) -> str:
    """Return the type of an error, and where it was raised."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
