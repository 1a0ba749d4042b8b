"""The fields of a Messages body: which exist, and which never work in a batch.

Source: `MessageCreateParams` in Anthropic's Python SDK 2.12.0 (November 2026), with and without beta, and the three
sampling fields of older models. An unknown field is accepted, since the API adds new ones, unless it is a likely
misspelling of a known one, an argument of an SDK, or a field of another API.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from conveyor.domain.findings import Problem

KNOWN_FIELDS = frozenset({
    "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "stop_sequences", "metadata",
    "service_tier", "thinking", "tools", "tool_choice", "output_config", "output_format", "cache_control", "container",
    "context_management", "compaction", "diagnostics", "fallback_credit_token", "fallbacks", "billing_policy",
    "inference_geo", "mcp_servers", "speed", "stream", "thread", "user_profile_id", "workspace_id",
})  # fmt: skip
_SHORTEST, _SHORT, _LONG_ENOUGH, _LONG = 5, 6, 8, 9
"""Lengths of known names. Below the first, a name resembles too many words to be compared. Below the second, a similar
name is a misspelling only if the known field is missing. Below the third, only two swapped letters or an s count as a
mistake (spend and threat are other words). From the fourth on, two mistakes are allowed."""
_MAX_UNKNOWN = 50
"""How many unknown names are compared: a line may have millions."""
_LONGEST = 64
"""Characters. No field has a longer name; a line may have names of millions."""
_QUOTABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _JsonType(NamedTuple):
    matches: Callable[[Any], bool]
    description: str


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list_of(item_type: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, item_type) for item in value)


_NUMBER = _JsonType(_is_number, "a number")
_INTEGER = _JsonType(lambda value: type(value) is int, "an integer")
_STRING = _JsonType(lambda value: isinstance(value, str), "a string")
_OBJECT = _JsonType(lambda value: isinstance(value, dict), "an object")
_TYPED = _JsonType(
    lambda value: isinstance(value, dict) and isinstance(value.get("type"), str), 'an object with a "type"'
)
_OBJECTS = _JsonType(_is_list_of(dict), "an array of objects")
_TYPES: Mapping[str, _JsonType] = MappingProxyType({
    "temperature": _NUMBER, "top_p": _NUMBER, "top_k": _INTEGER, "service_tier": _STRING, "inference_geo": _STRING,
    "metadata": _OBJECT, "thinking": _TYPED, "tool_choice": _TYPED, "output_config": _OBJECT, "output_format": _OBJECT,
    "cache_control": _TYPED, "context_management": _OBJECT, "tools": _OBJECTS, "mcp_servers": _OBJECTS,
    "stop_sequences": _JsonType(_is_list_of(str), "an array of strings"),
})  # fmt: skip
"""The types of values that hold for all models."""

_BETAS = "beta features apply to a whole drop: set --metadata betas=<name>,<name> (or the parameter Betas)"
_SDK = "an argument of an SDK, not of a request: remove it"
_NO_FIELD = "the Messages API has no such field"
_FOREIGN_FIELDS: Mapping[str, str] = MappingProxyType({
    "betas": f"remove it; {_BETAS}", "anthropic_beta": f"remove it; {_BETAS}",
    "anthropic_version": "this stack sends the version with each request: remove it",
    "extra_headers": f"{_SDK}; {_BETAS}",
    "extra_body": f"{_SDK}, and put its fields directly into params",
    "extra_query": _SDK, "timeout": _SDK, "max_retries": _SDK, "api_key": f"{_SDK}, and replace the key",
    "auth_token": f"{_SDK}, and replace the token", "base_url": _SDK, "default_headers": _SDK, "default_query": _SDK,
    "http_client": _SDK, "idempotency_key": _SDK, "custom_llm_provider": _SDK, "headers": _SDK,
    "response_format": f'{_NO_FIELD}: use "output_config": {{"format": {{"type": "json_schema", "schema": …}}}}',
    "max_completion_tokens": f'{_NO_FIELD}: use "max_tokens"', "max_output_tokens": f'{_NO_FIELD}: use "max_tokens"',
    "max_new_tokens": f'{_NO_FIELD}: use "max_tokens"', "max_tokens_to_sample": f'{_NO_FIELD}: use "max_tokens"',
    "n": f"{_NO_FIELD}: write one line for each answer",
    "stop": f'{_NO_FIELD}: use "stop_sequences", an array of strings',
    "stream_options": f"{_NO_FIELD}, and a batch does not stream: remove it",
    "system_prompt": f'{_NO_FIELD}: use "system"', "system_instruction": f'{_NO_FIELD}: use "system"',
    "instructions": f'{_NO_FIELD}: use "system"',
    "prompt": f'{_NO_FIELD}: use "messages": [{{"role": "user", "content": …}}]',
    "input": f'{_NO_FIELD}: use "messages": [{{"role": "user", "content": …}}]',
    "contents": f'{_NO_FIELD}: use "messages": [{{"role": "user", "content": …}}]',
    "generation_config": f"{_NO_FIELD}: put max_tokens, temperature and so on directly into params",
    "user": f'{_NO_FIELD}: use "metadata": {{"user_id": …}}',
    "user_id": f'{_NO_FIELD}: use "metadata": {{"user_id": …}}',
    "functions": f'{_NO_FIELD}: use "tools"', "function_call": f'{_NO_FIELD}: use "tool_choice"',
    "parallel_tool_calls": f'{_NO_FIELD}: use "tool_choice": {{"type": "auto", "disable_parallel_tool_use": true}}',
    "reasoning_effort": f'{_NO_FIELD}: use "output_config": {{"effort": …}}',
    "effort": f'{_NO_FIELD}: use "output_config": {{"effort": …}}',
    "reasoning": f'{_NO_FIELD}: use "thinking"',
    "budget_tokens": f'{_NO_FIELD}: use "thinking": {{"type": "enabled", "budget_tokens": …}}',
    "frequency_penalty": f"{_NO_FIELD}: remove it", "presence_penalty": f"{_NO_FIELD}: remove it",
    "repetition_penalty": f"{_NO_FIELD}: remove it", "logit_bias": f"{_NO_FIELD}: remove it",
    "logprobs": f"{_NO_FIELD}: remove it", "top_logprobs": f"{_NO_FIELD}: remove it",
    "seed": f"{_NO_FIELD}: remove it", "modalities": f"{_NO_FIELD}: remove it",
    "custom_id": 'move it out of "params", to the top level of the line',
    "params": "params are nested in params: remove one level",
    "body": f"{_NO_FIELD}: put its fields directly into params", "method": f"{_NO_FIELD}: remove it",
    "url": f"{_NO_FIELD}: remove it", "completion_window": f"{_NO_FIELD}: remove it",
})  # fmt: skip
"""Arguments of SDKs and fields of other APIs. The Messages API refuses them for every model."""


def quoted(name: str, prefix: str = "") -> str:
    """Return a space and a name in quotes. Empty for a name that is not an identifier: it may be prompt text."""
    return f' "{prefix}{name}"' if _QUOTABLE_NAME.fullmatch(name) else ""


def type_problems(params: dict[str, Any]) -> Iterator[Problem]:
    """Yield the known fields whose values have a type that no model accepts."""
    for name, value in params.items():
        expected = _TYPES.get(name)
        if expected is not None and value is not None and not expected.matches(value):
            actual = describe_value(value) if expected is _INTEGER else describe_type(value)
            yield "field-invalid", f'"params.{name}" is {actual}; it must be {expected.description}'


def unknown_field_problems(params: dict[str, Any]) -> Iterator[Problem]:
    """Yield the fields that never work in a batch, and likely misspellings of known fields."""
    if params.keys() <= KNOWN_FIELDS:
        return
    unknown = (name for name, value in params.items() if name not in KNOWN_FIELDS and value is not None)
    for name in islice(unknown, _MAX_UNKNOWN):
        if len(name) > _LONGEST:
            continue
        if advice := _FOREIGN_FIELDS.get(name) or _FOREIGN_FIELDS.get(_snake(name)):
            yield "field-foreign", f'"params.{name}": {advice}'
        elif known := intended_field(name, params):
            yield "field-misspelt", f'unknown field{quoted(name, "params.")}; did you mean "{known}"?'


def tools_problems(params: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem of the first tool in the form of other APIs."""
    tools = params.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, dict) and tool.get("type") == "function":
            form = '{"name": …, "description": …, "input_schema": …}'
            yield "tool-invalid", f'"params.tools[{number}]" has the type "function" of other APIs: use {form}'
            return


