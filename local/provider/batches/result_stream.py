"""The results of an ended batch as a stream: in a fixed order that is not that of the requests, spoiled on request."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import msgspec

from local.provider.faults.actions import Spoil
from local.provider.messages.params import Asked
from local.provider.messages.result_writer import result_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from local.provider.batches.batch import Batch

CHUNK_BYTES = 1 << 16
STRANGER = Asked("", "0" * 22, "", "claude-haiku-5-5", "another program's question", 12, 100)


def there(outcome: str) -> bool:
    """Tell whether an outcome has a line at all."""
    return outcome != "missing"


@dataclass(frozen=True, slots=True)
class Form:
    """How results are written: what a line looks like, and which of them stand in this place."""

    write: Callable[[Asked, str, int], bytes] = result_line
    holds: Callable[[str], bool] = there  # by outcome
    strays: bool = True  # foreign, extra and repeated lines come here


def results(batch: Batch, spoil: Spoil | None = None, form: Form | None = None) -> Iterator[bytes]:
    """Give the bytes of the results in chunks of some 64 KiB; holds one chunk, whatever the size of the batch."""
    spoil = spoil or Spoil()
    return _chunks(_terminated(_lines(batch, spoil, form or Form()), spoil))


async def stream(batch: Batch, spoil: Spoil | None, form: Form | None = None) -> AsyncIterator[bytes]:
    """Give the chunks to a server; other calls go on between those of a long answer."""
    for chunk in results(batch, spoil, form):
        yield chunk
        await asyncio.sleep(0)


def order(total: int, seed: int | None = None) -> Iterable[int]:
    """Give the positions 1 to `total` in a fixed order that differs from theirs; a seed gives another one."""
    if seed is not None:
        return random.Random(seed).sample(range(1, total + 1), total)  # noqa: S311 - a repeatable order is the point
    step = max(1, round(total * 0.618))
    while gcd(step, total) != 1:
        step += 1
    return (1 + (step * turn + 1) % total for turn in range(total))


def _lines(batch: Batch, spoil: Spoil, form: Form) -> Iterator[bytes]:
    if form.strays:
        for custom_id in spoil.foreign:
            yield form.write(msgspec.structs.replace(STRANGER, custom_id=custom_id), "succeeded", 0)
    extra = [line.encode() for line in spoil.extra] if form.strays else []
    for position in order(len(batch.requests), spoil.shuffle):
        fate = batch.outcome(position)
        if position in spoil.missing or not form.holds(fate):
            continue
        line = _line(batch, position, fate, form)
        if position in spoil.lines:
            line = spoil.lines[position].replace(b"<wire id>", batch.requests[position - 1].custom_id.encode())
        yield line[: len(line) // 2] if position in spoil.malformed else line
        yield from extra
        extra = []
    yield from extra
    for position in spoil.repeated if form.strays else []:
        known = position <= len(batch.requests)
        if known and there(fate := spoil.repeated_as or batch.outcome(position)):
            yield _line(batch, position, fate, form)


def _line(batch: Batch, position: int, fate: str, form: Form) -> bytes:
    return form.write(batch.requests[position - 1], fate, batch.settings.answer_chars)


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
