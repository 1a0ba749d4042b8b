"""The ledger of a run: its facts, as small objects in S3 that are written once."""

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan, decode_plan, encode_plan
from conveyor.ledger.fact import BatchFact, Fact, PlaceValue
from conveyor.ledger.state import RunState, state_from
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Ledger:
    """The facts of one run.

    A fact is named by its class and its place. A fact of a run may have a place; a fact of a batch has the number of
    the batch first.
    """

    def __init__(self, bucket: Bucket, run: str, leg: str = "") -> None:
        """Read nothing yet. `leg`: whose batches facts are about; empty for those of the drop itself."""
        self._bucket = bucket
        self._run = run
        self._leg = leg

    def of_leg(self, leg: str) -> "Ledger":
        """Return the ledger of the same run for the batches of a leg."""
        return Ledger(self._bucket, self._run, leg)

    def run_state(self) -> RunState:
        """List the ledger and return which facts exist. Only this listing shows that a fact does not exist."""
        return state_from(self._run, self._bucket.list(keys.ledger(self._run))).of_leg(self._leg)

    def read[F: Fact](self, kind: type[F], *place: PlaceValue) -> F:
        """Return a fact that is known to exist."""
        return msgspec.json.decode(self._bucket.get(self._key(kind, place)), type=kind)

    def write[F: Fact](self, fact: F, *place: PlaceValue) -> F:
        """Write a fact unless it exists, and return the one that stands: this one, or another writer's.

        A writer that gets back the intent of another (`Attempt`, `Splitting`) must not do what it announces.
        """
        key = self._key(type(fact), place)
        return msgspec.json.decode(self._bucket.put_once(key, _encode(fact)), type=type(fact))

    def plan(self) -> Plan:
        """Return the plan, which is known to exist."""
        return decode_plan(self._bucket.get(keys.plan(self._run)))

    def write_plan(self, plan: Plan) -> Plan:
        """Write the plan unless it exists, and return the one that stands: this one, or another writer's."""
        return decode_plan(self._bucket.put_once(keys.plan(self._run), encode_plan(plan)))

    def _key(self, kind: type[Fact], place: tuple[PlaceValue, ...]) -> str:
        return kind.key(keys.leg_id(self._run, self._leg) if issubclass(kind, BatchFact) else self._run, *place)
