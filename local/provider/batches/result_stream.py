"""The results of an ended batch as a stream of lines, in a fixed order that is not that of the requests.

A `Spoil` fault makes the stream wrong on request.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import msgspec

from local.provider.batches.request import USUAL, AnswerShape, BatchRequest
from local.provider.faults.actions import Spoil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from local.provider.batches.batch import Batch

CHUNK_BYTES = 1 << 16
FOREIGN_REQUEST = BatchRequest(
    custom_id="",
    digest="0" * 22,
    model="claude-haiku-5-5",
    quote="another program's question",
    input_tokens=12,
    max_tokens=100,
)
"""The request that a result with a foreign `custom_id` answers."""


def has_line(outcome: str) -> bool:
    """Return whether a request with this outcome has a result line."""
    return outcome != "missing"


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """How the lines of one result file are written, and which results it includes."""

    write_line: Callable[[BatchRequest, str, AnswerShape], bytes]
    includes: Callable[[str], bool] = has_line
    """By outcome."""
    has_strays: bool = True
    """Whether the foreign, extra and repeated lines of a `Spoil` are in this file."""


def result_chunks(batch: Batch, result_format: ResultFormat, spoil: Spoil | None = None) -> Iterator[bytes]:
    """Yield the results in chunks of about 64 KiB; memory holds one chunk, whatever the size of the batch."""
    spoil = spoil or Spoil()
    return _chunks(_with_newlines(_lines(batch, result_format, spoil), spoil))


async def stream_results(batch: Batch, result_format: ResultFormat, spoil: Spoil | None) -> AsyncIterator[bytes]:
    """Yield the chunks, and let other calls run between them."""
    for chunk in result_chunks(batch, result_format, spoil):
        yield chunk
        await asyncio.sleep(0)


def result_order(total: int, seed: int | None = None) -> Iterable[int]:
    """Return the positions 1 to `total` in a fixed, mixed order; a seed gives another one."""
    if seed is not None:
        return random.Random(seed).sample(range(1, total + 1), total)  # noqa: S311 - a repeatable order is the point
    step = max(1, round(total * 0.618))
    while gcd(step, total) != 1:
        step += 1
    return (1 + (step * index + 1) % total for index in range(total))


def _lines(batch: Batch, result_format: ResultFormat, spoil: Spoil) -> Iterator[bytes]:
    if not result_format.has_strays:
        spoil = msgspec.structs.replace(spoil, foreign=[], extra=[], repeated=[])
    for custom_id in spoil.foreign:
        request = msgspec.structs.replace(FOREIGN_REQUEST, custom_id=custom_id)
        yield result_format.write_line(request, "succeeded", USUAL)
    extra = [line.encode() for line in spoil.extra]
    for position in result_order(len(batch.requests), spoil.shuffle):
        outcome = batch.outcome(position)
        if position in spoil.missing or not result_format.includes(outcome):
            continue
        yield _spoiled_line(batch, position, _line(batch, position, outcome, result_format), spoil)
        yield from extra
        extra = []
    yield from extra
    yield from _repeated_lines(batch, result_format, spoil)


def _spoiled_line(batch: Batch, position: int, line: bytes, spoil: Spoil) -> bytes:
    if position in spoil.lines:
        line = spoil.lines[position].replace(b"<wire id>", batch.requests[position - 1].custom_id.encode())
    return line[: len(line) // 2] if position in spoil.malformed else line


def _repeated_lines(batch: Batch, result_format: ResultFormat, spoil: Spoil) -> Iterator[bytes]:
    for position in spoil.repeated:
        if position > len(batch.requests):
            continue
        outcome = spoil.repeated_as or batch.outcome(position)
        if has_line(outcome):
            yield _line(batch, position, outcome, result_format)


def _line(batch: Batch, position: int, outcome: str, result_format: ResultFormat) -> bytes:
    settings = batch.settings
    shape = AnswerShape(settings.answer_chars, settings.usage, settings.thinking_tokens)
    return result_format.write_line(batch.requests[position - 1], outcome, shape)


def _with_newlines(lines: Iterator[bytes], spoil: Spoil) -> Iterator[bytes]:
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
