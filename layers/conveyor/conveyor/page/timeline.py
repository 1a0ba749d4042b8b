"""When the batches of a run waited, were with the provider, and were written."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from conveyor.ledger.gate_facts import Ending
from conveyor.page.batches import legs_of
from conveyor.receipt.receipt import Receipt

MOST_BARS = 24
"""Beyond that, the line shows how many batches were with the provider at a time, and the slowest ones."""
SLOWEST = 12
COLUMNS = 120


class Bar(msgspec.Struct):
    """One batch. Null for what is not known."""

    leg: int
    """-1: the sample; 0: all lines; otherwise the number of a round."""
    number: int
    could_begin_at: datetime | None
    sent_at: datetime
    ended_at: datetime | None
    """When the provider had ended it."""
    written_at: datetime
    """When its results were written."""

    @property
    def with_provider(self) -> timedelta | None:
        """How long the provider had it."""
        return None if self.ended_at is None else max(self.ended_at - self.sent_at, timedelta())


class Pause(msgspec.Struct):
    """A time in which the run waited for an approval."""

    closed_at: datetime
    ended_at: datetime
    is_approved: bool


class TimeLine(msgspec.Struct):
    """The time from the upload to the end."""

    from_at: datetime
    to_at: datetime
    bars: list[Bar]
    pauses: list[Pause]
    batches: int
    """How many there are; if they are more than `bars`, these are the slowest."""
    load: list[int] = []
    """How many batches were with the provider in each of `COLUMNS` equal parts of the time, at most; empty for few."""


def timeline_of(receipt: Receipt) -> TimeLine | None:
    """Return when the batches of a run were where; None if nothing was sent."""
    bars = list(_bars(receipt))
    if not bars:
        return None
    end = max([bar.written_at for bar in bars] + ([receipt.ended_at] if receipt.ended_at else []))
    start = min([receipt.received_at, *(bar.sent_at for bar in bars)])
    line = TimeLine(start, max(end, start + timedelta(seconds=1)), bars, _pauses(receipt), len(bars))
    if len(bars) > MOST_BARS:
        line.load = _load(line, bars)
        line.bars = sorted(bars, key=lambda bar: bar.with_provider or timedelta(), reverse=True)[:SLOWEST]
    return line


def _bars(receipt: Receipt) -> Iterator[Bar]:
    began = {each.number: each.began_at for each in receipt.rounds}
    for leg, batches in legs_of(receipt):
        begin = began.get(leg) or _could_begin(receipt, leg, min(batch.created_at for batch in batches))
        for batch in batches:
            could = begin if begin and begin <= batch.created_at else None
            ended = batch.ended_at if batch.ended_at and batch.ended_at >= batch.created_at else None
            yield Bar(leg, batch.number, could, batch.created_at, ended, max(batch.split_at, batch.created_at))


def _could_begin(receipt: Receipt, leg: int, first_sent: datetime) -> datetime | None:
    """Return since when the sample, or all lines, could be sent."""
    sample = receipt.probe.answered_at if receipt.probe and leg == 0 else receipt.received_at
    approvals = [gate.ended_at for gate in receipt.gates if gate.ended_at and gate.ended_at <= first_sent]
    return max([*approvals, sample]) if sample else None


def _pauses(receipt: Receipt) -> list[Pause]:
    return [
        Pause(gate.closed_at, gate.ended_at, gate.how is Ending.APPROVED)
        for gate in receipt.gates
        if gate.ended_at is not None
    ]


def _load(line: TimeLine, bars: Sequence[Bar]) -> list[int]:
    """Return how many batches were with the provider in each part of the time."""
    width = (line.to_at - line.from_at) / COLUMNS
    changes = [0] * (COLUMNS + 1)
    for bar in bars:
        first = min(int((bar.sent_at - line.from_at) / width), COLUMNS - 1)
        last = min(int(((bar.ended_at or bar.written_at) - line.from_at) / width), COLUMNS - 1)
        changes[first] += 1
        changes[last + 1] -= 1
    load, now = [], 0
    for change in changes[:COLUMNS]:
        now += change
        load.append(now)
    return load
