"""Result lines of the file dialect. They have several forms, and one file may have lines of each.

{"custom_id", "response": <message>, "error": null}                                 the message itself
{"custom_id", "response": {"status_code", "request_id", "body"}, "error": null}     an HTTP answer
{"custom_id", "response": null, "error": {"code", "message"}}                       a failure beside the response
{"custom_id", "response": {"error": {"type", "message"}}, "error": null}            a failure inside it
{"custom_id", "result": {"type", …}}                                                as in the messages dialect
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from conveyor.domain.outcome import NO_REASON, Error, Outcome, Result, failure, unreadable_result
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.lines import read_lines
from conveyor.money.usage import Usage
from conveyor.provider.error_body import UNDECODABLE, ErrorBody, is_empty_json, parse_error
from conveyor.provider.messages.results import decode_one
from conveyor.provider.reported_usage import CacheCreation, Count, Iteration, ServerTools, not_included
from conveyor.provider.result_lines import (
    LONGEST_RESULT,
    Answer,
    AnswerSummary,
    parse_answer,
    read_line,
    stop_in,
    succeeded,
    summarize,
)

_NULL = msgspec.Raw(b"null")
_SHORT = 200
"""Bytes; no paid answer is shorter."""
_EXPIRED = frozenset({"batch_expired", "expired"})
_CANCELED = frozenset({"batch_cancelled", "batch_canceled", "cancelled", "canceled"})
_RETRYABLE = frozenset({408, 409, 425, 429})
_ACCOUNT_STATUSES = frozenset({401, 402, 403})
"""Errors of the account, whatever type the response gives."""
_KIND_BY_STATUS = {401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error"}  # fmt: skip
"""Error types by HTTP status, if the error has none of these."""
_FIRST_ERROR_STATUS, _FIRST_SERVER_ERROR_STATUS = 400, 500
_SUCCESS = range(200, 300)


class _Line(msgspec.Struct):
    custom_id: str
    response: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    result: msgspec.Raw = _NULL


class _Response(msgspec.Struct):
    """An HTTP response, a message, or an error: the fields that are there say which."""

    status_code: int | float | str | None = None
    body: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class _Usage(msgspec.Struct):
    """Tokens under the names of either API."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = 0
    cache_read_input_tokens: Count | None = 0
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerTools | None = None
    inference_geo: str | None = None
    iterations: list[Iteration] | None = None


class _Choice(msgspec.Struct):
    """One of the answers of a chat completion."""

    finish_reason: str | UnsetType | None = UNSET


class _Details(msgspec.Struct):
    """Why a response is incomplete."""

    reason: str | None = None


class _MessageFields(msgspec.Struct):
    """The fields of a message that are counted."""

    model: str = ""
    usage: _Usage | None = None
    error: msgspec.Raw = _NULL
    stop_reason: str | UnsetType | None = UNSET
    choices: list[_Choice] | None = None
    status: str | UnsetType | None = UNSET
    incomplete_details: _Details | None = None


class _ErrorField(msgspec.Struct):
    """The error of a message whose other fields cannot be decoded."""

    error: msgspec.Raw = _NULL


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_message = msgspec.json.Decoder(_MessageFields).decode
_decode_error_field = msgspec.json.Decoder(_ErrorField).decode


def decode_results(pieces: Iterable[bytes]) -> Iterator[Result]:
    """Decode result lines. A line that cannot be decoded never affects other lines."""
    for line in read_lines(pieces, longest=LONGEST_RESULT):
        yield from read_line(line.raw or b"", _decode)


def _decode(raw: bytes) -> Result:
    """Decode one line of strict JSON. Raises one of UNDECODABLE if it has no id."""
    line = _decode_line(raw)
    if line.result != _NULL:
        return decode_one(raw)
    try:
        status, answer, outer, body, is_bare = _parts_of(line)
    except (*UNDECODABLE, ValueError, OverflowError):  # a status may be "inf"
        return _of_unknown_form(line.custom_id, raw)
    message = _message_fields(answer.json) if answer else _MessageFields()
    inner = None if is_empty_json(message.error) else bytes(message.error)
    is_success = status is None or status in _SUCCESS
    if answer and is_success and not inner and _holds_anything(answer.json):
        if not outer:
            summary = _summary_of(message, answer.json)
            return succeeded(line.custom_id, raw, answer, summary)
        if not is_bare or _is_answer(answer.json):
            return unreadable_result(line.custom_id, raw, "holds both an answer and an error")
    error = outer or inner or _error_in_body(status, body)
    return _failed(line.custom_id, raw, error, status) if error else _of_unknown_form(line.custom_id, raw)


_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode


def _holds_anything(answer: bytes) -> bool:
    """Tell whether an answer has any content: an empty object or one of nulls has none."""
    return len(answer) > _SHORT or any(each is not None and each != "" for each in _decode_fields(answer).values())


class _Answer(msgspec.Struct):
    """Fields that only an answer has, in one API or another."""

    content: msgspec.Raw = _NULL
    choices: msgspec.Raw = _NULL
    output: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL


_decode_answer = msgspec.json.Decoder(_Answer).decode