def intended_field(name: str, given: Mapping[str, Any]) -> str | None:
    """Return the known field of which a name is probably a misspelling."""
    bare = _bare(name)
    for known, other in _bare_fields():
        if bare == other:
            return known
        if len(other) < _SHORT and given.get(known) is not None:
            continue
        if len(other) >= _SHORTEST and _is_misspelt(bare, other):
            return known
    return None


def similar_key(names: Iterable[str], key: str, synonyms: Collection[str]) -> str | None:
    """Return the first name that was probably meant to be this key: a misspelling, or a synonym."""
    return next((name for name in islice(names, _MAX_UNKNOWN) if _is_similar(name, key, synonyms)), None)


def _is_similar(name: str, key: str, synonyms: Collection[str]) -> bool:
    if len(name) > _LONGEST:
        return False
    bare = _bare(name)
    return name != key and (bare in synonyms or _is_near(bare, _bare(key)))


def describe_value(value: object) -> str:
    """Describe a JSON value, including a number itself. Only for fields that never contain prompt text."""
    return f"the number {value}" if _is_number(value) else describe_type(value)


def describe_type(value: object) -> str:
    """Describe the type of a JSON value, without the value: a number may be confidential."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string" if value else "an empty string"
        case list():
            return "an array" if value else "an empty array"
        case _:
            return "an object"


@cache
def _bare_fields() -> list[tuple[str, str]]:
    """Return each known field with its letters and digits."""
    return [(known, _bare(known)) for known in sorted(KNOWN_FIELDS)]


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _snake(name: str) -> str:
    """Return a name in snake case: `maxRetries` becomes `max_retries`, `anthropic-beta` becomes `anthropic_beta`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


