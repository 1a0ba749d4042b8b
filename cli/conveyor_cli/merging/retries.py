"""The later drops of a run's `retry.jsonl`, and of theirs."""

from itertools import batched

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import RETRY_OF, RUN_ID_FORM
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor_cli.runs.read import at_once

_STAMP = len("20261130T001253Z")


def retries_of(bucket: Bucket, run: Run) -> list[Run]:
    """Return the runs that sent lines of a run again, or lines of these: each after the run whose lines it has.

    A request for each run since then, and one for each 1,000. Errors are botocore's: see `explained`.
    """
    later = filter(RUN_ID_FORM.fullmatch, bucket.folders(keys.RUNS, run.run[:_STAMP]))
    by_parent: dict[str, list[Run]] = {}
    for some in batched((each for each in later if each != run.run), MOST_READS, strict=False):
        for found in filter(None, at_once(lambda each: _retry(bucket, each), list(some))):
            by_parent.setdefault(found.drop.metadata[RETRY_OF], []).append(found)
    chain, left = list[Run](), [run.run]
    while left:
        children = [child for parent in left for child in by_parent.pop(parent, [])]
        chain += sorted(children, key=lambda each: each.run)
        left = [each.run for each in children]
    return chain


def _retry(bucket: Bucket, run: str) -> Run | None:
    """Return a run if it has lines of another one."""
    data = bucket.find(Run.key(run))
    found = msgspec.json.decode(data, type=Run) if data else None
    return found if found and RETRY_OF in found.drop.metadata else None
