"""Reads which runs under way are in trouble, from the names in their ledgers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from conveyor.domain import keys
from conveyor.ledger.run_facts import LastingTrouble, TroubleOver
from conveyor.ledger.state import state_from
from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import StartEntry, entries_by_run
from conveyor_cli.doctor.checks import runs
from conveyor_cli.doctor.finding import Finding
from conveyor_cli.doctor.reading.desk import Desk
from conveyor_cli.runs.facts import first_trouble
from conveyor_cli.runs.read import at_once, index_keys

_SINCE = timedelta(days=60)
"""Age of the oldest run that is looked for."""
_MOST_RUNS = 500
"""Runs that are looked at: the newest of those that have not ended. Each costs a request."""


def troubles(desk: Desk) -> Finding:
    """Read what fails in asking about batches.

    A request for each run, one more for each in trouble, and one for each that is named.
    """
    bucket = desk.chosen.bucket
    entries = entries_by_run(index_keys(bucket, datetime.now(UTC) - _SINCE))
    going = sorted((run for run, entry in entries.items() if isinstance(entry, StartEntry)), reverse=True)
    looked = sorted(going[:_MOST_RUNS])
    places = zip(looked, at_once(lambda run: _trouble_place(bucket, run), looked), strict=True)
    troubled = {run: place for run, place in places if place}
    named, gone = _named(bucket, troubled)
    return runs.troubles(named, len(troubled) - gone, len(looked) - gone, len(going) - len(looked))


def _named(bucket: Bucket, troubled: Mapping[str, str]) -> tuple[dict[str, LastingTrouble], int]:
    """Return the troubles that are named, and how many runs before them were deleted meanwhile."""
    named, gone = dict[str, LastingTrouble](), 0
    for run, place in troubled.items():
        if len(named) == runs.SHOWN:
            break
        if found := bucket.find(LastingTrouble.key(run, place)):
            named[run] = msgspec.json.decode(found, type=LastingTrouble)
        else:
            gone += 1
    return named, gone


def _trouble_place(bucket: Bucket, run: str) -> str | None:
    """Return the place of a run's trouble, if it has any: without its batches, which a run may have by thousands.

    Those of the sample and of rounds stand between the two kinds of facts, so each kind is listed by itself.
    """
    begun = bucket.list(f"{keys.ledger(run)}{LastingTrouble.KIND}-")
    return (
        first_trouble(state_from(run, begun + bucket.list(f"{keys.ledger(run)}{TroubleOver.KIND}-"))) if begun else None
    )
