"""The ledger of a run: its facts, as small objects in S3 that are written once."""

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan, decode_plan, encode_plan
from conveyor.ledger.fact import Fact, PlaceValue
from conveyor.ledger.state import RunState, state_from
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Ledger:
    """The facts of one run.

    A fact is named by its class and its place. A fact of a run may have a place; a fact of a batch has the number of
    the batch first.
    """

    def __init__(self, bucket: Bucket, run: str) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._run = run

    def run_state(self) -> RunState:
        """List the ledger and return which facts exist. Only this listing shows that a fact does not exist."""
        return state_from(self._run, self._bucket.list(keys.ledger(self._run)))

    def read[F: Fact](self, kind: type[F], *place: PlaceValue) -> F:
        """Return a fact that is known to exist."""
        return msgspec.json.decode(self._bucket.get(kind.key(self._run, *place)), type=kind)

    def write[F: Fact](self, fact: F, *place: PlaceValue) -> F:
        """Write a fact unless it exists, and return the one that stands: this one, or another writer's.

        A writer that gets back the intent of another (`Attempt`, `Splitting`) must not do what it announces.
        """
        return msgspec.json.decode(self._bucket.put_once(fact.key(self._run, *place), _encode(fact)), type=type(fact))

    def plan(self) -> Plan:
        """Return the plan, which is known to exist."""
        return decode_plan(self._bucket.get(keys.plan(self._run)))

    def write_plan(self, plan: Plan) -> Plan:
        """Write the plan unless it exists, and return the one that stands: this one, or another writer's."""
        return decode_plan(self._bucket.put_once(keys.plan(self._run), encode_plan(plan)))
