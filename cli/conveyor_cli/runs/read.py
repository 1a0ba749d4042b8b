"""Reading runs: the index by listing, and of runs that have not ended their facts, several at a time."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import RUN_ID_FORM, STAMP
from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.spend.index_entry import IndexEntry, entries_by_run
from conveyor_cli.files.ahead import read_ahead
from conveyor_cli.runs.erased import erased_runs
from conveyor_cli.runs.facts import read_refusal
from conveyor_cli.runs.run import ListedRun, of_entry
from conveyor_cli.state import ERASED, LEDGER_GONE, state_of, with_trouble


class _Receipt(msgspec.Struct):
    """What a list needs of the receipt of a run that has no entry in the index."""

    status: str
    requests: int
    results: int
    failures: int
    cost_usd: Decimal | None = None


DECODERS = tuple(map(msgspec.json.Decoder, (Run, Gate, Batch, ValidatedDrop, _Receipt)))
"""Of all that threads decode: made before there are threads.

msgspec learns a type when it first meets it, and the process may crash where two threads do so at once.
"""


def read_runs(bucket: Bucket, since: datetime, now: datetime, project: str | None = None) -> list[ListedRun]:
    """Return the runs since a moment, in the order of a list. Those that have ended have no name yet: see `named`.

    A request for each 500 runs, one for each 1,000 folders of the ledger, two for each project, and five at most for
    each run that has not ended. Runs of earlier versions have no entry: they are found by their folders.
    """
    entries = entries_by_run(index_keys(bucket, since, project))
    ended = [of_entry(each) for each in entries.values() if isinstance(each, IndexEntry) and each.run >= _from(since)]
    known = {each.run for each in ended}
    folders = {run for run in bucket.folders(keys.RUNS, _from(since)) if RUN_ID_FORM.fullmatch(run)}
    left = sorted((folders | {run for run in entries if run >= _from(since)}) - known)
    read = at_once(lambda run: _read(bucket, run, now), left)
    chosen = [each for each in read if project in {None, each.project}]
    erased = erased_runs(bucket, (each.project for each in ended if each.project), since)
    ended = [each._replace(state=ERASED) if each.run in erased else each for each in ended]
    return sorted((*ended, *chosen), key=lambda each: each.order)


def named(bucket: Bucket, runs: Iterable[ListedRun]) -> list[ListedRun]:
    """Return runs with the names of their drops: a request for each that has none."""
    return at_once(lambda each: each if each.name else each._replace(name=_name(bucket, each.run)), list(runs))


def at_once[T, R](read: Callable[[T], R], items: list[T]) -> list[R]:
    """Read several items at a time, and return what was read in their order."""
    return list(read_ahead(read, items, MOST_READS))


def _from(since: datetime) -> str:
    """Return what sorts before the id of each run since a moment."""
    return since.strftime(STAMP)


def index_keys(bucket: Bucket, since: datetime, project: str | None = None) -> list[str]:
    """List the entries of the index since the day of a moment. Each project has a prefix of its own."""
    projects = [project] if project else list(bucket.folders(keys.INDEX, ""))
    after = f"{since:%Y-%m-%d}"
    listed = at_once(lambda each: bucket.list(f"{keys.INDEX}{each}/", after), projects)
    return [key for of_project in listed for key in of_project]


def _name(bucket: Bucket, run: str) -> str:
    """Return the name of a run; its id if its ledger is gone."""
    found = bucket.find(Run.key(run))
    return msgspec.json.decode(found, type=Run).name if found else run


def _read(bucket: Bucket, run: str, now: datetime) -> ListedRun:
    """Return a run that has no entry of its end, by its facts."""
    ledger = Ledger(bucket, run)
    run_state = ledger.run_state()
    if not (found := bucket.find(Run.key(run))):
        return ListedRun(run, LEDGER_GONE)
    fact = msgspec.json.decode(found, type=Run)
    plan = ledger.plan(run_state) if run_state.planned else None
    gate = ledger.read(Gate, run_state.gate) if run_state.gate else None
    state = state_of(run_state, plan, gate, now.date())
    state = with_trouble(state, run_state, read_refusal(ledger, plan, run_state) if plan else None)
    forecast = gate.forecast.usd if gate and gate.forecast else None
    listed = ListedRun(run, state, fact.project, fact.name, _requests(plan), forecast_usd=forecast)
    return _by_receipt(bucket, listed) if state.may_have_ended else listed


def _requests(plan: Plan | None) -> int | None:
    """Return how many requests the drop has."""
    if plan is None:
        return None
    return sum(batch.requests for batch in plan.batches) + (plan.drop.probe.requests if plan.drop.probe else 0)


def _by_receipt(bucket: Bucket, listed: ListedRun) -> ListedRun:
    """Return how a run has ended that wrote no entry, since its version did not; the same run if it has not ended."""
    found = bucket.find(keys.receipt(listed.name or "", listed.run))
    if not found:
        return listed
    told = msgspec.json.decode(found, type=_Receipt)
    counts = (told.requests, told.results, told.failures)
    entry = IndexEntry(listed.project or keys.DEFAULT_PROJECT, listed.run, told.status, *counts, told.cost_usd)
    return of_entry(entry)._replace(name=listed.name)
