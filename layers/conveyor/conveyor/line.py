"""One line of a drop: whether it is a request the provider would take, and if not, what is wrong with it.

A good line is accepted by one typed decode that leaves `params` as the bytes the user wrote. Every other line is looked
at again, slowly and completely, so that all its faults are told. The slow look is the authority: the fast one may only
accept what the slow one accepts (a test holds them against each other).

Rules: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple

import msgspec
import orjson

from conveyor.lines import LONGEST_LINE, Line

LONGEST_CUSTOM_ID = 256
LARGEST_MAX_TOKENS = 2**53 - 1


class Fault(msgspec.Struct, frozen=True):
    """Something wrong with a drop; a line of `invalid.jsonl`. `line` and `byte` are null where no line is to blame."""

    line: int | None
    byte: int | None
    custom_id: str | None
    code: str
    message: str


class Request(NamedTuple):
    """A line that may be sent."""

    custom_id: str
    params: bytes
    """As written in the drop, without surrounding white space."""
    max_tokens: int | None
    """None where the line gives none."""


class _Line(msgspec.Struct, gc=False):
    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]
    params: msgspec.Raw


class _Params(msgspec.Struct, gc=False):
    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1)]
    max_tokens: msgspec.Raw = msgspec.Raw(b"")
    stream: bool = False
    # Of these the mere presence matters; `_refused_fields` says why.
    speed: msgspec.Raw = msgspec.Raw(b"")
    fallbacks: msgspec.Raw = msgspec.Raw(b"")
    billing_policy: msgspec.Raw = msgspec.Raw(b"")


class _RawLine(msgspec.Struct, gc=False):
    custom_id: msgspec.Raw
    params: msgspec.Raw


_decode_raw_line = msgspec.json.Decoder(_RawLine).decode
_decode_line = msgspec.json.Decoder(_Line).decode
_decode_params = msgspec.json.Decoder(_Params).decode

# What a decoder that skips values lets pass: lone surrogates, numbers beyond a double, very deep nesting. Looked for in
# a form of the line in which all digits, exponents, signs and brackets are alike: a regular expression would take most
# of the time.
_ALIKE = bytes.maketrans(b"123456789E-D{", b"000000000e+d[")
_HUGE_NUMBERS = (b"0" * 19, b"e000", b"e+000")
_SURROGATE = b"\\ud"
_MANY_BRACKETS = 500
_positive_integer = re.compile(rb"[1-9][0-9]{0,14}").fullmatch


def read_request(line: Line, default_max_tokens: int) -> Request | list[Fault]:
    """Check one line completely.

    `default_max_tokens` of 0 means that a line must bring its own. Returns all faults of a line that may not be sent.
    """
    if line.raw is not None and (request := _accept(line.raw, default_max_tokens)):
        return request
    return list(_explain(line, default_max_tokens)) or _request(line.raw or b"")


def _accept(raw: bytes, default_max_tokens: int) -> Request | None:
    """Return the request of a line beyond suspicion, None for any line that deserves the slow look."""
    try:
        line = _decode_line(raw)
        params = _decode_params(line.params)
        if not raw.isascii():
            raw.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if params.stream or params.speed or params.fallbacks or params.billing_policy:
        return None
    given = bytes(params.max_tokens)
    if not (_positive_integer(given) if given else default_max_tokens):
        return None
    if _is_suspicious(raw):
        return None
    return Request(line.custom_id, bytes(line.params), int(given) if given else None)


def _is_suspicious(raw: bytes) -> bool:
    alike = raw.translate(_ALIKE)
    return (
        _SURROGATE in alike
        or alike.count(b"[") > _MANY_BRACKETS
        or (b"000" in alike and any(number in alike for number in _HUGE_NUMBERS))
    )


def _request(raw: bytes) -> Request:
    """Return the request of a line in which the slow look found no fault."""
    line = _decode_raw_line(raw)
    params = bytes(line.params)
    return Request(orjson.loads(bytes(line.custom_id)), params, orjson.loads(params).get("max_tokens"))


def _explain(line: Line, default_max_tokens: int) -> Iterator[Fault]:
    """Yield every fault of a line. Messages never quote the line: they may be logged."""

    def fault(code: str, message: str) -> Fault:
        return Fault(line.number, line.start, custom_id, code, message)

    custom_id: str | None = None
    if line.raw is None:
        yield fault("line-too-long", f"the line has {line.end - line.start:,} bytes; the limit is {LONGEST_LINE:,}")
        return
    try:
        record = orjson.loads(line.raw.decode())
    except UnicodeDecodeError as error:
        yield fault("not-utf8", f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8")
        return
    except orjson.JSONDecodeError as error:
        yield fault("not-json", f"the line is not JSON: {error.msg} (character {error.colno} of the line)")
        return
    if not isinstance(record, dict):
        yield fault("not-an-object", 'the line must be one JSON object: {"custom_id": …, "params": {…}}')
        return
    if isinstance(record.get("custom_id"), str):
        custom_id = record["custom_id"][:LONGEST_CUSTOM_ID]
    for code, message in (*_custom_id_faults(record), *_params_faults(record, default_max_tokens)):
        yield fault(code, message)


def _custom_id_faults(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match record.get("custom_id"):
        case None:
            yield "custom-id-missing", 'the line has no "custom_id": give each line a name of its own'
        case str() as text if text:
            if len(text) > LONGEST_CUSTOM_ID:
                yield "custom-id-too-long", f'"custom_id" has {len(text)} characters; the limit is {LONGEST_CUSTOM_ID}'
        case _:
            yield "custom-id-invalid", '"custom_id" must be a string that is not empty'


def _params_faults(record: dict[str, Any], default_max_tokens: int) -> Iterator[tuple[str, str]]:
    match record.get("params"):
        case dict() as params:
            yield from _required_fields(params, default_max_tokens)
            yield from _refused_fields(params)
        case None if "body" in record:
            yield "params-missing", 'the line has no "params": rename "body" to "params" and drop "method" and "url"'
        case None:
            yield "params-missing", 'the line has no "params": put model, max_tokens and messages there'
        case _:
            yield "params-invalid", '"params" must be an object with model, max_tokens and messages'


def _required_fields(params: dict[str, Any], default_max_tokens: int) -> Iterator[tuple[str, str]]:
    if not (isinstance(params.get("model"), str) and params["model"]):
        yield "model-invalid", '"params.model" must name a model'
    if not (isinstance(params.get("messages"), list) and params["messages"]):
        yield "messages-invalid", '"params.messages" must be an array with at least one message'
    if "max_tokens" not in params:
        if not default_max_tokens:
            yield "max-tokens-missing", '"params.max_tokens" is missing, and no default is set'
    elif not _is_count(params["max_tokens"]):
        yield "max-tokens-invalid", '"params.max_tokens" must be an integer of at least 1'


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_MAX_TOKENS


_REFUSED_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (lambda value: value is not False, "a batch does not stream: remove it"),
    "speed": (lambda _: True, "fast mode is not available in a batch: remove it"),
    "fallbacks": (lambda _: True, "model fallbacks are not available in a batch: remove it"),
    "billing_policy": (
        lambda value: isinstance(value, dict) and value.get("bill_to") == "user_profile",
        'a batch cannot be billed to "user_profile": remove it',
    ),
}


def _refused_fields(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that the provider refuses in a batch, for the whole batch or hours later for the line."""
    for field, (is_refused, advice) in _REFUSED_FIELDS.items():
        if field in params and is_refused(params[field]):
            yield "field-refused", f'"params.{field}": {advice}'


def wire_request(wire_id: str, params: bytes, max_tokens: int | None) -> bytes:
    """Return a request as it is sent: the user's params byte for byte after our id.

    `max_tokens` is put in front where the user gave none.
    """
    if max_tokens is not None:
        return b'{"custom_id":"%b","params":{"max_tokens":%d,%b}' % (wire_id.encode(), max_tokens, params[1:])
    return b'{"custom_id":"%b","params":%b}' % (wire_id.encode(), params)


def raw_custom_id(raw: bytes) -> bytes:
    """Return the `custom_id` of a checked line as the JSON the user wrote."""
    return bytes(_decode_raw_line(raw).custom_id)
