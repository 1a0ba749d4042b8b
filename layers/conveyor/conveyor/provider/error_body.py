"""Reads an error in any of the forms in which a provider, or a proxy in front of it, writes one.

Seen in the field: {"error": {"type", "message"}}, the same once or twice inside another, {"type", "message"},
{"message"}, a text, a text that holds JSON, {"detail": "…"}, {"detail": [{"loc", "msg"}]}, {"message": {…}} and
{"errors": […]}.
"""

from typing import Any, NamedTuple

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_INNER_ERRORS = ("error", "errors", "fault")
_MESSAGES = (
    "message",
    "msg",
    "detail",
    "details",
    "error_description",
    "error_message",
    "description",
    "reason",
    "title",
)
_CODES = ("code", "error_code", "status_code")
_EMPTY_TEXTS = frozenset({"", "null", "none"})
"""Texts that mean nothing: programs write them for null."""
_DEEPEST = 10
_MOST_ERRORS = 5
"""Errors of a list that are kept."""
_LONGEST_SHAPE = 300
"""Characters kept of an error of unknown form."""
_LONGEST = 1_000_000
"""Bytes. A longer error counts as one of unknown form."""


class ErrorBody(NamedTuple):
    """The parts of an error. One that it does not have is empty."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""


def parse_error(raw: bytes) -> ErrorBody | None:
    """Read an error from JSON of any form; None if it is not JSON."""
    if len(raw) > _LONGEST:
        return ErrorBody(message=raw[:_LONGEST_SHAPE].decode(errors="ignore"))
    try:
        value = msgspec.json.decode(raw)
    except UNDECODABLE:
        return None
    parsed = _read(value)
    if any(parsed) or is_empty_value(value):
        return parsed
    try:
        shape = msgspec.json.encode(value)
    except RecursionError:  # msgspec reads more levels than it writes
        shape = raw
    return ErrorBody(message=shape[:_LONGEST_SHAPE].decode(errors="ignore"))


def is_empty_json(raw: bytes) -> bool:
    """Tell whether JSON is null, an empty value, or an object of such values only."""
    if raw == b"null" or len(raw) > _LONGEST:
        return raw == b"null"
    try:
        return is_empty_value(msgspec.json.decode(raw))
    except UNDECODABLE:
        return False


def is_empty_value(value: Any) -> bool:  # noqa: ANN401  # JSON has no narrower type
    """Tell the same of a decoded value, at any depth."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as fields:
                pending += (each for name, each in fields.items() if (name, each) != ("type", "error"))
            case list() as values:
                pending += values
            case str() as text if text.strip(" ").lower() in _EMPTY_TEXTS:
                pass
            case other if other:
                return False
    return True


def _read(value: Any, depth: int = 0) -> ErrorBody:  # noqa: ANN401
    if depth > _DEEPEST:
        return ErrorBody()
    match value:
        case str():
            return _from_text(value.strip(), depth)
        case list():
            return _from_list([parsed for each in value if any(parsed := _read(each, depth + 1))][:_MOST_ERRORS])
        case dict():
            return _from_fields(value, depth)
        case bool() | None:
            return ErrorBody()
        case _:
            return ErrorBody(message=str(value))


def _from_text(text: str, depth: int) -> ErrorBody:
    if text.startswith(("{", "[", '"')):
        try:
            return _read(msgspec.json.decode(text), depth + 1)
        except UNDECODABLE:
            pass
    return ErrorBody(message=text)


def _from_list(errors: list[ErrorBody]) -> ErrorBody:
    if not errors:
        return ErrorBody()
    return errors[0]._replace(message="; ".join(parsed.message for parsed in errors if parsed.message))


def _from_fields(given: dict[str, Any], depth: int) -> ErrorBody:
    """Read an object. An error inside it is closer to the cause than its own message."""
    fields = {name.lower(): value for name, value in given.items()}
    inner = next((parsed for name in _INNER_ERRORS if any(parsed := _read(fields.get(name), depth + 1))), ErrorBody())
    outer = next((parsed for name in _MESSAGES if (parsed := _read(fields.get(name), depth + 1)).message), ErrorBody())
    if not inner.message and not outer.message:  # under an unknown name
        nested = [value for name, value in fields.items() if isinstance(value, dict) and name not in _INNER_ERRORS]
        outer = next((parsed for value in nested if (parsed := _read(value, depth + 1)).message), ErrorBody())
    message = inner.message or outer.message
    if inner.message and outer.message and outer.message not in inner.message:
        both = (inner, outer) if isinstance(fields.get("error"), str) else (outer, inner)
        message = ": ".join(parsed.message for parsed in both)
    location = fields.get("loc")
    if message and isinstance(location, list):  # one of the errors of a validation library
        parts = (str(part) for part in location if isinstance(part, str | int))  # nested values are no location
        return ErrorBody(message=f"{'.'.join(parts)}: {message}")
    kind, param = fields.get("type"), fields.get("param")
    return ErrorBody(
        inner.type or outer.type or (kind if isinstance(kind, str) and kind != "error" else ""),
        inner.code or outer.code or _code(fields),
        message,
        inner.param or outer.param or (param if isinstance(param, str) else ""),
    )


def _code(fields: dict[str, Any]) -> str:
    details = fields.get("details")
    objects = [details, fields] if isinstance(details, dict) else [fields]
    codes = (each.get(name) for each in objects for name in _CODES)
    return next((str(code) for code in codes if isinstance(code, str | int) and code and code is not True), "")
