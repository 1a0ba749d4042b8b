"""The rules for one line of a drop: whether it is a request that the provider would accept, and if not, why.

This check is complete, so that all faults of a line are reported, and it is authoritative: `fast_path`, which reads
many lines at once, may accept only what this check accepts.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import orjson

from conveyor.domain.findings import CustomId, Fault, Problem
from conveyor.jsonl.complexity import MOST_VALUES, has_too_many_values
from conveyor.jsonl.lines import LONGEST_LINE, Line
from conveyor.jsonl.members import DuplicateKey, kept_members, values_of, without_nulls
from conveyor.jsonl.syntax_errors import why_not_json
from conveyor.money.bounds import OTHER_API, Bound, bound_of
from conveyor.settings.settings import FILES_OPENAI
from conveyor.validation.body_fields import describe_type, describe_value, quoted, similar_key
from conveyor.validation.params import REQUIRED, Rules, is_count, params_problems

LONGEST_CUSTOM_ID = 256
LARGEST_CUSTOM_ID = 2**53 - 1
"""As a number. Programs that use doubles for numbers change larger ones."""


class Request(NamedTuple):
    """A line that may be sent."""

    custom_id: CustomId
    params: bytes
    """As written in the drop, without surrounding white space, and without fields that are null."""
    model: str
    max_tokens: int | None
    """None if the line has none."""
    has_nulls: bool = False
    """Whether fields that are null were removed."""
    bound: Bound = OTHER_API
    """The most tokens that its prompt can have."""
    has_kept_keys: bool = False
    """Whether keys beside these come back with its outcome."""


_NOT_JSON = object()
_TOO_COMPLEX = (
    f"the line has more than {MOST_VALUES:,} values (array elements, object fields): put such data into one string"
)
FIELDS_OF_PARAMS = (
    *REQUIRED, "system", "temperature", "top_p", "top_k", "stop_sequences", "tools", "tool_choice", "thinking",
    "output_config",
)  # fmt: skip
"""Fields that belong into `params`: nobody uses these names at the top level for notes of their own."""
_IDS = frozenset({"id", "requestid", "recordid", "uid", "uuid", "key"})
_PARAMS = frozenset({"param", "parameters", "request", "requestparams", "modelinput", "payload", "data"})
"""Names that other APIs and people use for the two keys, without separators."""


def read_request(line: Line, rules: Rules) -> Request | list[Fault]:
    """Check one line completely. Returns all faults of an invalid line."""
    if line.raw is None or has_too_many_values(line.raw):
        return [_fault(line, None, *_too_large(line))]
    try:
        record = orjson.loads(line.raw)
    except orjson.JSONDecodeError:
        record = _NOT_JSON  # the error holds the whole text: it is released before the line is examined
    if record is _NOT_JSON:
        return [_fault(line, None, *why_not_json(line.raw, line.before))]
    if not isinstance(record, dict):
        return [_fault(line, None, *_not_an_object(record))]
    try:
        values = values_of(line.raw)
    except DuplicateKey as error:
        return [_fault(line, _reported_id(record), *_duplicate_key(error.name))]
    is_body = rules.dialect.form.url is not None and "params" not in record and "body" in record
    field = "body" if is_body else "params"
    problems = [*_custom_id_problems(record), *_call_problems(record, rules)]
    problems += _params_problems(record, field, values, rules)
    if problems:
        return [_fault(line, _reported_id(record), code, message) for code, message in problems]
    request = _request(record, field, bytes(values[field]), rules)
    kept = kept_members(values, names_call=rules.dialect.form.url is not None)
    request = request._replace(has_kept_keys=bool(kept))
    is_message, sent = rules.dialect.is_message, line.end - line.start - len(kept)
    return request._replace(bound=bound_of(record[field], sent)) if is_message else request


def _request(record: dict[str, Any], field: str, written: bytes, rules: Rules) -> Request:
    is_message, params = rules.dialect.is_message, record[field]
    sent = without_nulls(written) if is_message and None in params.values() else written
    tokens = params.get("max_tokens")
    max_tokens = tokens if is_message or is_count(tokens) else None
    return Request(record["custom_id"], sent, params["model"], max_tokens, sent != written)


def _too_large(line: Line) -> Problem:
    if line.raw is not None:
        return "line-too-complex", _TOO_COMPLEX
    return "line-too-long", f"the line has {line.end - line.start:,} bytes; the limit is {LONGEST_LINE:,}"


def _fault(line: Line, custom_id: CustomId | None, code: str, message: str) -> Fault:
    """Create a fault of a line. Messages never quote the line: they may be logged."""
    return Fault(line.number, line.start, custom_id, code, message)


def _reported_id(record: dict[str, Any]) -> CustomId | None:
    match record.get("custom_id"):
        case str() as text:
            return text[:LONGEST_CUSTOM_ID]
        case int() as number if not isinstance(number, bool):
            return number
        case _:
            return None


def _not_an_object(value: object) -> Problem:
    form = 'it must be one JSON object: {"custom_id": …, "params": {…}}'
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return "encoded-twice", f"the line is a JSON string that contains JSON: it was encoded twice; {form}"
    return (
        "not-an-object",
        f"the line is {describe_type(value) if isinstance(value, list) else 'a single value'}; {form}",
    )


def _duplicate_key(name: str, place: str = "the line") -> Problem:
    return "key-twice", f"{place} has a duplicate{quoted(name)} key: remove one of the two"


def _custom_id_problems(record: dict[str, Any]) -> Iterator[Problem]:
    match record.get("custom_id"):
        case None:
            if other := similar_key(record, "custom_id", _IDS):
                yield "custom-id-misspelt", f'unknown key{quoted(other)}; did you mean "custom_id"?'
            else:
                yield "custom-id-missing", 'the line has no "custom_id": give each line a unique one'
        case str() as text if len(text) > LONGEST_CUSTOM_ID:
            length = f"{len(text)} characters; the limit is {LONGEST_CUSTOM_ID}"
            yield "custom-id-too-long", f'"custom_id" has {length}'
        case str() as text if text:
            return
        case int() as number if not isinstance(number, bool) and abs(number) <= LARGEST_CUSTOM_ID:
            return
        case int() as number if not isinstance(number, bool):
            reason = "programs such as jq 1.6 and JavaScript change integers beyond 2^53 - 1"
            yield "custom-id-invalid", f'"custom_id" is {number}, but {reason}: write it as a string, "{number}"'
        case other:
            form = "a non-empty string, or an integer up to 2^53 - 1 without fraction and exponent"
            yield "custom-id-invalid", f'"custom_id" is {describe_value(other)}; it must be {form}'


def _call_problems(record: dict[str, Any], rules: Rules) -> Iterator[Problem]:
    """Yield where a line of the provider's own form asks for another call than the one this stack makes."""
    url = rules.dialect.form.url
    if url is None:
        return
    if "params" in record and "body" in record:
        yield "params-and-body", 'the line has both "params" and "body": remove one of them'
    if record.get("method") not in (None, "POST"):  # a tuple: the value may be unhashable
        yield "method-invalid", '"method" must be "POST"'
    if record.get("url") not in (None, url):
        yield "url-differs", f'"url" must be "{url}", the BatchEndpoint of this stack'


