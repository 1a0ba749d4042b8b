"""What is known of a run at one look."""

from collections.abc import Mapping
from datetime import datetime
from shlex import quote
from typing import NamedTuple

from conveyor.domain.observed import TroubleWith
from conveyor.domain.plan import Plan
from conveyor.domain.schedule import BatchName
from conveyor.ledger import run_facts
from conveyor.ledger.batch_facts import AttemptFailed, AttemptRefused, AttemptUnknown, Submitted, Unread
from conveyor.ledger.budget_facts import DayFull
from conveyor.ledger.gate_facts import Gate, GateEnd
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.round_facts import Merged, Round
from conveyor.ledger.run_facts import LastingTrouble, Refusal, RetryAfterAnswer, Run, Validation
from conveyor.ledger.state import RunState
from conveyor.wording.trouble import in_words
from conveyor_cli.runs.tally import Tally
from conveyor_cli.state import State, refused_attempt


def read_refusal(ledger: Ledger, plan: Plan, run_state: RunState) -> AttemptRefused | None:
    """Read the latest answer about the batch that is sent next, if it was not taken. One request at most."""
    found = refused_attempt(plan, run_state)
    if found is None:
        return None
    name, attempt = found
    failed = run_state.of_leg(name.leg).batch(name.number).failed
    kind = AttemptFailed if attempt in failed else AttemptRefused
    return ledger.of_leg(name.leg).read(kind, name.number, attempt)


def first_trouble(run_state: RunState) -> str | None:
    """Return the place of the trouble that lasts, if there is any: one that a person may end first, then the oldest.

    Any other passes by itself.
    """
    by_person = (TroubleWith.CREDENTIALS, run_facts.GONE)

    def order(place: str) -> tuple[int, str, str]:
        kind, _, since = place.partition("-")
        return by_person.index(kind) if kind in by_person else len(by_person), since, kind

    return min(run_state.open_troubles, key=order, default=None)


def words_of(trouble: LastingTrouble) -> str:
    """Return why requests fail, in words."""
    if trouble.kind == run_facts.GONE:
        return f"the provider answers that it does not know a batch ({trouble.reason})"
    return in_words(trouble.reason)


class Refused(NamedTuple):
    """The batch that is sent next, and that the provider has not taken."""

    batch: BatchName
    last: AttemptRefused
    since: datetime
    """When the first of the attempts in a row was refused."""


class Lost(NamedTuple):
    """A batch of which it is not known whether it exists at the provider."""

    batch: BatchName
    fact: AttemptUnknown


class Facts(NamedTuple):
    """What is known of a run that has not ended."""

    run: Run
    run_state: RunState
    state: State
    at: datetime
    """When it was read."""
    plan: Plan | None = None
    gate: Gate | None = None
    gate_end: GateEnd | None = None
    validation: Validation | None = None
    refusal: Refusal | None = None
    full_day: DayFull | None = None
    pause: RetryAfterAnswer | None = None
    rounds: Mapping[int, Round] = {}
    refused: Refused | None = None
    lost: Lost | None = None
    trouble: LastingTrouble | None = None
    """What fails in asking the provider about batches under way."""
    unread: Mapping[BatchName, Unread] = {}
    """The latest reads of results that failed, of batches that are not split yet."""
    tallies: Mapping[BatchName, Tally] = {}
    """Of the batches that are split, as far as their parts were read."""
    merged: Mapping[BatchName, Merged] = {}
    sent: Mapping[BatchName, Submitted] = {}
    """The batches at the provider, as far as these facts were read."""
    unread_facts: int = 0
    """How many facts are left for the next looks."""
    called: str = ""
    """What commands call the run; empty: its name."""

    @property
    def typed_name(self) -> str:
        """What commands call the run, quoted for `sh`."""
        return quote(self.called or self.run.name)
