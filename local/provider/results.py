"""The results of an ended batch as a stream: in a fixed order that is not that of the requests, spoiled on request."""

from __future__ import annotations

import random
from math import gcd
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from local.provider.answers import result_line
from local.provider.faults import Spoil
from local.provider.params import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local.provider.batches import Batch

CHUNK_BYTES = 1 << 16
STRANGER = Asked("", "0" * 22, "", "claude-haiku-5-5", "another program's question", 12, 100)


class Sheet(Protocol):
    """What is written of a batch's results, and how: all of them, or one of two files."""

    @property
    def has_additions(self) -> bool:
        """Whether what a fault adds is added here."""
        ...

    def holds(self, outcome: str) -> bool:
        """Tell whether a request with this outcome stands here."""
        ...

    def line(self, asked: Asked, outcome: str) -> bytes:
        """Write a request's result."""
        ...


class Everything(NamedTuple):
    """All results of a batch, as the Message Batches API writes them."""

    answer_chars: int
    has_additions: bool = True

    def holds(self, outcome: str) -> bool:  # noqa: ARG002 - it holds every outcome
        """Say yes."""
        return True

    def line(self, asked: Asked, outcome: str) -> bytes:
        """Write a request's result."""
        return result_line(asked, outcome, self.answer_chars)


def results(batch: Batch, spoil: Spoil | None = None, sheet: Sheet | None = None) -> Iterator[bytes]:
    """Give the bytes of the results in chunks of some 64 KiB; holds one chunk, whatever the size of the batch."""
    spoil, sheet = spoil or Spoil(), sheet or Everything(batch.settings.answer_chars)
    if not sheet.has_additions:
        spoil = msgspec.structs.replace(spoil, foreign=[], extra=[], repeated=[])
    return _chunks(_terminated(_lines(batch, spoil, sheet), spoil))


def order(total: int, seed: int | None = None) -> Iterable[int]:
    """Give the positions 1 to `total` in a fixed order that differs from theirs; a seed gives another one."""
    if seed is not None:
        return random.Random(seed).sample(range(1, total + 1), total)  # noqa: S311 - a repeatable order is the point
    step = max(1, round(total * 0.618))
    while gcd(step, total) != 1:
        step += 1
    return (1 + (step * turn + 1) % total for turn in range(total))


def _lines(batch: Batch, spoil: Spoil, sheet: Sheet) -> Iterator[bytes]:
    for custom_id in spoil.foreign:
        yield sheet.line(msgspec.structs.replace(STRANGER, custom_id=custom_id), "succeeded")
    extra = [line.encode() for line in spoil.extra]
    for position in order(len(batch.requests), spoil.shuffle):
        line = _line(batch, position, sheet)
        if line is None or position in spoil.missing:
            continue
        yield line[: len(line) // 2] if position in spoil.malformed else line
        yield from extra
        extra = []
    yield from extra
    for position in spoil.repeated:
        known = position <= len(batch.requests)
        fate = spoil.repeated_as or (batch.outcome(position) if known else "missing")
        if known and fate != "missing":
            yield sheet.line(batch.requests[position - 1], fate)


def _line(batch: Batch, position: int, sheet: Sheet) -> bytes | None:
    fate = batch.outcome(position)
    return None if fate == "missing" or not sheet.holds(fate) else sheet.line(batch.requests[position - 1], fate)


def _terminated(lines: Iterator[bytes], spoil: Spoil) -> Iterator[bytes]:
    newline = b"\r\n" if spoil.crlf else b"\n"
    between = b""
    for line in lines:
        yield between + line
        between = newline
    if spoil.final_newline:
        yield between


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
