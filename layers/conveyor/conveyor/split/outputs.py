"""The four output files of one batch, and the bytes of their lines."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

import msgspec
import orjson

from conveyor.domain import keys
from conveyor.domain.outcome import Error, Outcome, Result, is_retryable
from conveyor.domain.output_file import OutputFile
from conveyor.jsonl.lines import Line
from conveyor.ledger.line_index import LineIndex, Place
from conveyor.ledger.part import Answer
from conveyor.s3.multipart import Writer
from conveyor.split.job import SplitJob
from conveyor.split.tally import Tally

MOST_UNACCOUNTED = 1000
"""Line numbers of unaccounted results that are kept."""
NO_ID = b"null"


class Output(NamedTuple):
    """What is written for one request, apart from its id."""

    body: bytes
    """The provider's response as it came; for a failure, the fields from `error` on."""
    succeeded: bool
    retryable: bool

    @classmethod
    def of(cls, result: Result, line: int | None, *, resendable: bool = True) -> Self:
        """Make the output of a result. `resendable`: whether the request's line can be copied to `retry.jsonl`."""
        if result.outcome is Outcome.SUCCEEDED:
            return cls(result.response, succeeded=True, retryable=False)
        retryable = resendable and is_retryable(result.outcome, result.error)
        error = result.error or Error(result.outcome.value, "")
        body = b'"error":%b,"line":%b,"outcome":"%b","retryable":%b' % (
            msgspec.json.encode(error),
            orjson.dumps(line),
            result.outcome.encode(),
            orjson.dumps(retryable),
        )
        return cls(body, succeeded=False, retryable=retryable)

    def line(self, custom_id: bytes, number: int | None = None) -> bytes:
        """Return a line of `results.jsonl` or `failures.jsonl`.

        `custom_id`: as JSON, `NO_ID` if unknown. `number`: the line number, for a result whose id is unknown.
        """
        if not self.succeeded:
            return b"".join((b'{"custom_id":', custom_id, b',"response":null,', self.body, b"}\n"))
        if number is not None:
            return b'{"custom_id":%b,"line":%d,"response":%b,"error":null}\n' % (custom_id, number, self.body)
        return b"".join((b'{"custom_id":', custom_id, b',"response":', self.body, b',"error":null}\n'))


class Outputs:
    """Results, failures, lines to send again, and provider lines that could not be delivered unchanged."""

    def __init__(self, writers: dict[str, Writer], *, keep_empty: bool, index: LineIndex | None = None) -> None:
        """Use `open_outputs`. `keep_empty`: `retry.jsonl` and `aside.jsonl` are written even if they have no lines."""
        self._writers = writers
        self._keep_empty = keep_empty
        self._index = index

    def add(self, custom_id: bytes, output: Output, line: int | None, *, shows_line: bool = False) -> None:
        """Write a request's output. `line`: its number in the drop; `shows_line`: since its id is unknown."""
        file = keys.RESULTS if output.succeeded else keys.FAILURES
        written = output.line(custom_id, line if shows_line else None)
        self._writers[file].write(written)
        if self._index is not None:
            self._index.add(line or 0, len(written), succeeded=output.succeeded, retryable=output.retryable)

    def add_from_leg(self, place: Place, written: bytes) -> None:
        """Write an output as a leg of the run has written it."""
        self._writers[place.file].write(written)

    def add_retries(self, lines: Iterable[Line]) -> None:
        """Write the original lines of requests that may succeed when sent again."""
        for line in lines:
            self._writers[keys.RETRY].write((line.raw or b"") + b"\n")

    def set_aside(self, lines: Iterable[bytes]) -> None:
        """Write lines of the provider unchanged; each has its line feed."""
        for line in lines:
            self._writers[keys.ASIDE].write(line)

    @property
    def files(self) -> list[OutputFile]:
        """The files that exist, after `open_outputs` has ended."""
        accounts = [writer.account() for writer in self._writers.values()]
        optional = (f"/{keys.RETRY}", f"/{keys.ASIDE}")
        return [file for file in accounts if file.lines or self._keep_empty or not file.key.endswith(optional)]


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


@contextmanager
def open_outputs(job: SplitJob) -> Iterator[Outputs]:
    """Give the outputs of a batch. The files appear complete when the block ends, and not at all if it raises.

    A later split also writes empty files, to replace those of an earlier split that broke off: more results may have
    arrived since.
    """
    bucket, keep_empty = job.context.bucket, job.number > 1
    settings = job.context.run.carried_metadata  # copied along when the file is copied into inbox/
    with (
        bucket.writer(job.key(keys.RESULTS)) as results,
        bucket.writer(job.key(keys.FAILURES)) as failures,
        bucket.writer(job.key(keys.RETRY), settings, keep_empty=keep_empty) as retry,
        bucket.writer(job.key(keys.ASIDE), keep_empty=keep_empty) as aside,
    ):
        writers = {keys.RESULTS: results, keys.FAILURES: failures, keys.RETRY: retry, keys.ASIDE: aside}
        index = LineIndex() if job.context.leg else None
        yield Outputs(writers, keep_empty=keep_empty, index=index)
        if index is not None:
            bucket.put(keys.line_index(job.context.content_prefix, job.batch.number), index.encode())
