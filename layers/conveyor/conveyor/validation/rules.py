"""One line of a drop: whether it is a request the provider would take, and if not, what is wrong with it.

This look is complete, so that all faults of a line are told, and it is the authority: `glance`, which looks at many
lines at once, may only take what this takes.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec
import orjson

from conveyor.domain.findings import CustomId, Fault
from conveyor.jsonl.complexity import MOST_VALUES, has_too_many_values
from conveyor.jsonl.lines import LONGEST_LINE, Line
from conveyor.jsonl.members import Repeated, values_of, without_nulls
from conveyor.jsonl.syntax_errors import why_not_json
from conveyor.validation.body_fields import alike, kind_of, number_or_kind, told_name
from conveyor.validation.params import NEEDED, Rules, is_count, params_told

LONGEST_CUSTOM_ID = 256
LARGEST_CUSTOM_ID = 2**53 - 1
"""As a number. Beyond it a program that holds numbers as doubles reads, and writes, another one."""
Told = Iterator[tuple[str, str]]


class Request(NamedTuple):
    """A line that may be sent."""

    custom_id: CustomId
    params: bytes
    """As written in the drop, without surrounding white space, and without fields that are null."""
    model: str
    max_tokens: int | None
    """None where the line gives none."""
    has_nulls: bool = False
    """Whether fields that are null were taken out."""


_NO_JSON = object()
_TOO_COMPLEX = (
    f"the line holds more than {MOST_VALUES:,} values (array elements, object fields): put such data into one text"
)
_BESIDE = (*NEEDED, "system", "temperature", "top_p", "top_k", "stop_sequences", "tools", "tool_choice", "thinking",
           "output_config")  # fmt: skip
"""Fields of `params` that nobody means for a note of his own where they stand beside."""
_IDS = frozenset({"id", "requestid", "recordid", "uid", "uuid", "key"})
_PARAMS = frozenset({"param", "parameters", "request", "requestparams", "modelinput", "payload", "data"})
"""What other APIs and people call the two, without separators."""


def read_request(line: Line, rules: Rules) -> Request | list[Fault]:
    """Check one line completely. Returns all faults of a line that may not be sent."""
    if line.raw is None or has_too_many_values(line.raw):
        return [_fault(line, None, *_too_much(line))]
    try:
        record = orjson.loads(line.raw)
    except orjson.JSONDecodeError:
        record = _NO_JSON  # the error holds the whole text: it is let go before a closer look
    if record is _NO_JSON:
        return [_fault(line, None, *why_not_json(line.raw, line.before))]
    if not isinstance(record, dict):
        return [_fault(line, None, *_no_object(record))]
    try:
        values = values_of(line.raw)
    except Repeated as error:
        return [_fault(line, _told_id(record), *_twice(error.name))]
    field = "body" if rules.url is not None and "params" not in record and "body" in record else "params"
    faults = [*_custom_id_told(record), *_call_told(record, rules), *_params_told(record, field, values, rules)]
    if faults:
        return [_fault(line, _told_id(record), code, message) for code, message in faults]
    params, written = record[field], bytes(values[field])
    sent = without_nulls(written) if rules.is_message and None in params.values() else written
    tokens = params.get("max_tokens")
    given = tokens if rules.is_message or is_count(tokens) else None
    return Request(record["custom_id"], sent, params["model"], given, sent != written)


def _too_much(line: Line) -> tuple[str, str]:
    if line.raw is not None:
        return "line-too-complex", _TOO_COMPLEX
    return "line-too-long", f"the line has {line.end - line.start:,} bytes; the limit is {LONGEST_LINE:,}"


def _fault(line: Line, custom_id: CustomId | None, code: str, message: str) -> Fault:
    """Make a fault of a line. Messages never quote the line: they may be logged."""
    return Fault(line.number, line.start, custom_id, code, message)


def _told_id(record: dict[str, Any]) -> CustomId | None:
    match record.get("custom_id"):
        case str() as text:
            return text[:LONGEST_CUSTOM_ID]
        case int() as number if not isinstance(number, bool):
            return number
        case _:
            return None


def _no_object(value: object) -> tuple[str, str]:
    wanted = 'it must be one JSON object: {"custom_id": …, "params": {…}}'
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return "encoded-twice", f"the line is a JSON string that holds JSON: it was encoded twice; {wanted}"
    return "not-an-object", f"the line is {kind_of(value) if isinstance(value, list) else 'a single value'}; {wanted}"


def _twice(name: str, where: str = "the line") -> tuple[str, str]:
    return "key-twice", f"{where} has {told_name(name)} twice, and only one of them would count: remove the other one"


def _custom_id_told(record: dict[str, Any]) -> Told:
    match record.get("custom_id"):
        case None:
            if other := alike(record, "custom_id", _IDS):
                yield "custom-id-misspelt", f'unknown key {told_name(other)}; did you mean "custom_id"?'
            else:
                yield "custom-id-missing", 'the line has no "custom_id": give each line a name of its own'
        case str() as text if len(text) > LONGEST_CUSTOM_ID:
            length = f"{len(text)} characters; the limit is {LONGEST_CUSTOM_ID}"
            yield "custom-id-too-long", f'"custom_id" has {length}'
        case str() as text if text:
            return
        case int() as number if not isinstance(number, bool) and abs(number) <= LARGEST_CUSTOM_ID:
            return
        case int() as number if not isinstance(number, bool):
            changed = "programs such as jq 1.6 and JavaScript change integers beyond 2^53 - 1"
            yield "custom-id-invalid", f'"custom_id" is {number}, and {changed}: write it as a string, "{number}"'
        case other:
            wanted = "a string that is not empty, or an integer up to 2^53 - 1, written without fraction and exponent"
            yield "custom-id-invalid", f'"custom_id" must be {wanted}, and is {number_or_kind(other)}'


def _call_told(record: dict[str, Any], rules: Rules) -> Told:
    """Yield what a line of the provider's own form asks for that is not the call this stack makes."""
    if rules.url is None:
        return
    if "params" in record and "body" in record:
        yield "params-and-body", 'the line has both "params" and "body": remove one of them'
    if record.get("method") not in (None, "POST"):  # it may be anything, also what has no hash
        yield "method-invalid", '"method" must be "POST"'
    if record.get("url") not in (None, rules.url):
        yield "url-differs", f'"url" must be "{rules.url}", which is the BatchEndpoint of this stack'


