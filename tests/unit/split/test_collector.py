"""Result lines in any order become one output for each request; all others are set aside and counted."""

import pytest

from conveyor.domain.outcome import Outcome, Result, unreadable_result
from conveyor.domain.plan import Batch
from conveyor.money.usage import Usage
from conveyor.split.collector import Collector
from conveyor.split.spool import Spool, SpoolFull

BATCH = Batch(1, 1, 0, 9, 10**9, 9)


def succeeded(wire_id: str, text: bytes = b"{}") -> Result:
    """Return a successful result."""
    return Result(wire_id, Outcome.SUCCEEDED, b"raw " + text, text, None, "m", Usage())


def broken(wire_id: str, raw: bytes) -> Result:
    """Return a result that is no JSON."""
    return unreadable_result(wire_id, raw, "is no JSON", is_broken=True)


def test_of_several_results_the_first_readable_one_counts() -> None:
    """A result that is no JSON is replaced by the next; undelivered results are set aside."""
    with Spool(BATCH, 10**9) as spool:
        collector = Collector("n", spool)
        for result in (broken("n-1", b"{1"), succeeded("n-1", b"[1]"), succeeded("n-1", b"[2]"), broken("n-1", b"{2")):
            collector.add(result)
        collector.finish()
        spool.flush()
        output = spool.find(1)
        assert output is not None
        assert output.body == b"[1]"
        assert list(spool.lines_aside()) == [b"{1\n", b"raw [2]\n", b"{2\n"]
    assert (collector.tally.repeated, collector.tally.outcomes["succeeded"], collector.broken) == (3, 1, [])


def test_a_result_of_another_run_or_batch_is_foreign() -> None:
    """So is one without an id, but it is counted separately: its request may have no other result."""
    with Spool(BATCH, 10**9) as spool:
        collector = Collector("n", spool)
        for wire_id in ("other-1", "n-10", "n-0", ""):
            collector.add(succeeded(wire_id))
        assert len(spool) == 0
        assert len(list(spool.lines_aside())) == 4
    assert (collector.tally.foreign, collector.tally.nameless) == (4, 1)


def test_a_result_that_stays_broken_is_a_failure_at_the_end() -> None:
    """Until then it is identified by line and checksum, so that two reads can be compared."""
    with Spool(BATCH, 10**9) as spool:
        collector = Collector("n", spool)
        collector.add(broken("n-2", b"{1"))
        ((line, checksum),) = collector.broken
        assert (line, len(checksum), spool.has_result(2)) == (2, 8, False)
        collector.finish()
        assert spool.has_result(2)
    assert (collector.tally.outcomes["errored"], collector.tally.unreadable) == (1, 1)


def test_results_that_were_all_read_are_not_too_large_for_the_disk() -> None:
    """The limit stops the read of another result line. What is written after the last one is small."""
    with Spool(BATCH, 0) as spool:
        collector = Collector("n", spool)
        spool.check_room()
        collector.add(broken("n-2", b"{1"))
        collector.finish()
        assert spool.has_result(2)
        with pytest.raises(SpoolFull):
            spool.check_room()
