"""Blank lines cost nothing: they are counted by the million, and never one by one."""

import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from time import process_time

import pytest

from conveyor.domain.outcome import Outcome, Result, Usage
from conveyor.domain.plan import Batch
from conveyor.jsonl.lines import read_blocks, read_lines
from conveyor.jsonl.validated_lines import CUSTOM_ID, PARAMS
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
    """Count the calls of functions, those in C included, that some work takes."""
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
    """Put blank lines of a kind between two requests, some of them in the middle of other bytes of the stream."""
    return FIRST + KINDS[kind] * (count // len(KINDS[kind])) + LAST


def run_through(stream: Iterable[object]) -> None:
    """Read to the end, and keep nothing."""
    for _ in stream:
        pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_run_of_blank_lines_is_checked_and_sent_in_a_few_steps(kind: str, dialect: str) -> None:
    """A body that says nothing for minutes is given up by whoever waits for it."""
    data, form = spaced(kind), DIALECTS[dialect].form
    found = []
    assert steps(lambda: found.append(check_drop(RUN, settings(), DIALECTS[dialect], lambda: [data]))) < 2500
    (batch,) = found[0].batches
    assert (found[0].lines, batch.requests, batch.last_line) == (2, 2, data.count(b"\n") + 1)
    bodies = []
    envelope = Envelope(form, RUN, 16)
    assert steps(lambda: bodies.append(b"".join(envelope.body(batch, read_blocks([data]))))) < 500
    assert len(bodies[0]) == batch.body_bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_blank_lines_is_read_again_in_a_few_steps(kind: str) -> None:
    """Line by line, and their values by the number of the line: what a split does, and what is sent once more."""
    data = spaced(kind)
    lines = [1, data.count(b"\n") + 1]
    assert [each.number for each in read_lines([data])] == lines
    assert steps(lambda: run_through(read_lines([data]))) < 500
    for field in (CUSTOM_ID, PARAMS):
        read = list(field.read(read_blocks([data]), 1, frozenset()))
        assert [number for some in read for number in some.numbers] == lines
        assert steps(lambda: run_through(field.read(read_blocks([data]), 1, frozenset([10**9])))) < 500  # noqa: B023


@pytest.mark.slow
def test_a_quarter_of_a_billion_blank_lines_are_checked_and_sent_in_seconds() -> None:
    """The drop that made every call that creates its batch time out."""
    packed = REPORTED.read_bytes()

    def chunks() -> Iterator[bytes]:
        gzip = zlib.decompressobj(31)
        while some := gzip.decompress(gzip.unconsumed_tail or packed, 1 << 23):
            yield some

    begin = process_time()
    checker = check_drop(RUN, settings(), MESSAGES, chunks)
    (batch,) = checker.batches
    assert (checker.faults, batch.requests, batch.last_line) == ([], 2, 260_000_002)
    body = b"".join(Envelope(MESSAGES.form, RUN, 16).body(batch, read_blocks(chunks())))
    assert len(body) == batch.body_bytes
    assert process_time() - begin < 20, "it took minutes; a machine may be slow, and busy"


def test_blank_lines_between_all_requests_take_a_few_steps_each() -> None:
    """However many there are: a request for every 64 KiB of them."""
    data = b"".join(line(str(number)) + b"\n" * (1 << 16) for number in range(16))
    assert steps(lambda: check_drop(RUN, settings(), MESSAGES, lambda: [data])) < 6000


@pytest.mark.parametrize("odd", [b"\v", b"\f", b"\xc2\xa0", b"\0", b"\xe2\x80\xa8"])
def test_what_json_does_not_take_for_white_space_makes_no_line_blank(odd: bytes) -> None:
    """It is a fault, wherever it stands among blank lines."""
    data = FIRST + b"\n \n" * 1000 + odd + b"\n" * 1000 + LAST
    (fault,) = check_drop(RUN, settings(), MESSAGES, lambda: [data]).faults
    assert (fault.line, fault.code) == (2002, "not-json")
    assert data[fault.byte or 0 :].startswith(odd)


def test_a_batch_does_not_reach_over_more_of_a_drop_than_can_be_read_while_it_is_sent() -> None:
    """Lines that are not sent may lie between two requests, gigabytes of them; a call would hear nothing meanwhile."""
    planner = Planner(Limits(10, 1000, 1000, span=500), 10)
    for number, start in ((1, 1000), (2, 1200), (3, 1460), (4, 5000), (5, 5001)):
        planner.add(RequestGroup(number, number, start, start + 40, 1, 40, 1, 0))
    assert [(batch.first_line, batch.last_line) for batch in planner.batches] == [(1, 3), (4, 5)]


def test_a_body_ends_with_its_last_request() -> None:
    """What is skipped or blank behind it is not read before the call ends."""
    data = FIRST + LAST + b"\n"
    read = []

    def chunks() -> Iterator[bytes]:
        for chunk in (data, *[b"\n" * 1000] * 3):
            read.append(chunk)
            yield chunk

    (batch,) = check_drop(RUN, settings(), MESSAGES, lambda: [data]).batches
    body = b"".join(Envelope(MESSAGES.form, RUN, 16).body(batch, read_blocks(chunks())))
    assert (len(body), len(read)) == (batch.body_bytes, 1)


def test_results_of_lines_that_lie_far_apart_take_little_memory() -> None:
    """As much as a few hundred bytes each: there may be 100,000 of them in a batch."""
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
