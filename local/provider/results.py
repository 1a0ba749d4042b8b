"""The results of an ended batch as a stream: in a fixed order that is not that of the requests, spoiled on request."""

from __future__ import annotations

import random
from math import gcd
from typing import TYPE_CHECKING

import msgspec

from local.provider.answers import result_line
from local.provider.faults import Spoil
from local.provider.params import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local.provider.batches import Batch

CHUNK_BYTES = 1 << 16
STRANGER = Asked("", "0" * 22, "", "claude-haiku-5-5", "another program's question", 12, 100)


def results(batch: Batch, spoil: Spoil | None = None) -> Iterator[bytes]:
    """Give the bytes of the results in chunks of some 64 KiB; holds one chunk, whatever the size of the batch."""
    spoil = spoil or Spoil()
    return _chunks(_terminated(_lines(batch, spoil), spoil))


def order(total: int, seed: int | None = None) -> Iterable[int]:
    """Give the positions 1 to `total` in a fixed order that differs from theirs; a seed gives another one."""
    if seed is not None:
        return random.Random(seed).sample(range(1, total + 1), total)  # noqa: S311 - a repeatable order is the point
    step = max(1, round(total * 0.618))
    while gcd(step, total) != 1:
        step += 1
    return (1 + (step * turn + 1) % total for turn in range(total))


def _lines(batch: Batch, spoil: Spoil) -> Iterator[bytes]:
    for custom_id in spoil.foreign:
        yield result_line(msgspec.structs.replace(STRANGER, custom_id=custom_id), "succeeded")
    extra = [line.encode() for line in spoil.extra]
    for position in order(len(batch.requests), spoil.shuffle):
        line = _line(batch, position)
        if line is None or position in spoil.missing:
            continue
        yield line[: len(line) // 2] if position in spoil.malformed else line
        yield from extra
        extra = []
    yield from extra
    for position in spoil.repeated:
        known = position <= len(batch.requests)
        if known and (again := _line(batch, position, spoil.repeated_as)):
            yield again


def _line(batch: Batch, position: int, outcome: str | None = None) -> bytes | None:
    fate = outcome or batch.outcome(position)
    asked = batch.requests[position - 1]
    return None if fate == "missing" else result_line(asked, fate, batch.settings.answer_chars)


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
