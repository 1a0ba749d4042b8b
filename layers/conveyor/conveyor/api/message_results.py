"""Lines of results as the Message Batches API writes them."""

from typing import Literal

import msgspec

from conveyor.outcome import UNREADABLE, Error, Outcome, Result, Usage, failure


class _Outcome(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


class _ResultLine(msgspec.Struct):
    custom_id: str
    result: msgspec.Raw = msgspec.Raw(b"")


class _Success(msgspec.Struct, gc=False):
    type: Literal["succeeded"]
    message: msgspec.Raw


class _SuccessLine(msgspec.Struct, gc=False):
    """What nearly every line is: told by one look, instead of two."""

    custom_id: str
    result: _Success


class _Error(msgspec.Struct):
    """The provider nests an error in another; what is found at either depth serves."""

    type: str | None = None
    message: str | None = None
    error: "_Error | None" = None


class _Message(msgspec.Struct):
    model: str = ""
    usage: Usage = msgspec.field(default_factory=Usage)


_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode_success = msgspec.json.Decoder(_SuccessLine).decode
_decode_line = msgspec.json.Decoder(_ResultLine).decode
_decode_outcome = msgspec.json.Decoder(_Outcome).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_message = msgspec.json.Decoder(_Message).decode


def decode_result(raw: bytes | None) -> Result:
    """Decode a line of results. What of it is odd concerns one request, or none, but never the whole batch."""
    raw = raw or b""
    try:
        success = _decode_success(raw)
    except _UNDECODABLE:
        return _decode_other(raw)
    return _succeeded(success.custom_id, raw, success.result.message)


def _succeeded(wire_id: str, raw: bytes, message: msgspec.Raw) -> Result:
    told = _message(message)
    return Result(wire_id, Outcome.SUCCEEDED, raw, bytes(message), None, told.model, told.usage)


def _decode_other(raw: bytes) -> Result:
    try:
        line = _decode_line(raw)
    except _UNDECODABLE:
        return Result("", Outcome.ERRORED, raw)
    try:
        told = _decode_outcome(line.result)
    except _UNDECODABLE:
        told = _Outcome()
    match told.type:
        case "succeeded" if told.message:
            return _succeeded(line.custom_id, raw, told.message)
        case "errored":
            return Result(line.custom_id, Outcome.ERRORED, raw, error=_error(told.error))
        case "canceled" | "expired":
            outcome = Outcome(told.type)
            return Result(line.custom_id, outcome, raw, error=failure(outcome).error)
        case _:
            strange = Error(UNREADABLE, "the provider's result line is of a form that is not known")
            return Result(line.custom_id, Outcome.ERRORED, raw, error=strange)


def _message(raw: msgspec.Raw) -> _Message:
    """Read what a message says of itself; a message whose account is odd is a message all the same."""
    try:
        return _decode_message(raw)
    except _UNDECODABLE:
        return _Message()


def _error(raw: msgspec.Raw) -> Error:
    try:
        error: _Error | None = _decode_error(raw)
    except _UNDECODABLE:
        error = None
    while error is not None and error.error is not None:
        error = error.error
    if error is None or not error.type:
        return Error("unknown_error", "the provider gave no reason that could be read")
    return Error(error.type, error.message or "")
