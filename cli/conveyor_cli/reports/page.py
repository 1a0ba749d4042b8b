"""The page of a run that has ended: as it lies beside the receipt, or made from the receipt."""

from typing import NamedTuple

from conveyor.ledger.run_facts import Run
from conveyor.receipt.receipt import Receipt
from conveyor.s3.bucket import Bucket
from conveyor_cli.exits import Exit
from conveyor_cli.files.ended import decoded_receipt, ended_run, with_page
from conveyor_cli.files.explain import explained_for
from conveyor_cli.runs.desk import going
from conveyor_cli.trouble import Trouble


class Page(NamedTuple):
    """The page of a run."""

    html: bytes
    is_made: bool
    """Whether it was made here, since the run has none: its release wrote no pages."""


def page_of_run(bucket: Bucket, run: Run, called: str) -> Page:
    """Return the page of a run. Raises Trouble: if it has not ended, was erased, or may not be read.

    `called`: what commands that are shown call the run.
    """
    with explained_for(run):
        ended = ended_run(bucket, run)
        if ended is None:
            raise _not_ended(bucket, run, called)
        page = with_page(bucket, ended).page
    if page is not None:
        return Page(page, is_made=False)
    from conveyor.page.page import page_of  # noqa: PLC0415 - its template engine is seldom needed

    return Page(page_of(decoded_receipt(ended.data, run, Receipt)).encode(), is_made=True)


def receipt_of_run(bucket: Bucket, run: Run, called: str) -> Receipt:
    """Return the receipt of a run. Raises Trouble as `page_of_run` does."""
    with explained_for(run):
        ended = ended_run(bucket, run)
        if ended is None:
            raise _not_ended(bucket, run, called)
    return decoded_receipt(ended.data, run, Receipt)


def _not_ended(bucket: Bucket, run: Run, called: str) -> Trouble:
    state = going(bucket, run.run).state.words
    message = f"{run.name} has not ended: {state}"
    more = "Its report appears at its end. Follow it until then:"
    return Trouble("not-ended", message, more, commands=(f"conveyor watch {called}",), exit_code=Exit.USAGE)
