"""The ledger of a run: its facts, as small objects in S3 that are written once."""

import msgspec
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.plan import Plan, decode_plan, encode_plan
from conveyor.ledger.fact import BatchFact, Fact, PlaceValue, kinds_of
from conveyor.ledger.state import RunState, state_from
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder(decimal_format="number").encode
_LEARNED = [msgspec.json.Decoder(kind) for base in (Fact, BatchFact) for kind in kinds_of(base).values()]
"""Made before any thread starts: msgspec 0.22 may crash where two threads are the first to decode a type."""


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

    def plan(self, run_state: RunState | None = None) -> Plan:
        """Return the plan, which is known to exist. `run_state`: with the plans of the rounds that it shows."""
        plan = decode_plan(self._bucket.get(keys.plan(self._run)))
        legs = map(keys.round_leg, sorted(run_state.planned_rounds)) if run_state else ()
        rounds = {leg: self._bucket.get(keys.plan(keys.leg_id(self._run, leg))) for leg in legs}
        return replace(plan, rounds={leg: decode_plan(data).batches for leg, data in rounds.items()})

    def write_plan(self, plan: Plan) -> Plan:
        """Write the plan of the run, or of the round, unless it exists, and return the one that stands."""
        key = keys.plan(keys.leg_id(self._run, self._leg))
        return decode_plan(self._bucket.put_once(key, encode_plan(plan)))

    def _key(self, kind: type[Fact], place: tuple[PlaceValue, ...]) -> str:
        return kind.key(keys.leg_id(self._run, self._leg) if issubclass(kind, BatchFact) else self._run, *place)