def _is_answer(response: bytes) -> bool:
    fields = _decode_answer(response)
    return any(part != _NULL for part in (fields.content, fields.choices, fields.output, fields.usage))


def _error_in_body(status: int | None, body: bytes) -> bytes | None:
    """Return the body of an HTTP error, `null` for a status below 400, None for a success."""
    if status is None or status in _SUCCESS:
        return None
    return body if status >= _FIRST_ERROR_STATUS else b"null"


class _ResponseParts(NamedTuple):
    """The parts of a response, whatever its form."""

    status: int | None
    answer: Answer | None
    error: bytes | None
    """Outside the answer."""
    body: bytes
    """The error, if there is no other."""
    is_bare: bool
    """Whether the response is the answer itself, without an HTTP response around it."""


def _parts_of(line: _Line) -> _ResponseParts:
    """Find the parts. Raises ValueError, or one of UNDECODABLE, if the form of the response is unknown."""
    response = parse_answer(bytes(line.response))
    has_error = not is_empty_json(line.error)
    if response is None and not is_empty_json(line.response) and not has_error:
        raise ValueError("the response is no object")
    outer = _decode_response(response.json) if response else _Response()
    status = _status(outer.status_code)
    is_bare = response is not None and status is None and outer.body == _NULL
    answer = response if is_bare else parse_answer(bytes(outer.body))
    if answer and response:
        answer = answer._replace(is_repaired=answer.is_repaired or response.is_repaired)
    error = line.error if has_error else outer.error
    return _ResponseParts(status, answer, None if is_empty_json(error) else bytes(error), bytes(outer.body), is_bare)


def _status(value: float | str | None) -> int | None:
    """Read an HTTP status in any form. Raises ValueError if it is none."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = value.partition(" ")[0]  # "200 OK"
    if (number := float(value)) != int(number):
        raise ValueError(value)
    return int(number)


def _message_fields(answer: bytes) -> _MessageFields | _ErrorField:
    """Decode the fields of a message; only its error if another field cannot be decoded."""
    try:
        return _decode_error_field(answer) if has_too_many_values(answer) else _decode_message(answer)
    except UNDECODABLE:
        return _decode_error_field(answer)


def _summary_of(message: _MessageFields | _ErrorField, answer: bytes) -> AnswerSummary:
    if not isinstance(message, _MessageFields):
        return summarize(answer)
    usage = message.usage
    finishes: list[object] = [choice.finish_reason for choice in message.choices or []]
    details = message.incomplete_details and {"reason": message.incomplete_details.reason}
    stop = stop_in(message.stop_reason, finishes, message.status, details)
    if usage is None:
        return AnswerSummary(message.model, Usage(), stop)
    read = usage.input_tokens if usage.input_tokens is not None else usage.prompt_tokens
    written = usage.output_tokens if usage.output_tokens is not None else usage.completion_tokens
    for_an_hour = (usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0) or 0
    searches = (usage.server_tool_use.web_search_requests if usage.server_tool_use else 0) or 0
    cached = (usage.cache_creation_input_tokens, usage.cache_read_input_tokens, for_an_hour)
    counts = Usage(read or 0, written or 0, *cached, searches)
    return AnswerSummary(message.model, counts, stop, usage.inference_geo or "", not_included(usage.iterations))


def _of_unknown_form(custom_id: str, raw: bytes) -> Result:
    return unreadable_result(custom_id, raw, "is of a form that is not known")


def _failed(custom_id: str, raw: bytes, body: bytes, status: int | None) -> Result:
    """Make a failure of the error, and of the HTTP status if there is one."""
    error = parse_error(body) or ErrorBody()
    code = error.code or error.type
    if code in _EXPIRED or code in _CANCELED:
        outcome = Outcome.EXPIRED if code in _EXPIRED else Outcome.CANCELED
        return Result(custom_id, outcome, raw, error=failure(outcome).error)
    return Result(custom_id, Outcome.ERRORED, raw, error=Error(_kind(error, status), _message_of(error)))


def _kind(error: ErrorBody, status: int | None) -> str:
    """Return the type of the error, which says whether sending the request again may help."""
    kind = error.type or error.code
    if status is None or status < _FIRST_ERROR_STATUS:
        return kind or "unknown_error"
    if status in _ACCOUNT_STATUSES:
        return _KIND_BY_STATUS[status]
    is_permanent = status < _FIRST_SERVER_ERROR_STATUS and status not in _RETRYABLE
    if is_permanent and kind in {*_PERMANENT_KINDS, *_KIND_BY_STATUS.values()}:
        return kind
    if not is_permanent and kind.endswith("_error") and kind not in _PERMANENT_KINDS:
        return kind
    return _KIND_BY_STATUS.get(status, "invalid_request_error" if is_permanent else "api_error")


_PERMANENT_KINDS = frozenset({"invalid_request_error", "not_found_error"})
"""Types of errors that come again."""


def _message_of(error: ErrorBody) -> str:
    if error.code and error.message and error.type:
        return f"{error.code}: {error.message}"
    return error.message or error.code or NO_REASON
