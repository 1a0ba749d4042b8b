"""The run that a drop becomes, once the stack has reacted to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import RUN_ID_FORM, Drop
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.aws.errors import AWS_ERRORS, explain
from conveyor_cli.trouble import Trouble

LONGEST_WAIT = 30.0
"""Seconds for which a reaction of the stack is waited for. It takes two or three, and ten after a deployment."""
_SOON = 5.0
"""Seconds for which a refusal is waited for: of the same bytes, for example."""
_PAUSE = 0.5


class Started(NamedTuple):
    """The run of a drop."""

    run: Run
    refusal: Refusal | None
    """Why the stack refuses it, if it did so soon."""


def await_run(bucket: Bucket, stack_id: str, key: str, version: str) -> Started:
    """Wait until the stack has begun a run for a version. Raises Trouble if it does not react."""
    with _explained():
        try:
            drop = bucket.describe(key, version)
        except Unreadable as error:
            raise _unseen("drop-unreadable", "S3 gives it to you no more") from error
        run = _run_of(bucket, drop, stack_id)
        return Started(run, _refusal_of(bucket, run))


@contextmanager
def _explained() -> Iterator[None]:
    """Raise a Trouble for each error of AWS in the block, which says that the file is there.

    Dropping it again with `--again` pays twice.
    """
    try:
        yield
    except AWS_ERRORS as error:
        why = explain(error)
        raise _unseen(why.code, why.message, *why.commands) from error


def _unseen(code: str, why: str, *commands: str) -> Trouble:
    return Trouble(
        code,
        f"The file is uploaded, but its run cannot be seen: {why}",
        "Its run begins by itself. Do not drop the file again. To see it:",
        commands=(*commands, "conveyor runs"),
    )


def _run_of(bucket: Bucket, drop: Drop, stack_id: str) -> Run:
    until, run_id = monotonic() + LONGEST_WAIT, drop.run_id(stack_id)
    while True:
        if found := bucket.find(Run.key(run_id)):
            return msgspec.json.decode(found, type=Run)
        if monotonic() >= until:
            break
        sleep(_PAUSE)
    # Named after its event, since S3 did not describe the object at first: then only the end of its id is the same.
    suffix = f"-{drop.id_suffix(stack_id)}"
    others = (name for name in bucket.folders(keys.RUNS, "") if name.endswith(suffix) and RUN_ID_FORM.fullmatch(name))
    found = next((data for name in others if (data := bucket.find(Run.key(name)))), None)
    if found:
        return msgspec.json.decode(found, type=Run)
    raise Trouble(
        "no-reaction",
        f"The file is uploaded, and the stack has not reacted within {LONGEST_WAIT:.0f} s",
        "Its run begins once the stack reacts, within a day. Do not drop the file again. To see whether it has begun:",
        commands=("conveyor runs",),
    )


def _refusal_of(bucket: Bucket, run: Run) -> Refusal | None:
    """Return the refusal of a run that just began, if it comes soon."""
    ledger, until = Ledger(bucket, run.run), monotonic() + _SOON
    while True:
        run_state = ledger.run_state()
        if run_state.refused:
            return ledger.read(Refusal)
        if run_state.planned or monotonic() >= until:
            return None
        sleep(_PAUSE)
