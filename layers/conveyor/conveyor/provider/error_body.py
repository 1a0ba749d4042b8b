"""What an error says, in whichever shape a provider or what stands before it writes one.

Seen in the field: {"error": {"type", "message"}}, the same once or twice inside another, {"type", "message"},
{"message"}, a text, a text that holds JSON, {"detail": "…"}, {"detail": [{"loc", "msg"}]}, {"message": {…}} and
{"errors": […]}.
"""

from typing import Any, NamedTuple

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_INSIDE = ("error", "errors", "fault")
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
_NOTHING = frozenset({"", "null", "none"})
"""Text that means nothing: programs write it where they turn a null into text."""
_DEEPEST = 10
_MOST = 5
"""Errors of a list that are told."""
_LONGEST_SHAPE = 300
"""Characters kept of an error whose shape is unknown."""
_LONGEST = 1_000_000
"""Bytes of an error that are read; one that is longer has no shape that is known."""


class ErrorBody(NamedTuple):
    """An error's own words; each is empty where it has none."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""


def parse_error(raw: bytes) -> ErrorBody | None:
    """Read an error from JSON of any shape; None where it is not JSON."""
    if len(raw) > _LONGEST:
        return ErrorBody(message=raw[:_LONGEST_SHAPE].decode(errors="ignore"))
    try:
        value = msgspec.json.decode(raw)
    except UNDECODABLE:
        return None
    said = _read(value)
    if any(said) or is_empty_value(value):
        return said
    try:
        shape = msgspec.json.encode(value)
    except RecursionError:  # it has more levels than can be written, but not more than can be read
        shape = raw
    return ErrorBody(message=shape[:_LONGEST_SHAPE].decode(errors="ignore"))


def is_empty_json(raw: bytes) -> bool:
    """Tell whether JSON says nothing: null, an empty value, or one whose fields all say nothing."""
    if raw == b"null" or len(raw) > _LONGEST:
        return raw == b"null"
    try:
        return is_empty_value(msgspec.json.decode(raw))
    except UNDECODABLE:
        return False


def is_empty_value(value: Any) -> bool:  # noqa: ANN401  # JSON has no narrower type
    """Tell whether a decoded value says nothing, however deep it is."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as fields:
                waiting += (each for name, each in fields.items() if (name, each) != ("type", "error"))
            case list() as values:
                waiting += values
            case str() as text if text.strip(" ").lower() in _NOTHING:
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
            return _from_list([said for each in value if any(said := _read(each, depth + 1))][:_MOST])
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


def _from_list(all_said: list[ErrorBody]) -> ErrorBody:
    if not all_said:
        return ErrorBody()
    return all_said[0]._replace(message="; ".join(said.message for said in all_said if said.message))


def _from_fields(given: dict[str, Any], depth: int) -> ErrorBody:
    """Read an object: what stands inside it is nearer to the cause than its own words."""
    fields = {name.lower(): value for name, value in given.items()}
    inside = next((said for name in _INSIDE if any(said := _read(fields.get(name), depth + 1))), ErrorBody())
    own = next((said for name in _MESSAGES if (said := _read(fields.get(name), depth + 1)).message), ErrorBody())
    if not inside.message and not own.message:  # a name that nobody has seen
        nested = [value for name, value in fields.items() if isinstance(value, dict) and name not in _INSIDE]
        own = next((said for value in nested if (said := _read(value, depth + 1)).message), ErrorBody())
    message = inside.message or own.message
    if inside.message and own.message and own.message not in inside.message:
        words = (inside, own) if isinstance(fields.get("error"), str) else (own, inside)
        message = ": ".join(said.message for said in words)
    place = fields.get("loc")
    if message and isinstance(place, list):  # one of several faults that a server's own check found
        parts = (str(part) for part in place if isinstance(part, str | int))  # what is deeper is no place
        return ErrorBody(message=f"{'.'.join(parts)}: {message}")
    kind, param = fields.get("type"), fields.get("param")
    return ErrorBody(
        inside.type or own.type or (kind if isinstance(kind, str) and kind != "error" else ""),
        inside.code or own.code or _code(fields),
        message,
        inside.param or own.param or (param if isinstance(param, str) else ""),
    )


def _code(fields: dict[str, Any]) -> str:
    details = fields.get("details")
    among = [details, fields] if isinstance(details, dict) else [fields]
    codes = (each.get(name) for each in among for name in _CODES)
    return next((str(code) for code in codes if isinstance(code, str | int) and code and code is not True), "")
