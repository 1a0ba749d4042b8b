"""The fields of `params` where they are a Messages body: which there are, and which never work in a batch.

The list is that of `MessageCreateParams` in Anthropic's Python SDK 2.12.0 (November 2026), beta and not, with the three
fields for sampling that older models take. A field that is not in it passes, since the API gets new ones, unless it is
nearly one of these, an argument of an SDK, or a field of another API.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

KNOWN = frozenset({
    "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "stop_sequences", "metadata",
    "service_tier", "thinking", "tools", "tool_choice", "output_config", "output_format", "cache_control", "container",
    "context_management", "compaction", "diagnostics", "fallback_credit_token", "fallbacks", "billing_policy",
    "inference_geo", "mcp_servers", "speed", "stream", "thread", "user_profile_id", "workspace_id",
})  # fmt: skip
_SHORTEST, _SHORT, _LONG_ENOUGH, _LONG = 5, 6, 8, 9
"""Characters of a name: shorter ones are near to many words; up to the second a near one is a misspelling only where
the known one is missing; up to the third only two letters in each other's place, or an s, are a mistake and not another
word (spend, threat); from the fourth on two mistakes are still mistakes."""
_MOST_UNKNOWN = 50
"""So many are looked at: a line may have millions."""
_LONGEST = 64
"""Characters: a longer name, which may have millions, is that of no field."""
_TO_BE_TOLD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _Kind(NamedTuple):
    is_one: Callable[[Any], bool]
    words: str


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(each, kind) for each in value)


_NUMBER = _Kind(_is_number, "a number")
_INTEGER = _Kind(lambda value: type(value) is int, "an integer")
_STRING = _Kind(lambda value: isinstance(value, str), "a string")
_OBJECT = _Kind(lambda value: isinstance(value, dict), "an object")
_TYPED = _Kind(lambda value: isinstance(value, dict) and isinstance(value.get("type"), str), 'an object with a "type"')
_OBJECTS = _Kind(_is_list_of(dict), "an array of objects")
_KINDS: Mapping[str, _Kind] = MappingProxyType({
    "temperature": _NUMBER, "top_p": _NUMBER, "top_k": _INTEGER, "service_tier": _STRING, "inference_geo": _STRING,
    "metadata": _OBJECT, "thinking": _TYPED, "tool_choice": _TYPED, "output_config": _OBJECT, "output_format": _OBJECT,
    "cache_control": _TYPED, "context_management": _OBJECT, "tools": _OBJECTS, "mcp_servers": _OBJECTS,
    "stop_sequences": _Kind(_is_list_of(str), "an array of strings"),
})  # fmt: skip
"""What values are, whatever the model."""

_BETAS = "beta features are named for a whole drop: remove it, and give --metadata betas=<name>,<name> (or set Betas)"
_SDK = "an argument of an SDK, not of a request: remove it"
_NO_FIELD = "the Messages API has no such field"
_FOREIGN: Mapping[str, str] = MappingProxyType({
    "betas": _BETAS, "anthropic_beta": _BETAS,
    "anthropic_version": "this stack sends the version with each call: remove it",
    "extra_headers": f"{_SDK}; beta features are named for a whole drop, by --metadata betas=<name>,<name> (or Betas)",
    "extra_body": f"{_SDK}, and put the fields it holds into params themselves",
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
    "generation_config": f"{_NO_FIELD}: put max_tokens, temperature and the like into params themselves",
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
    "custom_id": 'it belongs beside "params", not inside', "params": "params are inside params: take one level away",
    "body": f"{_NO_FIELD}: put what it holds into params themselves", "method": f"{_NO_FIELD}: remove it",
    "url": f"{_NO_FIELD}: remove it", "completion_window": f"{_NO_FIELD}: remove it",
})  # fmt: skip
"""Arguments of SDKs and fields of other APIs, which the Messages API refuses whatever the model."""


def told_name(name: str) -> str:
    """Return a field's name as it may be told: one that is no identifier may be text of a prompt."""
    return f'"{name}"' if _TO_BE_TOLD.fullmatch(name) else "a field"


