"""Result lines become outputs of requests: matched by id, each request once, and counted.

Results go to a spool first (`spool.py`), or to the output files at once (`as_received.py`).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Protocol, Self

import orjson
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import line_of
from conveyor.domain.outcome import Error, Outcome, Result, failure
from conveyor.domain.plan import Skipped
from conveyor.ledger.part import Answer  # noqa: TC001
from conveyor.money.prices import PRICES, Prices
from conveyor.split.answers import answer_of
from conveyor.split.job import SplitJob
from conveyor.split.outputs import Output, Outputs
from conveyor.split.tally import Failures, Tally


class Receiver(Protocol):
    """Where a collector puts what it has collected."""

    def is_request(self, line: int) -> bool:
        """Tell whether a line of the drop may be a request of the batch."""
        ...

    def has_result(self, line: int) -> bool:
        """Tell whether a line has a result."""
        ...

    def add(self, line: int, output: Output) -> None:
        """Take the output of a request."""
        ...

    def set_aside(self, raw: bytes) -> None:
        """Take a line of the provider, without line feed, that could not be delivered unchanged."""
        ...


class Collector:
    """Takes the result lines of one batch in any order. Of several for one request, the first readable one counts.

    Holds no result, except the errors and checksums of those that are no JSON.
    """

    def __init__(  # noqa: PLR0913
        self,
        nonce: str,
        receiver: Receiver,
        *,
        resendable: bool = True,
        has_rounds: bool = False,
        prices: Prices = PRICES,
        drop_line: Callable[[int | None], int | None] | None = None,
        keeps_answers: bool = False,
        failures: Failures | None = None,
    ) -> None:
        """Start without results.

        `nonce`: the beginning of the ids under which the requests were sent. `resendable`: whether the requests' lines
        can be copied to `retry.jsonl`. `has_rounds`: whether a round sends some again. `prices`: those of the run.
        `drop_line`: returns the number in the drop of a line, where they differ. `keeps_answers`: whether `answers`
        gets each outcome. `failures`: counts those of the batch.
        """
        self.tally = Tally(prices, failures)
        self.answers: list[Answer] = []
        self._nonce = nonce
        self._receiver = receiver
        self._resendable = resendable
        self._has_rounds = has_rounds
        self._prices = prices
        self._drop_line = drop_line
        self._keeps_answers = keeps_answers
        self._broken = dict[int, Result]()
        """By line: results that are no JSON, with a checksum instead of the bytes. A later one may be complete."""

    @classmethod
    def of(cls, job: SplitJob, receiver: Receiver, failures: Failures | None = None) -> Self:
        """Return the collector of one split. `failures`: counts those of the batch."""
        return cls(
            job.nonce,
            receiver,
            resendable=job.is_resendable,
            has_rounds=job.has_rounds,
            prices=job.prices,
            drop_line=job.drop_line if job.context.leg else None,
            keeps_answers=job.context.leg == keys.PROBE,
            failures=failures,
        )

    def add(self, result: Result) -> None:
        """Take one result line. It is also set aside if it is not delivered, or not delivered unchanged."""
        line = line_of(result.wire_id, self._nonce)
        if line is None or not self._receiver.is_request(line):
            self.tally.add_foreign(result)
            self._receiver.set_aside(result.raw)
        elif self._receiver.has_result(line) or (result.is_broken and line in self._broken):
            self.tally.repeated += 1
            self._receiver.set_aside(result.raw)
        elif result.is_broken:
            self._broken[line] = replace(result, raw=sha256(result.raw).digest()[:8])
            self._receiver.set_aside(result.raw)
        else:
            self.tally.repeated += self._broken.pop(line, None) is not None
            self._receiver.add(line, self.output_of(result, line))
            if result.must_be_kept:
                self._receiver.set_aside(result.raw)

    @property
    def broken(self) -> list[tuple[int, bytes]]:
        """Lines whose only result is no JSON, with a checksum of it."""
        return sorted((line, result.raw) for line, result in self._broken.items())

    def broken_result(self, line: int) -> Result | None:
        """Return the failure that a result which is no JSON amounts to."""
        return self._broken.get(line)

    def finish(self) -> None:
        """Deliver results that are no JSON as failures: reading again would not help. Nothing is added afterwards."""
        for line, result in self._broken.items():
            self._receiver.add(line, self.output_of(result, line))

    def output_of(self, result: Result, line: int | None) -> Output:
        """Count a request's final result, and return its output."""
        number = self._drop_line(line) if self._drop_line else line
        output = Output.of(result, number, resendable=self._resendable, has_rounds=self._has_rounds)
        self.tally.add(result, output.kind, number)
        if self._keeps_answers and number is not None:
            self.answers.append(answer_of(number, result, self._prices))
        return output

    def write_skipped(self, skipped: Skipped, outputs: Outputs) -> None:
        """Count and write an invalid line that was not sent, with its id as far as it could be read."""
        result = failure(Outcome.INVALID, Error(skipped.code, skipped.message))
        outputs.add(orjson.dumps(skipped.custom_id), self.output_of(result, skipped.line), skipped.line)
