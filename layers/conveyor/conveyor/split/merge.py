"""The parts of a range are written once more, with the outcomes of rounds in place of failures.

All of it is read from S3: the parts and their indexes, and neither provider nor drop. Merging a range again
writes the same bytes under the same keys, so that two may do it at once.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple, Self

import msgspec

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.outcome import Error, Outcome, OutputKind
from conveyor.domain.output_file import OutputFile
from conveyor.domain.schedule import BatchName
from conveyor.jsonl.lines import read_lines
from conveyor.ledger.failure_counts import ErrorKind, Texts, count_error, encode_words
from conveyor.ledger.line_index import LegOutputs, Place, decode_index
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Merged
from conveyor.ledger.state import RunState
from conveyor.s3.bucket import Bucket
from conveyor.s3.multipart import Writer
from conveyor.split.job import lines_of_leg
from conveyor.split.tally import id_text


def merge(context: RunContext, number: int) -> str:
    """Write the results, failures and lines to send again of a range of the drop, as rounds have left them.

    Each failure that a round took gets the outcome of the last round that has one; a success is never replaced. The
    order stays; results that were written as they arrived have no order, and get the outcomes of rounds at their end.
    Returns "merged". Holds the places of the lines in memory, and no more of their content than it copies at a time.
    """
    run_state, bucket = context.run_state(), context.bucket
    batch_state = run_state.batch(number)
    if not batch_state.merged:
        part, index = context.ledger.read(Part, number), bucket.get(keys.line_index(context.content_prefix, number))
        rounds = _Rounds.of(context, run_state, number, [place.line for place in decode_index(index) if place.again])
        keep_empty = batch_state.splits > 1  # in place of what a split that broke off may have left
        files = _write(context, number, part, index, rounds, keep_empty=keep_empty) if rounds.lines else part.files
        if rounds.left:
            words = encode_words(Texts(rounds.left, {}))
            bucket.put(keys.error_words(keys.merged_content(context.content_prefix), number), words)
        context.ledger.write(rounds.replaced.fact(context, files, len(rounds.lines)), number)
    return "merged"


class _Replaced:
    """Counts the outcomes that count no more."""

    def __init__(self) -> None:
        self.outcomes = Counter[str]()
        self.errors: dict[str, ErrorKind] = {}
        self.retryable = 0
        self.batches = Counter[str]()

    def add(self, written: bytes, kind: OutputKind, batch: BatchName) -> None:
        """Count the outcome of a line of output. `batch`: had it."""
        self.retryable += kind.is_retryable
        self.batches[str(batch.to_event())] += 1
        if kind is OutputKind.SUCCEEDED:
            self.outcomes[Outcome.SUCCEEDED] += 1
            return
        failed = _decode_failure(written)
        self.outcomes[failed.outcome] += 1
        count_error(self.errors, failed.error.type, "")

    def fact(self, context: RunContext, files: list[OutputFile], lines: int) -> Merged:
        """Return the account of the range. `lines`: how many rounds have sent again."""
        outcomes = dict(sorted(self.outcomes.items()))
        batches = dict(sorted(self.batches.items()))
        return Merged(context.writer, context.now(), files, lines, outcomes, self.retryable, self.errors, batches)


class _Failed(msgspec.Struct):
    """What counts of a line of failures."""

    outcome: str
    error: Error
    line: int | None
    custom_id: msgspec.Raw


_decode_failure = msgspec.json.Decoder(_Failed).decode


def _write(  # noqa: PLR0913
    context: RunContext, number: int, part: Part, index: bytes, rounds: "_Rounds", *, keep_empty: bool
) -> list[OutputFile]:
    """Write the merged files, and return all files of the range."""
    bucket, content = context.bucket, keys.merged_content(context.content_prefix)
    files = {keys.file_of(file.key): file for file in part.files}
    with (
        bucket.writer(keys.output_part(content, number, keys.RESULTS)) as results,
        bucket.writer(keys.output_part(content, number, keys.FAILURES)) as failures,
        bucket.writer(keys.output_part(content, number, keys.RETRY), keep_empty=keep_empty) as retry,
    ):
        merged = _MergedOutputs(rounds, {True: results, False: failures}, in_order=part.ordered and rounds.in_order)
        for place, written in _outputs(bucket, index, files):
            merged.add(place, written)
        merged.finish()
        for line in _retries(bucket, index, files[keys.RETRY], merged.settled):
            retry.write(line)
    accounts = [writer.account() for writer in (results, failures, retry)]
    kept = [file for file in accounts if file.lines or keep_empty or keys.file_of(file.key) != keys.RETRY]
    return [*kept, *(file for name, file in files.items() if name == keys.ASIDE)]


class _Rounds(NamedTuple):
    """What rounds have made of the lines of a range."""

    legs: dict[str, LegOutputs]
    """Of each round, in their order."""
    lines: frozenset[int]
    """Those that a round has an outcome of."""
    in_order: bool
    """Whether the outputs of all rounds are in the order of the drop."""
    replaced: _Replaced
    """Outcomes that count no more, as far as they were written over."""
    left: dict[str, ErrorKind]
    """Errors of the lines that a round was to send again, by the outcomes that count, with texts and examples."""
    first: dict[int, BatchName]
    """The batch of the drop, or of its probe, that had each of the lines first."""

    @classmethod
    def of(cls, context: RunContext, run_state: RunState, number: int, lines: list[int]) -> Self:
        """Find the outcomes of lines of a range in the parts of all rounds that have any."""
        legs, in_order = dict[str, LegOutputs](), True
        for each in sorted(run_state.planned_rounds):
            leg = context.of_leg(keys.round_leg(each))
            batches = sorted(batch for batch, state in run_state.of_leg(leg.leg).batches.items() if state.parted)
            in_order = in_order and all(leg.ledger.read(Part, batch).ordered for batch in batches)
            legs[leg.leg] = LegOutputs(context.bucket, leg.content_prefix, batches, lines)
        found = frozenset(line for line in lines if any(line in leg for leg in legs.values()))
        first = dict.fromkeys(found, BatchName("", number)) | _probed(context, run_state)
        return cls(legs, found, in_order, _Replaced(), {}, first)

    def outcome(self, line: int) -> tuple[bytes, OutputKind]:
        """Return the outcome of a line that counts: a success, or else the last one. The others count no more."""
        found = [
            (*leg.find(line), BatchName(name, leg.batch_of(line))) for name, leg in self.legs.items() if line in leg
        ]
        succeeded = (each for each in found if each[0].kind is OutputKind.SUCCEEDED)
        kept = next(succeeded, found[-1])
        for place, written, batch in found:
            if place is not kept[0]:
                self.replaced.add(written, place.kind, batch)
        return kept[1], kept[0].kind

    def leave(self, written: bytes, kind: OutputKind) -> None:
        """Count the outcome that counts of a line that a round was to send again."""
        if kind is not OutputKind.SUCCEEDED:
            failed = _decode_failure(written)
            error, custom_id = failed.error, id_text(bytes(failed.custom_id))
            count_error(self.left, error.type, error.message, failed.line, custom_id)

    def position(self, line: int) -> tuple[int, str, int]:
        """Return what sorts lines by their place in the parts of the last round that has them."""
        number, last = [(number, leg) for number, leg in enumerate(self.legs.values()) if line in leg][-1]
        return number, *last.position(line)


def _probed(context: RunContext, run_state: RunState) -> dict[int, BatchName]:
    """Return the batch of each line of the probe."""
    if keys.PROBE not in run_state.legs:
        return {}
    plan, leg = context.ledger.plan(), context.of_leg(keys.PROBE)
    return {
        line: BatchName(keys.PROBE, batch.number)
        for batch in plan.of_leg(keys.PROBE).batches
        for line in lines_of_leg(leg, plan, batch)
    }


class _MergedOutputs:
    """Writes outputs of a range, each failure that rounds took with what they have made of it."""

    def __init__(self, rounds: _Rounds, writers: dict[bool, Writer], *, in_order: bool) -> None:
        """Use `merge`. `writers`: by whether it succeeded. `in_order`: whether outputs have an order to keep."""
        self._rounds = rounds
        self._writers = writers
        self._in_order = in_order
        self._later: list[int] = []
        """Lines that come at the end."""
        self.settled = set[int]()
        """Lines of which rounds have made what is not worth sending again."""

    def add(self, place: Place, written: bytes) -> None:
        """Take the next output of the range."""
        if place.line not in self._rounds.lines:
            if place.again:
                self._rounds.leave(written, place.kind)
            self._write(written, place.kind)
            return
        self._rounds.replaced.add(written, place.kind, self._rounds.first[place.line])
        if self._in_order:
            self._replace(place.line)
        else:
            self._later.append(place.line)

    def finish(self) -> None:
        """Write what comes at the end, in the order of the rounds: so it is read many lines at once."""
        for line in sorted(self._later, key=self._rounds.position):
            self._replace(line)

    def _replace(self, line: int) -> None:
        written, kind = self._rounds.outcome(line)
        self._rounds.leave(written, kind)
        self._write(written, kind)
        if not kind.is_retryable:
            self.settled.add(line)

    def _write(self, written: bytes, kind: OutputKind) -> None:
        self._writers[kind is OutputKind.SUCCEEDED].write(written)


def _outputs(bucket: Bucket, index: bytes, files: Mapping[str, OutputFile]) -> Iterator[tuple[Place, bytes]]:
    """Yield all outputs of a range in the order in which they were written."""
    streams = {
        name: _Stream(bucket.stream(Source(files[name].key), 0, files[name].bytes))
        for name in (keys.RESULTS, keys.FAILURES)
    }
    for place in decode_index(index):
        yield place, streams[place.file].take(place.end - place.start)


def _retries(bucket: Bucket, index: bytes, file: OutputFile, settled: Container[int]) -> Iterator[bytes]:
    """Yield the lines of `retry.jsonl` that are still worth sending again. They are in the order of the drop."""
    lines = sorted(place.line for place in decode_index(index) if place.kind.is_retryable)
    originals = read_lines(bucket.stream(Source(file.key), 0, file.bytes))
    for line, original in zip(lines, originals, strict=True):
        if line not in settled:
            yield (original.raw or b"") + b"\n"


class _Stream:
    """Bytes that are read from the beginning to the end, in pieces of any size."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        """Read nothing yet."""
        self._chunks = chunks
        self._chunk = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes. Raises RuntimeError if there are fewer."""
        while len(self._chunk) - self._at < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise RuntimeError("a part is shorter than its index says")
            self._chunk, self._at = self._chunk[self._at :] + chunk, 0
        self._at += size
        return self._chunk[self._at - size : self._at]
