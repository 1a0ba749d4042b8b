"""What runs claim for themselves: contents of drops, paid calls, and batches at the provider.

Claims lie outside the ledger, since other runs read them, and since they outlive the loss of a ledger.
"""

from itertools import count

import msgspec

from conveyor.domain import keys
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import Claim, Run
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder().encode


class Claims:
    """The claims of one run."""

    def __init__(self, bucket: Bucket, run: str) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._run = run

    def content(self, content: str, again: str | None = None) -> str | None:
        """Take the first free place among the runs that had some content; return the run that has it already, if any.

        A run that was refused has paid nothing, and makes room for the next. `again`: the word by which a person wants
        it run once more. One that an earlier run bears does not count: a copy of an object bears its metadata.
        """
        for number in count(1):
            other = self._bucket.put_once(keys.dropped(content, number), self._run.encode()).decode()
            if other == self._run:
                return None
            state = Ledger(self._bucket, other).run_state()
            has_run = not state.refused or state.may_have_paid
            if has_run and (again is None or self._again_of(other) == again):
                return other
        raise AssertionError

    def attempt(self, batch: int, number: int, writer: str) -> bool:
        """Take the right to make a paid call; False where this attempt was made before, in a ledger that is gone."""
        key = keys.claimed_attempt(self._run, batch, number)
        return self._bucket.put_once(key, writer.encode()) == writer.encode()

    def owner(self, batch_id: str) -> Claim | None:
        """Return who claims one of the provider's batches; None proves nothing."""
        data = self._bucket.find(keys.claim(batch_id))
        return msgspec.json.decode(data, type=Claim) if data is not None else None

    def take_batch(self, batch_id: str, batch: int) -> Claim:
        """Claim a batch at the provider, unless it is another's; return who has it."""
        claim = Claim(self._run, batch)
        return msgspec.json.decode(self._bucket.put_once(keys.claim(batch_id), _encode(claim)), type=Claim)

    def note_batch(self, batch_id: str, batch: int) -> None:
        """Claim a batch at the provider that is surely ours; submit, which does this, may not read these claims."""
        self._bucket.put_if_absent(keys.claim(batch_id), _encode(Claim(self._run, batch)))

    def _again_of(self, run: str) -> str | None:
        """Return the word that a run bears; None also for one whose ledger is gone."""
        data = self._bucket.find(Run.key(run))
        return msgspec.json.decode(data, type=Run).drop.again if data else None
