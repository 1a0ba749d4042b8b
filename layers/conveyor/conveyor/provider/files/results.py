"""Lines of results in the file dialect. There are several forms of them, and each line is told apart by itself.

{"custom_id", "response": <message>, "error": null}                                 the message itself
{"custom_id", "response": {"status_code", "request_id", "body"}, "error": null}     an HTTP answer
{"custom_id", "response": null, "error": {"code", "message"}}                       a failure beside the response
{"custom_id", "response": {"error": {"type", "message"}}, "error": null}            a failure inside it
{"custom_id", "result": {"type", …}}                                                as in the other dialect
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from conveyor.domain.outcome import NO_REASON, Error, Outcome, Result, Usage, failure, unreadable_result
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.lines import read_lines
from conveyor.provider.error_body import UNDECODABLE, ErrorBody, is_empty_json, parse_error
from conveyor.provider.messages.results import decode_one
from conveyor.provider.result_lines import (
    LONGEST_RESULT,
    Answer,
    AnswerSummary,
    Count,
    parse_answer,
    read_line,
    stop_in,
    summarize,
)

_NULL = msgspec.Raw(b"null")
_SHORT = 200
"""Bytes; no answer that was paid for has so few."""
_EXPIRED = frozenset({"batch_expired", "expired"})
_CANCELED = frozenset({"batch_cancelled", "batch_canceled", "cancelled", "canceled"})
_RETRYABLE = frozenset({408, 409, 425, 429})
_OF_ACCOUNT = frozenset({401, 402, 403})
"""The account is refused, and not the request, whatever type the error has."""
_KINDS = {401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error"}  # fmt: skip
"""What an HTTP status is called where the error's own type is not one of these."""
_FIRST_ERROR, _FIRST_OF_SERVER = 400, 500
_DONE = range(200, 300)


class _Line(msgspec.Struct):
    custom_id: str
    response: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    result: msgspec.Raw = _NULL


class _Response(msgspec.Struct):
    """An HTTP answer, or a message, or an error: what is there tells."""

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


class _Choice(msgspec.Struct):
    """One of the answers of a chat completion."""

    finish_reason: str | UnsetType | None = UNSET


class _Details(msgspec.Struct):
    """Why a response is incomplete."""

    reason: str | None = None


class _Told(msgspec.Struct):
    """What a message says of itself."""

    model: str = ""
    usage: _Usage | None = None
    error: msgspec.Raw = _NULL
    stop_reason: str | UnsetType | None = UNSET
    choices: list[_Choice] | None = None
    status: str | UnsetType | None = UNSET
    incomplete_details: _Details | None = None


class _Failing(msgspec.Struct):
    """What a message whose account is odd says of an error."""

    error: msgspec.Raw = _NULL


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_failing = msgspec.json.Decoder(_Failing).decode


def decode_results(pieces: Iterable[bytes]) -> Iterator[Result]:
    """Decode lines of results. What of one is odd concerns one request, or none, but never the whole batch."""
    for line in read_lines(pieces, longest=LONGEST_RESULT):
        yield from read_line(line.raw or b"", _decoded)


def _decoded(raw: bytes) -> Result:
    """Decode one line of strict JSON. Raises one of UNDECODABLE where it has no id."""
    line = _decode_line(raw)
    if line.result != _NULL:
        return decode_one(raw)
    try:
        status, answer, outer, body, is_bare = _found(line)
    except (*UNDECODABLE, ValueError, OverflowError):  # a status may be "inf"
        return _strange(line.custom_id, raw)
    told = _told_in(answer.json) if answer else _Told()
    inner = None if is_empty_json(told.error) else bytes(told.error)
    is_done = status is None or status in _DONE
    if answer and is_done and not inner and _holds_anything(answer.json):
        if not outer:
            model, usage, stop = _account(told, answer.json)
            about = (None, model, usage, answer.is_repaired)
            return Result(line.custom_id, Outcome.SUCCEEDED, raw, answer.json, *about, stop=stop)
        if not is_bare or _is_answer(answer.json):
            return unreadable_result(line.custom_id, raw, "holds both an answer and an error")
    error = outer or inner or _failure_in(status, body)
    return _failed(line.custom_id, raw, error, status) if error else _strange(line.custom_id, raw)


_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode


def _holds_anything(answer: bytes) -> bool:
    """Tell whether an answer is more than an object that is empty, or filled with nulls."""
    return len(answer) > _SHORT or any(each is not None and each != "" for each in _decode_fields(answer).values())


class _Answer(msgspec.Struct):
    """What only an answer has, in one API or the other."""

    content: msgspec.Raw = _NULL
    choices: msgspec.Raw = _NULL
    output: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL


_decode_answer = msgspec.json.Decoder(_Answer).decode


def _is_answer(response: bytes) -> bool:
    told = _decode_answer(response)
    return any(part != _NULL for part in (told.content, told.choices, told.output, told.usage))


def _failure_in(status: int | None, body: bytes) -> bytes | None:
    """Return the words of an HTTP answer that is no success; what another status than of an error says is no reason."""
    if status is None or status in _DONE:
        return None
    return body if status >= _FIRST_ERROR else b"null"


class _Found(NamedTuple):
    """The parts of a response, wherever they stand."""

    status: int | None
    answer: Answer | None
    error: bytes | None
    """Beside the answer."""
    body: bytes
    """As it stands: the words of a failure, where there is no other error."""
    is_bare: bool
    """Whether the response is the answer itself, without an HTTP answer around it."""


def _found(line: _Line) -> _Found:
    """Find the parts. Raises ValueError, or one of UNDECODABLE, where the response has no form that is known."""
    response = parse_answer(bytes(line.response))
    has_error = not is_empty_json(line.error)
    if response is None and not is_empty_json(line.response) and not has_error:
        raise ValueError("the response is no object")
    found = _decode_response(response.json) if response else _Response()
    status = _status(found.status_code)
    is_bare = response is not None and status is None and found.body == _NULL
    answer = response if is_bare else parse_answer(bytes(found.body))
    if answer and response:
        answer = answer._replace(is_repaired=answer.is_repaired or response.is_repaired)
    error = line.error if has_error else found.error
    return _Found(status, answer, None if is_empty_json(error) else bytes(error), bytes(found.body), is_bare)


def _status(given: float | str | None) -> int | None:
    """Read an HTTP status, however it is written. Raises ValueError where it is none."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        given = given.partition(" ")[0]  # "200 OK"
    if (number := float(given)) != int(number):
        raise ValueError(given)
    return int(number)


def _told_in(answer: bytes) -> _Told | _Failing:
    """Read what a message says of itself; one whose account is odd is a message all the same."""
    try:
        return _decode_failing(answer) if has_too_many_values(answer) else _decode_told(answer)
    except UNDECODABLE:
        return _decode_failing(answer)


def _account(told: _Told | _Failing, answer: bytes) -> AnswerSummary:
    if not isinstance(told, _Told):
        return summarize(answer)
    usage = told.usage
    finishes: list[object] = [choice.finish_reason for choice in told.choices or []]
    details = told.incomplete_details and {"reason": told.incomplete_details.reason}
    stop = stop_in(told.stop_reason, finishes, told.status, details)
    if usage is None:
        return AnswerSummary(told.model, Usage(), stop)
    read = usage.input_tokens if usage.input_tokens is not None else usage.prompt_tokens
    written = usage.output_tokens if usage.output_tokens is not None else usage.completion_tokens
    cached = (usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
    return AnswerSummary(told.model, Usage(read or 0, written or 0, *cached), stop)


def _strange(custom_id: str, raw: bytes) -> Result:
    return unreadable_result(custom_id, raw, "is of a form that is not known")


def _failed(custom_id: str, raw: bytes, told: bytes, status: int | None) -> Result:
    """Make a failure of what was told about it, and of the HTTP status where there was one."""
    said = parse_error(told) or ErrorBody()
    code = said.code or said.type
    if code in _EXPIRED or code in _CANCELED:
        outcome = Outcome.EXPIRED if code in _EXPIRED else Outcome.CANCELED
        return Result(custom_id, outcome, raw, error=failure(outcome).error)
    return Result(custom_id, Outcome.ERRORED, raw, error=Error(_kind(said, status), _words(said)))


def _kind(said: ErrorBody, status: int | None) -> str:
    """Return what kind of failure it is: from it follows whether sending the line again may help."""
    kind = said.type or said.code
    if status is None or status < _FIRST_ERROR:
        return kind or "unknown_error"
    if status in _OF_ACCOUNT:
        return _KINDS[status]
    comes_again = status < _FIRST_OF_SERVER and status not in _RETRYABLE
    if comes_again and kind in {*_FINAL, *_KINDS.values()}:
        return kind
    if not comes_again and kind.endswith("_error") and kind not in _FINAL:
        return kind
    return _KINDS.get(status, "invalid_request_error" if comes_again else "api_error")


_FINAL = frozenset({"invalid_request_error", "not_found_error"})
"""Kinds that are not worth sending again, whatever they are the answer to."""


def _words(said: ErrorBody) -> str:
    if said.code and said.message and said.type:
        return f"{said.code}: {said.message}"
    return said.message or said.code or NO_REASON
