"""Results too large for the disk are written in the order in which they arrive: all of them, and counted the same."""

from collections.abc import Sequence

from conveyor.domain.outcome import OutputKind, missing_beside
from conveyor.split.collector import Collector
from conveyor.split.job import SplitJob
from conveyor.split.outputs import NO_ID, Output, Outputs, Written, open_outputs
from conveyor.split.pauses import MissingResults, is_settled
from conveyor.split.tally import Failures


class _ResultsMissingError(Exception):
    """Some requests have no result yet: what was written is discarded."""


def write_as_received(job: SplitJob, batch_id: str) -> Written | None:
    """Read all results and write each at once; None if results are missing that may still arrive.

    Holds the ids of a batch's requests, and the numbers of those worth sending again. Raises ResultsUnreadable.
    """
    custom_ids = _custom_ids(job)
    failures = Failures()
    try:
        with open_outputs(job, failures, has_again=job.keeps_lines) as outputs:
            receiver = _Receiver(job, custom_ids, outputs)
            collector = Collector.of(job, receiver, failures)
            with job.context.api.results(batch_id) as results:
                for result in results:
                    collector.add(result)
            _finish(job, collector, receiver, outputs)
    except _ResultsMissingError:
        return None
    return Written(
        outputs.files,
        ordered=False,
        unaccounted=[],
        tally=collector.tally,
        answers=collector.answers,
        again=outputs.again,
    )


def _custom_ids(job: SplitJob) -> dict[int, bytes]:
    """Return the ids of all requests by line; none if it is unknown which lines are requests."""
    if job.has_unknown_lines:
        return {}
    if job.drop_unreadable:
        return dict.fromkeys(job.request_lines(), NO_ID)
    custom_ids = dict[int, bytes]()
    for values in job.custom_ids():
        custom_ids.update(zip(values.numbers, map(bytes, values.values), strict=True))
    return custom_ids


def _finish(job: SplitJob, collector: Collector, receiver: "_Receiver", outputs: Outputs) -> None:
    """Write requests without a result, skipped lines, and the lines to send again."""
    lines = receiver.without_result([line for line, _ in collector.broken])
    if lines and not is_settled(job, MissingResults(len(lines), receiver.fingerprint()), collector.broken):
        raise _ResultsMissingError
    for line in lines:
        result = collector.broken_result(line or 0) or missing_beside(collector.tally.nameless)
        receiver.write(line, collector.output_of(result, line))
    for skipped in job.batch.skipped:
        collector.write_skipped(skipped, outputs)
    probed = job.probed_outputs()
    for line in job.batch.probed:
        place, written = probed.find(line)
        outputs.add_from_leg(place, written)
        receiver.note(line, place.kind)
    if not job.is_resendable:
        outputs.add_retries(probed.retries(), ())
    elif receiver.retries:
        outputs.add_retries((line for line in job.lines() if line.number in receiver.retries), receiver.again)


class _Receiver:
    """Writes each output at once. Knows which requests have no result yet, and which are worth sending again."""

    def __init__(self, job: SplitJob, custom_ids: dict[int, bytes], outputs: Outputs) -> None:
        self._job = job
        self._waiting = custom_ids
        """The ids of requests without a result, by line; not used if it is unknown which lines are requests."""
        self._outputs = outputs
        self._done = set[int]()
        self._unsent = job.batch.unsent_lines
        self._has_unknown_lines = job.has_unknown_lines
        self.retries = set[int]()
        self.again = set[int]()
        """Those of them that a round sends again."""

    def is_request(self, line: int) -> bool:
        """Tell whether a line may be a request of the batch."""
        if not self._has_unknown_lines:
            return line in self._waiting or line in self._done
        return self._job.batch.first_line <= line <= self._job.batch.last_line and line not in self._unsent

    def has_result(self, line: int) -> bool:
        """Tell whether a line has a result."""
        return line in self._done

    def add(self, line: int, output: Output) -> None:
        """Write the output of a request that has a result."""
        self._done.add(line)
        self.write(line, output)

    def set_aside(self, raw: bytes) -> None:
        """Write a line of the provider unchanged."""
        self._outputs.set_aside([raw + b"\n"])

    def write(self, line: int | None, output: Output) -> None:
        """Write the output of a request; `line` is None if unknown."""
        custom_id = NO_ID if line is None else self._waiting.pop(line, NO_ID)
        number = None if line is None else self._job.drop_line(line)
        self._outputs.add(custom_id, output, number, shows_line=self._job.drop_unreadable is not None)
        if line is not None:
            self.note(line, output.kind)

    def note(self, line: int, kind: OutputKind) -> None:
        """Note whether a request is worth sending again."""
        if kind.is_retryable:
            self.retries.add(line)
            if kind is OutputKind.AGAIN and self._job.keeps_lines:
                self.again.add(line)

    def without_result(self, broken: Sequence[int]) -> Sequence[int | None]:
        """Return the lines without a readable result; None for each that is unknown. `broken`: those with a result."""
        if not self._has_unknown_lines:
            return list(self._waiting)
        return [*broken, *[None] * (self._job.batch.requests - len(self._done) - len(broken))]

    def fingerprint(self) -> list[int]:
        """Return the lines without a result; if they are unknown, those with one."""
        return sorted(self._done) if self._has_unknown_lines else list(self._waiting)