def kinds_of(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the known fields whose values are of a kind that no model takes."""
    for name, value in params.items():
        kind = _KINDS.get(name)
        if kind is not None and value is not None and not kind.is_one(value):
            found = number_or_kind(value) if kind is _INTEGER else kind_of(value)
            yield "field-invalid", f'"params.{name}" must be {kind.words}, and is {found}'


def strangers(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that never work in a batch, and those that are nearly a known one."""
    if params.keys() <= KNOWN:
        return
    unknown = (name for name, value in params.items() if name not in KNOWN and value is not None)
    for name in islice(unknown, _MOST_UNKNOWN):
        if len(name) > _LONGEST:
            continue
        if advice := _FOREIGN.get(name) or _FOREIGN.get(_snake(name)):
            yield "field-foreign", f'"params.{name}": {advice}'
        elif right := meant(name, params):
            told = f' "params.{name}"' if _TO_BE_TOLD.fullmatch(name) else ""
            yield "field-misspelt", f'unknown field{told}; did you mean "{right}"?'


def tools_told(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the first tool that is written for another API."""
    tools = params.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, dict) and tool.get("type") == "function":
            wanted = '{"name": …, "description": …, "input_schema": …}'
            yield "tool-invalid", f'"params.tools[{number}]" is of the type "function" of other APIs: use {wanted}'
            return


def meant(name: str, given: Mapping[str, Any]) -> str | None:
    """Return the known field that a name is probably a misspelling of."""
    bare = _bare(name)
    for known in sorted(KNOWN):
        other = _bare(known)
        if bare == other:
            return known
        if len(other) < _SHORT and given.get(known) is not None:
            continue
        if len(other) >= _SHORTEST and _is_misspelt(bare, other):
            return known
    return None


def alike(names: Iterable[str], wanted: str, others: Collection[str]) -> str | None:
    """Return the first key of a line that is probably meant for another: nearly its name, or another name for it."""
    return next((name for name in islice(names, _MOST_UNKNOWN) if _is_alike(name, wanted, others)), None)


def _is_alike(name: str, wanted: str, others: Collection[str]) -> bool:
    if len(name) > _LONGEST:
        return False
    bare = _bare(name)
    return name != wanted and (bare in others or _is_near(bare, _bare(wanted)))


def number_or_kind(value: object) -> str:
    """Name what a value of JSON is, and a number itself: only of a field that never holds what a prompt says."""
    return f"the number {value}" if _is_number(value) else kind_of(value)


def kind_of(value: object) -> str:
    """Name what a value of JSON is, without the value: a number may be that of an account."""
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


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _snake(name: str) -> str:
    """Return a name as the API would write it: `maxRetries` and `anthropic-beta` are `max_retries` and so on."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _is_misspelt(one: str, other: str) -> bool:
    """Tell whether a word is another one misspelt, and not a word, or a form of one, that people use themselves."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    end, right = one[same:], other[same:]
    if (end, right) in (("s", ""), ("", "s")):
        return True
    if len(one) == len(other) and sorted(one) == sorted(other) and _mistakes(one, other) == 1:
        return True  # two letters have changed places
    is_form = (end[-1:] != right[-1:] and len(end) <= 1) or not right or len(right) > 1 > len(end)
    is_left_out = not end and len(right) == 1
    is_like_no_word = len(other) >= _LONG_ENOUGH or other == "system"
    return is_like_no_word and (is_left_out or (not is_form and _is_near(one, other)))


def _is_near(one: str, other: str) -> bool:
    most = 1 + (len(other) >= _LONG)
    return abs(len(one) - len(other)) <= most and _mistakes(one, other) <= most


def _mistakes(one: str, other: str) -> int:
    """Count the letters left out, put in, replaced, or exchanged with their neighbour between two words."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            least = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
