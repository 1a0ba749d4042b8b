"""Lines of results as the Message Batches API writes them.

Nearly all are successes in one form: many of these are decoded at once, and where their messages lie follows from the
form. A message lies between the beginning and the end of its line, since line and result hold nothing else (no other
field is taken), both end with it, and messages are made as often as there are lines: none is given twice.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Literal, cast

import msgspec

from conveyor.frame import Frame, Shape
from conveyor.lines import Stretch, read_stretches, split_stretch
from conveyor.outcome import UNREADABLE, Error, Outcome, Result, Usage, failure


class _Outcome(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


class _ResultLine(msgspec.Struct):
    custom_id: str
    result: msgspec.Raw = msgspec.Raw(b"")


class _Made:
    """A number of a kind that has no form in JSON, so that no line can give it."""


_made = count()


class _Told(msgspec.Struct, gc=False):
    """What a message says of itself."""

    model: str = ""
    usage: Usage = msgspec.field(default_factory=Usage)
    made: _Made = msgspec.field(default_factory=cast("type[_Made]", _made.__next__))


class _Success(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["succeeded"]
    message: _Told


class _SuccessLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    custom_id: str
    result: _Success


class _Error(msgspec.Struct):
    """The provider nests an error in another; what is found at either depth serves."""

    type: str | None = None
    message: str | None = None
    error: "_Error | None" = None


LONGEST_RESULT = 64_000_000
"""Bytes; the longest answer a model gives is a fiftieth of it."""
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
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
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_message = msgspec.json.Decoder(_Told).decode


def decode_results(chunks: Iterable[bytes]) -> Iterator[Result]:
    """Decode lines of results. What of one is odd concerns one request, or none, but never the whole batch."""
    for stretch in read_stretches(chunks, longest=LONGEST_RESULT):
        results = _decode_at_once(stretch)
        if results is None:
            lines = (line.raw for line in split_stretch(stretch, 1, LONGEST_RESULT))
            results = [decode_one(raw or b"") for raw in lines if raw != b""]
        yield from results


def _decode_at_once(stretch: Stretch) -> list[Result] | None:
    """Decode successes that are all of one form; None where anything else is among them."""
    data, begin, end, _ = stretch
    if data is None:
        return None
    before = next(_made)
    try:
        rows = _decode_successes(memoryview(data)[begin:end])
        if next(_made) - before != len(rows) + 1:
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
        results.append(Result(row.custom_id, Outcome.SUCCEEDED, raw, message, None, told.model, told.usage))
        line = line_end
    return results


def decode_one(raw: bytes) -> Result:
    """Decode one line, of whatever form; of one that cannot be read, nobody knows whose it is."""
    try:
        line = _decode_line(raw)
    except UNDECODABLE:
        return Result("", Outcome.ERRORED, raw)
    try:
        told = _decode_outcome(line.result)
    except UNDECODABLE:
        told = _Outcome()
    match told.type:
        case "succeeded" if told.message:
            about = _message(told.message)
            return Result(line.custom_id, Outcome.SUCCEEDED, raw, bytes(told.message), None, about.model, about.usage)
        case "errored":
            return Result(line.custom_id, Outcome.ERRORED, raw, error=_error(told.error))
        case "canceled" | "expired":
            outcome = Outcome(told.type)
            return Result(line.custom_id, outcome, raw, error=failure(outcome).error)
        case _:
            strange = Error(UNREADABLE, "the provider's result line is of a form that is not known")
            return Result(line.custom_id, Outcome.ERRORED, raw, error=strange)


def _message(raw: msgspec.Raw) -> _Told:
    """Read what a message says of itself; a message whose account is odd is a message all the same."""
    try:
        return _decode_message(raw)
    except UNDECODABLE:
        return _Told()


def _error(raw: msgspec.Raw) -> Error:
    try:
        error: _Error | None = _decode_error(raw)
    except UNDECODABLE:
        error = None
    while error is not None and error.error is not None:
        error = error.error
    if error is None or not error.type:
        return Error("unknown_error", "the provider gave no reason that could be read")
    return Error(error.type, error.message or "")