def _params_told(record: dict[str, Any], field: str, values: dict[str, msgspec.Raw], rules: Rules) -> Told:
    params = record.get(field)
    beside = _beside(record, field, rules)
    if beside:
        names = ", ".join(f'"{name}"' for name in beside)
        yield "fields-beside-params", f'{names} beside "{field}" would not be sent: move it into "{field}"'
    match params:
        case dict():
            if rules.is_message:
                try:
                    values_of(bytes(values[field]))
                except Repeated as error:
                    yield _twice(error.name, f'"{field}"')
            yield from params_told(params, rules, beside)
        case None:
            if not beside:
                yield _no_params(record, rules)
        case str() as text if text.lstrip().startswith("{"):
            yield "encoded-twice", f'"{field}" is a string that holds JSON, encoded twice: write the object itself'
        case _:
            wanted = "an object with model, max_tokens and messages"
            yield "params-invalid", f'"{field}" must be {wanted}, and is {kind_of(params)}'


def _beside(record: dict[str, Any], field: str, rules: Rules) -> Collection[str]:
    """Return the fields that stand beside `params` instead of inside."""
    if record.keys() == {"custom_id", field}:
        return ()
    params = record[field] if isinstance(record.get(field), dict) else {}
    names = _BESIDE if rules.is_message else ("model",)
    return [name for name in names if record.get(name) is not None and params.get(name) is None]


def _no_params(record: dict[str, Any], rules: Rules) -> tuple[str, str]:
    if "body" in record and rules.url is None:
        return "params-missing", (
            'the line has "body" instead of "params", the form of OpenAI\'s batches: for such a provider deploy with '
            'BatchApi=files and LineForm=body; else rename "body" to "params" and drop "method" and "url"'
        )
    if other := alike(record, "params", _PARAMS):
        return "params-misspelt", f'unknown key {told_name(other)}; did you mean "params"?'
    return "params-missing", 'the line has no "params": put model, max_tokens and messages there'
