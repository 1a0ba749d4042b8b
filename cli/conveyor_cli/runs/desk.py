"""What a person decides about a run: where it stands, and the objects by which they say so."""

from datetime import UTC, datetime
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.ledger.state import BatchState, RunState
from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import IndexEntry, read_index_entry
from conveyor_cli.exits import Exit
from conveyor_cli.runs.facts import read_refusal
from conveyor_cli.runs.find import find_named
from conveyor_cli.state import Group, State, ended, state_of, with_trouble
from conveyor_cli.trouble import Trouble


class Requests(NamedTuple):
    """How many requests of a run have come how far. A request that a round sends again counts once."""

    unsent: int = 0
    unknown: int = 0
    """Of batches whose paid call has not been answered: they may be with the provider, and be charged."""
    under_way: int = 0
    done: int = 0


class Going(NamedTuple):
    """A run that has not ended."""

    run: Run
    state: State
    run_state: RunState
    plan: Plan | None
    gate: Gate | None
    others: tuple[str, ...] = ()
    """Older runs of the same name, if it was named so."""

    @property
    def held_at(self) -> Gate | None:
        """The gate at which it waits for a person; None if it does not."""
        return self.gate if self.state.group is Group.NEEDS_YOU else None

    def control(self, name: str) -> str:
        """Return the key by which a person says something, under the run's project: there policies can grant it."""
        _, of_project = keys.controls(self.run.run, self.run.project)
        return of_project + name

    @property
    def requests(self) -> Requests:
        """How far its requests have come."""
        if self.plan is None:
            return Requests()
        counts = dict.fromkeys(Requests._fields, 0)
        for leg, batch in self.plan.all_batches():
            if not keys.round_number(leg):
                counts[_place(self.run_state.of_leg(leg).batch(batch.number))] += batch.requests
        return Requests(**counts)


def going(bucket: Bucket, called: str) -> Going:
    """Return a run that has not ended, by its id or name. Raises Trouble for one that has."""
    run, others = find_named(bucket, called, reads_all=True)
    if entry := _end(bucket, run):
        message = f"{run.name} has ended: {ended(entry).words}"
        raise Trouble("ended", message, "Nothing was changed.", exit_code=Exit.USAGE)
    ledger = Ledger(bucket, run.run)
    run_state = ledger.run_state()
    plan = ledger.plan(run_state) if run_state.planned else None
    gate = ledger.read(Gate, run_state.gate) if run_state.gate else None
    state = state_of(run_state, plan, gate, datetime.now(UTC).date())
    state = with_trouble(state, run_state, read_refusal(ledger, plan, run_state) if plan else None)
    if state.may_have_ended and bucket.find(keys.receipt(run.name, run.run)):  # an earlier version wrote no entry
        raise Trouble("ended", f"{run.name} has ended", "Nothing was changed.", exit_code=Exit.USAGE)
    return Going(run, state, run_state, plan, gate, others)


def _end(bucket: Bucket, run: Run) -> IndexEntry | None:
    """Return how a run has ended, by its entry in the index; None if it has none."""
    listed = bucket.list(keys.index_entry(run.project, run.run, ""))
    return next(filter(None, map(read_index_entry, listed)), None)


def _place(batch: BatchState) -> str:
    if batch.parted or batch.stuck:
        return "done"
    if batch.submitted:
        return "under_way"
    return "unknown" if batch.unsettled_attempt else "unsent"
