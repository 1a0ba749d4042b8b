"""Result lines of the Message Batches API.

Nearly all are successes of one form. Many of these are decoded at once, and the positions of their messages follow from
the form: a message is all between the beginning and the end of its line, because line and result have no other field,
both end with it, and as many messages were decoded as there are lines, so none is given twice.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from conveyor.answers.stop_reasons import stop_of
from conveyor.domain.outcome import NO_REASON, Error, Outcome, Result, failure, unreadable_result
from conveyor.jsonl.frames import Frame, Shape
from conveyor.jsonl.lines import BLOCK_BYTES, LineBlock, read_blocks, split_block
from conveyor.jsonl.struct_count import Ordinal, StructCount
from conveyor.provider.error_body import UNDECODABLE, parse_error
from conveyor.provider.reported_usage import ReportedUsage, not_included
from conveyor.provider.result_lines import (
    LONGEST_RESULT,
    parse_answer,
    read_line,
    succeeded,
    summarize,
    without_line_ends,
)


class _Outcome(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


class _ResultLine(msgspec.Struct):
    custom_id: str
    result: msgspec.Raw = msgspec.Raw(b"")


_messages_made = StructCount()


class _MessageFields(msgspec.Struct, gc=False):
    """The fields of a message that are counted. Lines with any other value in one of them are decoded one by one."""

    model: str = ""
    usage: ReportedUsage = msgspec.field(default_factory=ReportedUsage)
    stop_reason: str | UnsetType | None = UNSET
    made: Ordinal = _messages_made.field


class _Success(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["succeeded"]
    message: _MessageFields


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
    """Decode result lines. A line that cannot be decoded never affects other lines."""
    for block in read_blocks(chunks, longest=LONGEST_RESULT):
        results = _decode_at_once(block)
        if results is None:
            lines = (line.raw for line in split_block(block, 1, LONGEST_RESULT))
            results = [each for raw in lines for each in read_line(raw or b"", decode_one)]
        yield from results


def _decode_at_once(block: LineBlock) -> list[Result] | None:
    """Decode successes of one form; None if there is anything else among them."""
    data, begin, end, _ = block
    if data is None or end - begin > BLOCK_BYTES:  # one long line: nothing is gained
        return None
    start = _messages_made.start()
    lines = memoryview(data)[begin:end]
    try:
        str(lines, "utf-8")  # msgspec does not check text that it skips
        rows = _decode_successes(lines)
        if _messages_made.since(start) != len(rows):
            return None
        frame = Frame.of(_SUCCESSES, data, begin)
        pieces = frame and frame.pieces(data, begin, end, [row.custom_id for row in rows])
    except (*UNDECODABLE, ValueError):
        return None
    if frame is None or pieces is None:
        return None
    after = len(frame.after)
    results = []
    line = begin
    for row, piece, place, value_end in zip(rows, *pieces, pieces[1][1:], strict=False):
        line_end = value_end + after
        fields, message = row.result.message, without_line_ends(data[place + len(piece) - 1 : value_end + 1])
        raw = data[line:line_end].strip()
        usage = fields.usage
        usage.settle()
        summary = (None, fields.model, usage, False, False, stop_of(fields.stop_reason), usage.inference_geo or "")
        also_used = not_included(usage.iterations) if usage.iterations else ()
        results.append(Result(row.custom_id, Outcome.SUCCEEDED, raw, message, *summary, also_used))
        line = line_end
    return results


def decode_one(raw: bytes) -> Result:
    """Decode one line of strict JSON of any form. Raises one of UNDECODABLE if it has no id."""
    line = _decode_line(raw)
    try:
        result = _decode_outcome(line.result)
    except UNDECODABLE:
        result = _Outcome()
    match result.type:
        case "succeeded" if answer := parse_answer(bytes(result.message)):
            return succeeded(line.custom_id, raw, answer, summarize(answer.json))
        case "errored":
            return Result(line.custom_id, Outcome.ERRORED, raw, error=_error(result.error))
        case "canceled" | "expired":
            outcome = Outcome(result.type)
            return Result(line.custom_id, outcome, raw, error=failure(outcome).error)
        case "succeeded":
            return unreadable_result(line.custom_id, raw, "says that it succeeded, and holds no message")
        case _:
            return unreadable_result(line.custom_id, raw, "is of a form that is not known")


def _error(raw: msgspec.Raw) -> Error:
    error = parse_error(bytes(raw)) if raw else None
    if error is None or not any(error):
        return Error("unknown_error", NO_REASON)
    return Error(error.type or error.code or "unknown_error", error.message)
