"""The rules for the `params` of a line: what the provider always refuses in a batch, whatever the model.

Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Problem
from conveyor.validation.body_fields import (
    describe_type,
    describe_value,
    tools_problems,
    type_problems,
    unknown_field_problems,
)
from conveyor.validation.content import messages_problems, system_problems

LARGEST_MAX_TOKENS = 2**53 - 1
_DIGITS = 20
REQUIRED = ("model", "messages", "max_tokens")


class Rules(NamedTuple):
    """What the rules for a line depend on."""

    dialect: Dialect
    default_max_tokens: int
    """Added to lines without `max_tokens`; 0: each line must have its own."""

    @property
    def is_strict(self) -> bool:
        """Whether the Messages API itself reads the line. Lines for gateways may have fields that it does not know."""
        return self.dialect.is_message and self.dialect.form.url is None


def params_problems(params: dict[str, Any], rules: Rules, misplaced: Collection[str] = ()) -> Iterator[Problem]:
    """Yield all problems of some params. Fields that are `misplaced`, outside of params, are not reported as missing.

    A field that is null counts as missing.
    """
    model = params.get("model")
    if not (isinstance(model, str) and model) and "model" not in misplaced:
        yield "model-invalid", f'"params.model" is {_describe_field(params, "model")}; it must name a model'
    if rules.dialect.is_message:
        yield from _messages_problems(params, rules, misplaced)
        yield from _max_tokens_problems(params, rules, misplaced)
        yield from system_problems(params.get("system"))
        yield from type_problems(params)
        yield from _batch_problems(params)
    for field, advice in rules.dialect.refused_fields.items():
        if params.get(field) is not None:
            yield "field-refused", f'"params.{field}": {advice}'
    if rules.is_strict:
        yield from unknown_field_problems(params)
        yield from tools_problems(params)


def is_count(value: object) -> bool:
    """Return whether a value is valid as `max_tokens`."""
    return type(value) is int and 1 <= value <= LARGEST_MAX_TOKENS


def _messages_problems(params: dict[str, Any], rules: Rules, misplaced: Collection[str]) -> Iterator[Problem]:
    messages = params.get("messages")
    if isinstance(messages, list) and messages:
        yield from messages_problems(messages, strict=rules.is_strict)
    elif "messages" not in misplaced:
        actual = _describe_field(params, "messages")
        yield "messages-invalid", f'"params.messages" is {actual}; it must be an array with at least one message'


def _max_tokens_problems(params: dict[str, Any], rules: Rules, misplaced: Collection[str]) -> Iterator[Problem]:
    match params.get("max_tokens"):
        case None:
            if not rules.default_max_tokens and "max_tokens" not in misplaced:
                yield "max-tokens-missing", '"params.max_tokens" is missing, and no default is set'
        case float() as value if value.is_integer() and is_count(int(value)):
            advice = f"write the integer {int(value)} (spreadsheets and pandas write such fractions)"
            yield "max-tokens-float", f'"params.max_tokens" is {value}, a number with a fraction: {advice}'
        case str() as text if text.isascii() and text.isdigit() and len(text) < _DIGITS and is_count(int(text)):
            yield "max-tokens-string", f'"params.max_tokens" is the string "{text}": write it without quotes, {text}'
        case value if not is_count(value):
            actual = describe_value(value)
            yield "max-tokens-invalid", f'"params.max_tokens" is {actual}; it must be an integer of at least 1'


def _describe_field(params: dict[str, Any], name: str) -> str:
    return describe_type(params[name]) if name in params else "missing"


_REFUSED_IN_BATCH: dict[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (lambda value: value is not False, "a batch does not stream: remove it"),
    "speed": (lambda _: True, "fast mode is not available in a batch: remove it"),
    "fallbacks": (lambda _: True, "model fallbacks are not available in a batch: remove it"),
    "billing_policy": (
        lambda value: isinstance(value, dict) and value.get("bill_to") == "user_profile",
        'a batch cannot be billed to "user_profile": remove it',
    ),
}


def _batch_problems(params: dict[str, Any]) -> Iterator[Problem]:
    """Yield the fields that the provider refuses in a batch: for the whole batch, or hours later for the line."""
    if not params.keys().isdisjoint(_REFUSED_IN_BATCH):
        for field, (is_refused, advice) in _REFUSED_IN_BATCH.items():
            if params.get(field) is not None and is_refused(params[field]):
                yield "field-refused", f'"params.{field}": {advice}'
