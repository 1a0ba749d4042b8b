"""Blank lines cost nothing: they are counted in blocks, never one by one."""

import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from time import process_time

import pytest

from conveyor.domain.outcome import Outcome, Result
from conveyor.domain.plan import Batch
from conveyor.jsonl.lines import read_blocks, read_lines
from conveyor.jsonl.validated_lines import CUSTOM_ID, PARAMS
from conveyor.money.usage import Usage
from conveyor.split.collector import Collector
from conveyor.split.spool import Spool
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import check_drop
from conveyor.validation.planner import Limits, Planner, RequestGroup
from tests.support.drops import DIALECTS, MESSAGES, RUN, line, settings

KINDS = {"LF": b"\n", "marks": b"\xef\xbb\xbf\n", "CRLF": b"\r\n", "spaces": b" " * 99 + b"\n", "all": b" \t\r\n\t\n"}
FEW = 1 << 19
REPORTED = Path(__file__).parents[2] / "data" / "reports" / "01-body-over-blank-lines.jsonl.gz"
FIRST, LAST = line("a") + b"\n", line("b")


def steps(work: Callable[[], object]) -> int:
    """Return the number of function calls of some work, including those in C."""
    calls = 0

    def note(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def spaced(kind: str, count: int = FEW) -> bytes:
    """Put blank lines of a kind between two requests, with other bytes of the stream around some of them."""
    return FIRST + KINDS[kind] * (count // len(KINDS[kind])) + LAST


def run_through(stream: Iterable[object]) -> None:
    """Read an iterator to its end without storing items."""
    for _ in stream:
        pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_run_of_blank_lines_is_checked_and_sent_in_a_few_steps(kind: str, dialect: str) -> None:
    """A receiver aborts a request whose body pauses for minutes."""
    data, form = spaced(kind), DIALECTS[dialect].form
    checked = []
    assert steps(lambda: checked.append(check_drop(RUN, settings(), DIALECTS[dialect], lambda: [data]))) < 2500
    (batch,) = checked[0].batches
    assert (checked[0].lines, batch.requests, batch.last_line) == (2, 2, data.count(b"\n") + 1)
    bodies = []
    envelope = Envelope(form, RUN, 16)
    assert steps(lambda: bodies.append(b"".join(envelope.body(batch, read_blocks([data]))))) < 500
    assert len(bodies[0]) == batch.body_bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_blank_lines_is_read_again_in_a_few_steps(kind: str) -> None:
    """Both line by line and by line number, as for a split and for sending again."""
    data = spaced(kind)
    lines = [1, data.count(b"\n") + 1]
    assert [line.number for line in read_lines([data])] == lines
    assert steps(lambda: run_through(read_lines([data]))) < 500
    for field in (CUSTOM_ID, PARAMS):
        read = list(field.read(read_blocks([data]), 1, frozenset()))
        assert [number for block in read for number in block.numbers] == lines
        assert steps(lambda: run_through(field.read(read_blocks([data]), 1, frozenset([10**9])))) < 500  # noqa: B023


@pytest.mark.slow
def test_a_quarter_of_a_billion_blank_lines_are_checked_and_sent_in_seconds() -> None:
    """With such a drop, every request to create its batch timed out."""
    packed = REPORTED.read_bytes()

    def chunks() -> Iterator[bytes]:
        gzip = zlib.decompressobj(31)
        while piece := gzip.decompress(gzip.unconsumed_tail or packed, 1 << 23):
            yield piece

    begin = process_time()
    checker = check_drop(RUN, settings(), MESSAGES, chunks)
    (batch,) = checker.batches
    assert (checker.faults, batch.requests, batch.last_line) == ([], 2, 260_000_002)
    body = b"".join(Envelope(MESSAGES.form, RUN, 16).body(batch, read_blocks(chunks())))
    assert len(body) == batch.body_bytes
    assert process_time() - begin < 20, "it once took minutes; the limit allows for a slow, busy machine"


def test_blank_lines_between_all_requests_take_a_few_steps_each() -> None:
    """There is one request for every 64 KiB of blank lines."""
    data = b"".join(line(str(number)) + b"\n" * (1 << 16) for number in range(16))
    assert steps(lambda: check_drop(RUN, settings(), MESSAGES, lambda: [data])) < 6000


@pytest.mark.parametrize("odd", [b"\v", b"\f", b"\xc2\xa0", b"\0", b"\xe2\x80\xa8"])
def test_a_line_of_other_white_space_than_json_allows_is_not_blank(odd: bytes) -> None:
    """It is a fault anywhere among blank lines."""
    data = FIRST + b"\n \n" * 1000 + odd + b"\n" * 1000 + LAST
    (fault,) = check_drop(RUN, settings(), MESSAGES, lambda: [data]).faults
    assert (fault.line, fault.code) == (2002, "not-json")
    assert data[fault.byte or 0 :].startswith(odd)


def test_a_batch_spans_no_more_of_a_drop_than_can_be_read_while_it_is_sent() -> None:
    """Gigabytes of unsent lines may be between two requests; the request body would pause meanwhile."""
    planner = Planner(Limits(10, 1000, 1000, span=500), 10)
    for number, start in ((1, 1000), (2, 1200), (3, 1460), (4, 5000), (5, 5001)):
        planner.add(RequestGroup(number, number, start, start + 40, 1, 40, 1, 0))
    assert [(batch.first_line, batch.last_line) for batch in planner.batches] == [(1, 3), (4, 5)]


def test_a_body_ends_with_its_last_request() -> None:
    """Skipped or blank lines after it are not read before the request ends."""
    data = FIRST + LAST + b"\n"
    read = []

    def chunks() -> Iterator[bytes]:
        for chunk in (data, *[b"\n" * 1000] * 3):
            read.append(chunk)
            yield chunk

    (batch,) = check_drop(RUN, settings(), MESSAGES, lambda: [data]).batches
    body = b"".join(Envelope(MESSAGES.form, RUN, 16).body(batch, read_blocks(chunks())))
    assert (len(body), len(read)) == (batch.body_bytes, 1)


def test_results_of_lines_that_are_far_apart_take_little_memory() -> None:
    """They take a few hundred bytes each; a batch may have 100,000."""
    count, apart = 5000, 5000
    batch = Batch(1, 1, 0, count * apart, 10**9, count)
    ids = (f"n-{1 + number * apart}" for number in range(count))
    results = (Result(wire_id, Outcome.SUCCEEDED, b"", b"{}", None, "m", Usage()) for wire_id in ids)
    with Spool(batch, 10**9) as spool:
        collector = Collector("n", spool)
        collector.add(next(results))
        tracemalloc.start()
        for result in islice(results, None):
            collector.add(result)
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert len(spool) == count
    assert grown < count * 600
