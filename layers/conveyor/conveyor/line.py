"""One line of a drop: whether it is a request the provider would take, and if not, what is wrong with it.

This look is complete, so that all faults of a line are told, and it is the authority: `glance`, which looks at many
lines at once, may only take what this takes.

Rules: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import msgspec
import orjson

from conveyor.dialect import NOTHING, Dialect
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
    model: str
    max_tokens: int | None
    """None where the line gives none."""


class Rules(NamedTuple):
    """What a line must keep beside what all must."""

    default_max_tokens: int
    """Put in where a line gives none; 0: each must bring its own."""
    is_message: bool = True
    """Whether `params` are a Messages body; of any other only the model is looked at."""
    refused_fields: Mapping[str, str] = NOTHING
    """Fields of `params` that the dialect refuses, and the advice for each."""

    @classmethod
    def of(cls, default_max_tokens: int, dialect: Dialect) -> Self:
        """Return the rules of a dialect."""
        return cls(default_max_tokens, dialect.is_message, dialect.refused_fields)


class _RawParams(msgspec.Struct, gc=False):
    params: msgspec.Raw


_decode_raw_params = msgspec.json.Decoder(_RawParams).decode


def read_request(line: Line, rules: Rules) -> Request | list[Fault]:
    """Check one line completely. Returns all faults of a line that may not be sent."""
    if line.raw is None:
        size = line.end - line.start
        return [_fault(line, None, "line-too-long", f"the line has {size:,} bytes; the limit is {LONGEST_LINE:,}")]
    try:
        record = orjson.loads(line.raw)
    except orjson.JSONDecodeError:
        return [_fault(line, None, *_unreadable(line.raw))]
    if not isinstance(record, dict):
        message = 'the line must be one JSON object: {"custom_id": …, "params": {…}}'
        return [_fault(line, None, "not-an-object", message)]
    faults = [*_custom_id_faults(record), *_params_faults(record, rules)]
    if faults:
        custom_id = record.get("custom_id")
        told = custom_id[:LONGEST_CUSTOM_ID] if isinstance(custom_id, str) else None
        return [_fault(line, told, code, message) for code, message in faults]
    params = record["params"]
    tokens = params.get("max_tokens")
    given = tokens if rules.is_message or _is_count(tokens) else None
    return Request(record["custom_id"], _raw_params(line.raw), params["model"], given)


def _fault(line: Line, custom_id: str | None, code: str, message: str) -> Fault:
    """Make a fault of a line. Messages never quote the line: they may be logged."""
    return Fault(line.number, line.start, custom_id, code, message)


def _unreadable(raw: bytes) -> tuple[str, str]:
    """Return why bytes are not JSON."""
    try:
        orjson.loads(raw.decode())
    except UnicodeDecodeError as error:
        return "not-utf8", f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8"
    except orjson.JSONDecodeError as error:
        return "not-json", f"the line is not JSON: {error.msg} (character {error.colno} of the line)"
    raise AssertionError


def _custom_id_faults(record: dict[str, Any]) -> list[tuple[str, str]]:
    match record.get("custom_id"):
        case None:
            return [("custom-id-missing", 'the line has no "custom_id": give each line a name of its own')]
        case str() as text if len(text) > LONGEST_CUSTOM_ID:
            length = f"{len(text)} characters; the limit is {LONGEST_CUSTOM_ID}"
            return [("custom-id-too-long", f'"custom_id" has {length}')]
        case str() as text if text:
            return []
        case _:
            return [("custom-id-invalid", '"custom_id" must be a string that is not empty')]


def _params_faults(record: dict[str, Any], rules: Rules) -> list[tuple[str, str]]:
    match record.get("params"):
        case dict() as params:
            return [*_required_fields(params, rules), *_refused_fields(params, rules)]
        case None if "body" in record:
            return [
                ("params-missing", 'the line has no "params": rename "body" to "params" and drop "method" and "url"')
            ]
        case None:
            return [("params-missing", 'the line has no "params": put model, max_tokens and messages there')]
        case _:
            return [("params-invalid", '"params" must be an object with model, max_tokens and messages')]


def _required_fields(params: dict[str, Any], rules: Rules) -> list[tuple[str, str]]:
    faults = []
    model, messages = params.get("model"), params.get("messages")
    if not (isinstance(model, str) and model):
        faults.append(("model-invalid", '"params.model" must name a model'))
    if not rules.is_message:
        return faults
    if not (isinstance(messages, list) and messages):
        faults.append(("messages-invalid", '"params.messages" must be an array with at least one message'))
    if "max_tokens" not in params:
        if not rules.default_max_tokens:
            faults.append(("max-tokens-missing", '"params.max_tokens" is missing, and no default is set'))
    elif not _is_count(params["max_tokens"]):
        faults.append(("max-tokens-invalid", '"params.max_tokens" must be an integer of at least 1'))
    return faults


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


def _refused_fields(params: dict[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield the fields that the provider refuses in a batch, for the whole batch or hours later for the line."""
    if rules.is_message and not params.keys().isdisjoint(_REFUSED_FIELDS):
        for field, (is_refused, advice) in _REFUSED_FIELDS.items():
            if field in params and is_refused(params[field]):
                yield "field-refused", f'"params.{field}": {advice}'
    for field, advice in rules.refused_fields.items():
        if field in params:
            yield "field-refused", f'"params.{field}": {advice}'


def _raw_params(raw: bytes) -> bytes:
    """Return the `params` of a checked line as the JSON the user wrote, without white space around it."""
    return bytes(_decode_raw_params(raw).params)
