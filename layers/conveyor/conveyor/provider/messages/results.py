"""Lines of results as the Message Batches API writes them.

Nearly all are successes in one form: many of these are decoded at once, and where their messages lie follows from the
form. A message lies between the beginning and the end of its line, since line and result hold nothing else (no other
field is taken), both end with it, and messages are made as often as there are lines: none is given twice.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from conveyor.domain.outcome import NO_REASON, Error, Outcome, Result, Usage, failure, unreadable_result
from conveyor.domain.stop_reasons import stop_of
from conveyor.jsonl.lines import STRETCH_BYTES, LineBlock, read_blocks, split_block
from conveyor.jsonl.struct_count import Ordinal, StructCount
from conveyor.jsonl.template import Frame, Shape
from conveyor.provider.error_body import UNDECODABLE, parse_error
from conveyor.provider.result_lines import LONGEST_RESULT, Count, parse_answer, read_line, summarize


class _Outcome(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


class _ResultLine(msgspec.Struct):
    custom_id: str
    result: msgspec.Raw = msgspec.Raw(b"")


_messages_made = StructCount()


class _Usage(Usage):
    """Tokens that can be counted; any other are read one by one."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_creation_input_tokens: Count | None = 0
    cache_read_input_tokens: Count | None = 0


class _Told(msgspec.Struct, gc=False):
    """What a message says of itself."""

    model: str = ""
    usage: _Usage = msgspec.field(default_factory=_Usage)
    stop_reason: str | UnsetType | None = UNSET
    made: Ordinal = _messages_made.field


class _Success(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["succeeded"]
    message: _Told


class _SuccessLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: str
    result: _Success


_decode_successes = msgspec.json.Decoder(_SuccessLine).decode_lines
_SUCCESSES = Shape(
    re.compile(
        rb'([ \t]*\{[ \t]*"custom_id"[ \t]*:[ \t]*")[^"\\]*("[ \t]*,[ \t]*"result"[ \t]*:[ \t]*\{[ \t]*"type"[ \t]*:'
        rb'[ \t]*"succeeded"[ \t]*,[ \t]*"message"[ \t]*:[ \t]*\{)'
    ),
    re.compile(rb"\}[ \t\r]*\}[ \t\r]*\}[ \t\r]*\n\Z"),
)
_decode_line = msgspec.json.Decoder(_ResultLine).decode
_decode_outcome = msgspec.json.Decoder(_Outcome).decode


def decode_results(chunks: Iterable[bytes]) -> Iterator[Result]:
    """Decode lines of results. What of one is odd concerns one request, or none, but never the whole batch."""
    for block in read_blocks(chunks, longest=LONGEST_RESULT):
        results = _decode_at_once(block)
        if results is None:
            lines = (line.raw for line in split_block(block, 1, LONGEST_RESULT))
            results = [each for raw in lines for each in read_line(raw or b"", decode_one)]
        yield from results


def _decode_at_once(block: LineBlock) -> list[Result] | None:
    """Decode successes that are all of one form; None where anything else is among them."""
    data, begin, end, _ = block
    if data is None or end - begin > STRETCH_BYTES:  # one long line: there is nothing to gain
        return None
    start = _messages_made.start()
    lines = memoryview(data)[begin:end]
    try:
        str(lines, "utf-8")  # msgspec does not check the text that it passes over
        rows = _decode_successes(lines)
        if _messages_made.since(start) != len(rows):
            return None
        frame = Frame.of(_SUCCESSES, data, begin)
        found = frame and frame.pieces(data, begin, end, [row.custom_id for row in rows])
    except (*UNDECODABLE, ValueError):
        return None
    if frame is None or found is None:
        return None
    after = len(frame.after)
    results = []
    line = begin
    for row, piece, place, value_end in zip(rows, *found, found[1][1:], strict=False):
        line_end = value_end + after
        told, message = row.result.message, data[place + len(piece) - 1 : value_end + 1]
        raw = data[line:line_end].strip()
        about = (None, told.model, told.usage, False, False, stop_of(told.stop_reason))
        results.append(Result(row.custom_id, Outcome.SUCCEEDED, raw, message, *about))
        line = line_end
    return results


def decode_one(raw: bytes) -> Result:
    """Decode one line of strict JSON, of whatever form. Raises one of UNDECODABLE where it has no id."""
    line = _decode_line(raw)
    try:
        told = _decode_outcome(line.result)
    except UNDECODABLE:
        told = _Outcome()
    match told.type:
        case "succeeded" if answer := parse_answer(bytes(told.message)):
            model, usage, stop = summarize(answer.json)
            about = (None, model, usage, answer.is_repaired)
            return Result(line.custom_id, Outcome.SUCCEEDED, raw, answer.json, *about, stop=stop)
        case "errored":
            return Result(line.custom_id, Outcome.ERRORED, raw, error=_error(told.error))
        case "canceled" | "expired":
            outcome = Outcome(told.type)
            return Result(line.custom_id, outcome, raw, error=failure(outcome).error)
        case "succeeded":
            return unreadable_result(line.custom_id, raw, "says that it succeeded, and holds no message")
        case _:
            return unreadable_result(line.custom_id, raw, "is of a form that is not known")


def _error(raw: msgspec.Raw) -> Error:
    said = parse_error(bytes(raw)) if raw else None
    if said is None or not any(said):
        return Error("unknown_error", NO_REASON)
    return Error(said.type or said.code or "unknown_error", said.message)
