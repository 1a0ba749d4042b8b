"""A run's memory: typed facts over S3."""

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan, decode_plan, encode_plan
from conveyor.ledger.fact import Fact
from conveyor.ledger.state import RunState, state_from
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder().encode


class Ledger:
    """The facts of one run.

    A fact is named by its class and its place: none for a fact of the run; the batch, and the number or id if the fact
    has one, for a fact of a batch.
    """

    def __init__(self, bucket: Bucket, run: str) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._run = run

    def run_state(self) -> RunState:
        """Return which facts are written down: absence is concluded from this listing only."""
        return state_from(self._run, self._bucket.list(keys.ledger(self._run)))

    def read[F: Fact](self, kind: type[F], *place: int | str) -> F:
        """Return a fact that is known to be written down."""
        return msgspec.json.decode(self._bucket.get(kind.key(self._run, *place)), type=kind)

    def write[F: Fact](self, fact: F, *place: int | str) -> F:
        """Write a fact down, and return the one that stands: this one, or the one another writer wrote before.

        Whoever gets back another's intent (`Attempt`, `Splitting`) must not do what it announces.
        """
        return msgspec.json.decode(self._bucket.put_once(fact.key(self._run, *place), _encode(fact)), type=type(fact))

    def plan(self) -> Plan:
        """Return what was checked and the batches of the drop."""
        return decode_plan(self._bucket.get(keys.plan(self._run)))

    def write_plan(self, plan: Plan) -> None:
        """Write down the batches of the drop; another's plan is the same, since it follows from drop and settings."""
        self._bucket.put_if_absent(keys.plan(self._run), encode_plan(plan))
