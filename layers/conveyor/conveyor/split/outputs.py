"""The four output files of one batch, and the bytes of their lines."""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

import msgspec
import orjson

from conveyor.domain import keys
from conveyor.domain.outcome import Error, Outcome, OutputKind, Result, is_retryable, is_worth_a_round
from conveyor.domain.output_file import OutputFile
from conveyor.jsonl.lines import Line
from conveyor.ledger.line_index import LineIndex, Place
from conveyor.ledger.part import Answer
from conveyor.s3.multipart import Writer
from conveyor.split.job import SplitJob
from conveyor.split.tally import Failures, Tally

MOST_UNACCOUNTED = 1000
"""Line numbers of unaccounted results that are kept."""
NO_ID = b"null"
FINAL = "final"
"""S3 object metadata of a part that people can read early: `no` while a round may still change lines of it."""


class Output(NamedTuple):
    """What is written for one request, apart from its id."""

    body: bytes
    """The provider's response as it came; for a failure, the fields from `error` on."""
    kind: OutputKind

    @classmethod
    def of(cls, result: Result, line: int | None, *, resendable: bool = True, has_rounds: bool = False) -> Self:
        """Make the output of a result.

        `resendable`: whether the request's line can be copied to `retry.jsonl`. `has_rounds`: whether a round would
        send it again by itself.
        """
        if result.outcome is Outcome.SUCCEEDED:
            return cls(result.response, OutputKind.SUCCEEDED)
        kind = OutputKind.FAILED
        if resendable and is_retryable(result.outcome, result.error):
            is_again = has_rounds and is_worth_a_round(result.outcome, result.error)
            kind = OutputKind.AGAIN if is_again else OutputKind.RETRYABLE
        error = result.error or Error(result.outcome.value, "")
        body = b'"error":%b,"line":%b,"outcome":"%b","retryable":%b' % (
            msgspec.json.encode(error),
            orjson.dumps(line),
            result.outcome.encode(),
            orjson.dumps(kind.is_retryable),
        )
        return cls(body, kind)

    def line(self, custom_id: bytes, number: int | None = None, kept: bytes = b"") -> bytes:
        """Return a line of `results.jsonl` or `failures.jsonl`.

        `custom_id`: as JSON, `NO_ID` if unknown. `number`: the line number, for a result whose id is unknown.
        `kept`: the line's kept keys, see `kept_members`.
        """
        if self.kind is not OutputKind.SUCCEEDED:
            return b"".join((b'{"custom_id":', custom_id, b',"response":null,', self.body, kept, b"}\n"))
        if number is not None:
            return b'{"custom_id":%b,"line":%d,"response":%b,"error":null}\n' % (custom_id, number, self.body)
        return b"".join((b'{"custom_id":', custom_id, b',"response":', self.body, b',"error":null', kept, b"}\n"))


class Outputs:
    """Results, failures, lines to send again, and provider lines that could not be delivered unchanged."""

    def __init__(
        self,
        writers: dict[str, Writer],
        again: Writer,
        index: LineIndex | None,
        failures: Failures,
        *,
        keep_empty: bool,
    ) -> None:
        """Use `open_outputs`. `keep_empty`: `retry.jsonl` and `aside.jsonl` are written even if they have no lines."""
        self._writers = writers
        self._again = again
        self._index = index
        self._failures = failures
        self._keep_empty = keep_empty

    def add(
        self, custom_id: bytes, output: Output, line: int | None, kept: bytes = b"", *, shows_line: bool = False
    ) -> None:
        """Write a request's output. `line`: its number in the drop; `shows_line`: since its id is unknown.

        `kept`: its kept keys.
        """
        self._write(line or 0, output.line(custom_id, line if shows_line else None, kept), output.kind)
        if line and output.kind is not OutputKind.SUCCEEDED:
            self._failures.name(line, custom_id)

    def add_from_leg(self, place: Place, written: bytes) -> None:
        """Write an output as a leg of the run has written it."""
        self._write(place.line, written, place.kind)

    def _write(self, line: int, written: bytes, kind: OutputKind) -> None:
        self._writers[keys.RESULTS if kind is OutputKind.SUCCEEDED else keys.FAILURES].write(written)
        if self._index is not None:
            self._index.add(line, len(written), kind)

    def add_retries(self, lines: Iterable[Line], again: Container[int]) -> None:
        """Write the original lines of requests that may succeed when sent again. `again`: those for a round."""
        for line in lines:
            original = (line.raw or b"") + b"\n"
            self._writers[keys.RETRY].write(original)
            if line.number in again:
                self._again.write(original)

    def set_aside(self, lines: Iterable[bytes]) -> None:
        """Write lines of the provider unchanged; each has its line feed."""
        for line in lines:
            self._writers[keys.ASIDE].write(line)

    @property
    def again(self) -> int:
        """How many lines a round sends again."""
        return self._again.account().lines

    @property
    def files(self) -> list[OutputFile]:
        """The files that exist, after `open_outputs` has ended."""
        accounts = [writer.account() for writer in self._writers.values()]
        optional = {keys.RETRY, keys.ASIDE}
        return [file for file in accounts if file.lines or self._keep_empty or keys.file_of(file.key) not in optional]


class Written(NamedTuple):
    """What was written of a batch, and its counts."""

    files: list[OutputFile]
    ordered: bool
    """Whether the lines are in input order."""
    unaccounted: list[int]
    """Lines with a result that are no requests: none, unless plan and drop do not agree."""
    tally: Tally
    answers: list[Answer]
    """The outcome of each line, of the probe."""
    again: int = 0
    """Lines that a round sends again."""


@contextmanager
def open_outputs(job: SplitJob, counted: Failures, *, has_again: bool) -> Iterator[Outputs]:
    """Give the outputs of a batch. The files appear complete when the block ends, and not at all if it raises.

    `counted`: the failures of the batch, which learn their ids. `has_again`: whether a round may send lines of it
    again: then its files are parts that are not final. A later split also writes empty files, to replace those of an
    earlier split that broke off: more results may have arrived since.
    """
    context, number, keep_empty = job.context, job.batch.number, job.number > 1
    bucket, settings = context.bucket, context.run.carried_metadata  # copied along when the file is copied into inbox/
    kept_before = job.batch_state.has_again  # by a split that broke off: a round follows, with or without lines
    has_again, takes_back = has_again or kept_before, kept_before and not job.keeps_lines
    may_replace = keep_empty and job.keeps_lines
    final = {FINAL: "no" if has_again else "yes"} if job.is_early(has_again=has_again) else {}
    with (
        bucket.writer(job.key(keys.RESULTS, has_again=has_again), final) as results,
        bucket.writer(job.key(keys.FAILURES, has_again=has_again), final) as failures,
        bucket.writer(job.key(keys.RETRY, has_again=has_again), settings, keep_empty=keep_empty) as retry,
        bucket.writer(job.key(keys.ASIDE, has_again=has_again), keep_empty=keep_empty) as aside,
        bucket.writer(keys.lines_again(context.content_prefix, number), keep_empty=may_replace or takes_back) as again,
    ):
        writers = {keys.RESULTS: results, keys.FAILURES: failures, keys.RETRY: retry, keys.ASIDE: aside}
        index = LineIndex() if context.leg or ((has_again or may_replace) and not takes_back) else None
        outputs = Outputs(writers, again, index, counted, keep_empty=keep_empty)
        yield outputs
        if index is not None and (context.leg or outputs.again or may_replace):
            bucket.put(keys.line_index(context.content_prefix, number), index.encode())
        elif takes_back:
            bucket.put(keys.line_index(context.content_prefix, number), LineIndex().encode())