@lru_cache(maxsize=4096)  # the same few names are on all lines of a drop
def _is_misspelt(name: str, known: str) -> bool:
    """Return whether a name is a misspelling of a known one, and not another word or another form of the word."""
    same = next((at for at, (a, b) in enumerate(zip(name, known, strict=False)) if a != b), min(len(name), len(known)))
    end, known_end = name[same:], known[same:]
    if (end, known_end) in (("s", ""), ("", "s")):
        return True
    if len(name) == len(known) and sorted(name) == sorted(known) and _mistakes(name, known) == 1:
        return True  # two letters are swapped
    is_form = (end[-1:] != known_end[-1:] and len(end) <= 1) or not known_end or len(known_end) > 1 > len(end)
    lacks_last_letter = not end and len(known_end) == 1
    is_distinctive = len(known) >= _LONG_ENOUGH or known == "system"
    return is_distinctive and (lacks_last_letter or (not is_form and _is_near(name, known)))


def _is_near(name: str, known: str) -> bool:
    most = 1 + (len(known) >= _LONG)
    return abs(len(name) - len(known)) <= most and _mistakes(name, known) <= most


def _mistakes(one: str, other: str) -> int:
    """Return the Damerau-Levenshtein distance: letters omitted, added, replaced or swapped with their neighbour."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            least = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
