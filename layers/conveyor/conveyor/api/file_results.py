"""Lines of results in the file dialect. There are several forms of them, and each line is told apart by itself.

{"custom_id", "response": <message>, "error": null}                                 the message itself
{"custom_id", "response": {"status_code", "request_id", "body"}, "error": null}     an HTTP answer
{"custom_id", "response": null, "error": {"code", "message"}}                       a failure beside the response
{"custom_id", "response": {"error": {"type", "message"}}, "error": null}            a failure inside it
{"custom_id", "result": {"type", …}}                                                as in the other dialect
"""

from collections.abc import Iterable, Iterator

import msgspec

from conveyor.api.message_results import LONGEST_RESULT, UNDECODABLE, decode_one
from conveyor.lines import read_lines
from conveyor.outcome import UNREADABLE, Error, Outcome, Result, Usage, failure

_NULL = msgspec.Raw(b"null")
_NOTHING = frozenset({b"null", b"false", b'""', b"{}", b"[]"})
"""What may stand where there is no error."""
_EXPIRED = frozenset({"batch_expired", "expired"})
_CANCELED = frozenset({"batch_cancelled", "batch_canceled", "cancelled", "canceled"})
_RETRYABLE = frozenset({408, 409, 425, 429})
_KINDS = {401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error"}  # fmt: skip
"""What an HTTP status is called where the error's own type is not one of these."""
_FIRST_ERROR, _FIRST_OF_SERVER = 400, 500


class _Line(msgspec.Struct):
    custom_id: str
    response: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    result: msgspec.Raw = _NULL


class _Response(msgspec.Struct):
    """An HTTP answer, or a message, or an error: what is there tells."""

    status_code: int | None = None
    body: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class _Usage(msgspec.Struct):
    """Tokens under the names of either API."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0


class _Told(msgspec.Struct):
    """What a message says of itself."""

    model: str = ""
    usage: _Usage | None = None
    error: msgspec.Raw = _NULL


class _Error(msgspec.Struct):
    type: str | None = None
    code: str | int | None = None
    message: str | None = None
    error: "_Error | None" = None


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_response = msgspec.json.Decoder(_Response, strict=False).decode
_decode_told = msgspec.json.Decoder(_Told, strict=False).decode
_decode_error = msgspec.json.Decoder(_Error | str).decode


def decode_results(pieces: Iterable[bytes]) -> Iterator[Result]:
    """Decode lines of results. What of one is odd concerns one request, or none, but never the whole batch."""
    for line in read_lines(pieces, longest=LONGEST_RESULT):
        yield _decoded(line.raw or b"")


def _decoded(raw: bytes) -> Result:
    try:
        line = _decode_line(raw)
    except UNDECODABLE:
        return Result("", Outcome.ERRORED, raw)
    if line.result != _NULL:
        return decode_one(raw)
    try:
        response = _decode_response(line.response) if line.response != _NULL else _Response()
    except UNDECODABLE:
        return _strange(line.custom_id, raw)
    message = line.response if response.status_code is None else response.body
    about = _about(message)
    error = _error_of(line, response, message, about)
    if error is not None:
        return _failed(line.custom_id, raw, error, response.status_code)
    answer = bytes(message)
    if not answer.startswith(b"{") or answer == b"{}":
        return _strange(line.custom_id, raw)
    return Result(line.custom_id, Outcome.SUCCEEDED, raw, answer, None, about.model, _tokens(about.usage))


def _error_of(line: _Line, response: _Response, message: msgspec.Raw, about: "_Told") -> msgspec.Raw | None:
    """Find what a line says went wrong, beside the response or inside it; None where nothing did."""
    told = next((each for each in (line.error, response.error, about.error) if bytes(each) not in _NOTHING), None)
    if told is None and (response.status_code or 0) >= _FIRST_ERROR:
        return message
    return told


def _about(message: msgspec.Raw) -> _Told:
    """Read what a message says of itself; one whose account is odd is a message all the same."""
    try:
        return _decode_told(message)
    except UNDECODABLE:
        return _Told()


def _tokens(usage: _Usage | None) -> Usage:
    if usage is None:
        return Usage()
    read = usage.input_tokens if usage.input_tokens is not None else usage.prompt_tokens
    written = usage.output_tokens if usage.output_tokens is not None else usage.completion_tokens
    return Usage(read or 0, written or 0, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)


def _strange(custom_id: str, raw: bytes) -> Result:
    error = Error(UNREADABLE, "the provider's result line is of a form that is not known")
    return Result(custom_id, Outcome.ERRORED, raw, error=error)


def _failed(custom_id: str, raw: bytes, told: msgspec.Raw, status: int | None) -> Result:
    """Make a failure of what was told about it, and of the HTTP status where there was one."""
    try:
        found = _decode_error(told)
    except UNDECODABLE:
        found = ""
    error = _Error(message=found) if isinstance(found, str) else found
    while error.error is not None:
        error = error.error
    code = str(error.code or error.type or "")
    if code in _EXPIRED or code in _CANCELED:
        outcome = Outcome.EXPIRED if code in _EXPIRED else Outcome.CANCELED
        return Result(custom_id, outcome, raw, error=failure(outcome).error)
    return Result(custom_id, Outcome.ERRORED, raw, error=Error(_kind(error, status), _words(error)))


def _kind(error: _Error, status: int | None) -> str:
    """Return what kind of failure it is: from it follows whether sending the line again may help."""
    kind = error.type or str(error.code or "")
    if status is None or status < _FIRST_ERROR:
        return kind or "unknown_error"
    comes_again = status < _FIRST_OF_SERVER and status not in _RETRYABLE
    if comes_again and kind in {*_FINAL, *_KINDS.values()}:
        return kind
    if not comes_again and kind.endswith("_error") and kind not in _FINAL:
        return kind
    return _KINDS.get(status, "invalid_request_error" if comes_again else "api_error")


_FINAL = frozenset({"invalid_request_error", "not_found_error"})
"""Kinds that are not worth sending again, whatever they are the answer to."""


def _words(error: _Error) -> str:
    code = str(error.code or "")
    told = error.message or ""
    return f"{code}: {told}" if code and told and error.type else told or code or "the provider gave no reason"
