"""What runs claim: the content of a drop, a paid call, a batch at the provider, and a message about a project.

Claims lie outside the ledger: other runs read them, and they still exist if a ledger is deleted.
"""

from itertools import count

import msgspec

from conveyor.domain import keys
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket

_encode = msgspec.json.Encoder().encode


class Claim(msgspec.Struct, frozen=True):
    """`claims/batches/<batch id>`: which run owns one of the provider's batches."""

    run: str
    batch: int
    project: str = ""
    """Who the run is for; empty in claims of earlier versions."""


_decode = msgspec.json.Decoder(Claim).decode
"""Made before any thread starts: see `ledger.py`."""


class Claims:
    """The claims of one run."""

    def __init__(self, bucket: Bucket, run: str, project: str) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._run = run
        self._project = project

    def claim_content(self, content: str, again: str | None = None) -> str | None:
        """Claim some content for this run; return the earlier run that has it, or None if the claim succeeded.

        A run that was refused and paid nothing does not keep its claim. `again`: the value of the drop's metadata that
        permits a second run. A value that an earlier run has does not count: a copy of an object has its metadata.
        """
        for number in count(1):
            other = self._bucket.put_once(keys.dropped(content, number), self._run.encode()).decode()
            if other == self._run:
                return None
            state = Ledger(self._bucket, other).run_state()
            keeps_claim = not state.refused or state.may_have_paid
            if keeps_claim and (again is None or self._again_of(other) == again):
                return other
        raise AssertionError

    def claim_attempt(self, batch: int, number: int, writer: str) -> bool:
        """Claim a paid call; False if it was made before, by a run whose ledger was deleted since."""
        key = keys.claimed_attempt(self._run, batch, number)
        return self._bucket.put_once(key, writer.encode()) == writer.encode()

    def claim_message(self, log: str, day: str, percent: int) -> bool:
        """Claim the message that says that so much of a day's ceiling is taken; False if another run sends it."""
        return self._bucket.put_once(keys.spend_told(log, day, percent), self._run.encode()) == self._run.encode()

    def claim_batch(self, batch_id: str, batch: int) -> Claim:
        """Claim a batch at the provider unless another run has it; return the claim that stands."""
        claim = Claim(self._run, batch, self._project)
        return _decode(self._bucket.put_once(keys.claim(batch_id), _encode(claim)))

    def claim_own_batch(self, batch_id: str, batch: int) -> None:
        """Claim a batch that is known to be this run's. Needs no permission to read claims."""
        self._bucket.put_if_absent(keys.claim(batch_id), _encode(Claim(self._run, batch, self._project)))

    def owner_of(self, batch_id: str) -> Claim | None:
        """Return who claims one of the provider's batches; None proves nothing."""
        data = self._bucket.find(keys.claim(batch_id))
        return _decode(data) if data is not None else None

    def project_of(self, batch_id: str) -> str | None:
        """Return the project of the run that claims a batch; None if no claim that can be read names one."""
        try:
            owner = self.owner_of(batch_id)
        except msgspec.DecodeError:
            return None
        return (owner.project or None) if owner else None

    def _again_of(self, run: str) -> str | None:
        """Return the value of `again` in the drop of a run; None also if its ledger was deleted."""
        data = self._bucket.find(Run.key(run))
        return msgspec.json.decode(data, type=Run).drop.again if data else None