def _params_problems(
    record: dict[str, Any], field: str, values: dict[str, msgspec.Raw], rules: Rules
) -> Iterator[Problem]:
    params = record.get(field)
    misplaced = _misplaced_fields(record, field, rules)
    if misplaced:
        names = ", ".join(f'"{name}"' for name in misplaced)
        yield "fields-beside-params", f'{names} outside of "{field}" would not be sent: move it into "{field}"'
    match params:
        case dict():
            yield from _duplicate_field_problems(field, bytes(values[field]), rules)
            yield from params_problems(params, rules, misplaced)
        case None:
            if not misplaced:
                yield _missing_params(record, rules)
        case str() as text if text.lstrip().startswith("{"):
            yield "encoded-twice", f'"{field}" is a string that contains JSON, encoded twice: write the object itself'
        case _:
            form = "an object with model, max_tokens and messages"
            yield "params-invalid", f'"{field}" is {describe_type(params)}; it must be {form}'


def _duplicate_field_problems(field: str, written: bytes, rules: Rules) -> Iterator[Problem]:
    if rules.dialect.is_message:
        try:
            values_of(written)
        except DuplicateKey as error:
            yield _duplicate_key(error.name, f'"{field}"')


def _misplaced_fields(record: dict[str, Any], field: str, rules: Rules) -> list[str]:
    """Return the fields that belong into `params` but are next to it."""
    if record.keys() == {"custom_id", field}:
        return []
    params = record[field] if isinstance(record.get(field), dict) else {}
    names = FIELDS_OF_PARAMS if rules.dialect.is_message else ("model",)
    return [name for name in names if record.get(name) is not None and params.get(name) is None]


def _missing_params(record: dict[str, Any], rules: Rules) -> Problem:
    if "body" in record and rules.dialect.form.url is None:
        return "params-missing", (
            'the line has "body" instead of "params", the form of OpenAI\'s batches: for such a provider deploy with '
            f'BatchApi={FILES_OPENAI}; otherwise rename "body" to "params" and remove "method" and "url"'
        )
    if other := similar_key(record, "params", _PARAMS):
        return "params-misspelt", f'unknown key{quoted(other)}; did you mean "params"?'
    return "params-missing", 'the line has no "params": put model, max_tokens and messages there'
