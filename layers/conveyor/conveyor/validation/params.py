"""The `params` of a line: what the provider surely refuses in a batch, whatever the model.

Rules: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, Self

from conveyor.domain.dialect import NOTHING, Dialect
from conveyor.validation.body_fields import kind_of, kinds_of, number_or_kind, strangers, tools_told
from conveyor.validation.content import messages_told, system_told

LARGEST_MAX_TOKENS = 2**53 - 1
_DIGITS = 20
NEEDED = ("model", "messages", "max_tokens")


class Rules(NamedTuple):
    """What a line must keep beside what all must."""

    default_max_tokens: int
    """Put in where a line gives none; 0: each must bring its own."""
    is_message: bool = True
    """Whether `params` are a Messages body; of any other only the model is looked at."""
    refused_fields: Mapping[str, str] = NOTHING
    """Fields of `params` that the dialect refuses, and the advice for each."""
    url: str | None = None
    """The call that the provider's own lines name; None where it has no such lines."""

    @classmethod
    def of(cls, default_max_tokens: int, dialect: Dialect) -> Self:
        """Return the rules of a dialect."""
        return cls(default_max_tokens, dialect.is_message, dialect.refused_fields, dialect.form.url)

    @property
    def is_strict(self) -> bool:
        """Whether the Messages API itself reads the line; a gateway's own lines may hold what it does not have."""
        return self.is_message and self.url is None


def params_told(params: dict[str, Any], rules: Rules, elsewhere: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield code and message of all faults of some params; what stands `elsewhere` is not missing here.

    A field that is null is none.
    """
    model = params.get("model")
    if not (isinstance(model, str) and model) and "model" not in elsewhere:
        yield "model-invalid", f'"params.model" must name a model, and is {_found(params, "model")}'
    if rules.is_message:
        yield from _messages_told(params, rules, elsewhere)
        yield from _max_tokens_told(params, rules, elsewhere)
        yield from system_told(params.get("system"))
        yield from kinds_of(params)
        yield from _refused(params)
    for field, advice in rules.refused_fields.items():
        if params.get(field) is not None:
            yield "field-refused", f'"params.{field}": {advice}'
    if rules.is_strict:
        yield from strangers(params)
        yield from tools_told(params)


def is_count(value: object) -> bool:
    """Tell whether a value can be `max_tokens`."""
    return type(value) is int and 1 <= value <= LARGEST_MAX_TOKENS


def _messages_told(params: dict[str, Any], rules: Rules, elsewhere: Collection[str]) -> Iterator[tuple[str, str]]:
    messages = params.get("messages")
    if isinstance(messages, list) and messages:
        yield from messages_told(messages, strict=rules.is_strict)
    elif "messages" not in elsewhere:
        found = _found(params, "messages")
        yield "messages-invalid", f'"params.messages" must be an array with at least one message, and is {found}'


def _max_tokens_told(params: dict[str, Any], rules: Rules, elsewhere: Collection[str]) -> Iterator[tuple[str, str]]:
    match params.get("max_tokens"):
        case None:
            if not rules.default_max_tokens and "max_tokens" not in elsewhere:
                yield "max-tokens-missing", '"params.max_tokens" is missing, and no default is set'
        case float() as value if value.is_integer() and is_count(int(value)):
            found = f'"params.max_tokens" is {value}, a number with a fraction'
            yield (
                "max-tokens-float",
                f"{found}: write it as an integer, {int(value)} (a spreadsheet or pandas makes such)",
            )
        case str() as text if text.isascii() and text.isdigit() and len(text) < _DIGITS and is_count(int(text)):
            yield "max-tokens-string", f'"params.max_tokens" is the string "{text}": write it without quotes, {text}'
        case value if not is_count(value):
            yield (
                "max-tokens-invalid",
                f'"params.max_tokens" must be an integer of at least 1, and is {number_or_kind(value)}',
            )


def _found(params: dict[str, Any], name: str) -> str:
    return kind_of(params[name]) if name in params else "missing"


_REFUSED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (lambda value: value is not False, "a batch does not stream: remove it"),
    "speed": (lambda _: True, "fast mode is not available in a batch: remove it"),
    "fallbacks": (lambda _: True, "model fallbacks are not available in a batch: remove it"),
    "billing_policy": (
        lambda value: isinstance(value, dict) and value.get("bill_to") == "user_profile",
        'a batch cannot be billed to "user_profile": remove it',
    ),
}


def _refused(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that the provider refuses in a batch, for the whole batch or hours later for the line."""
    if not params.keys().isdisjoint(_REFUSED):
        for field, (is_refused, advice) in _REFUSED.items():
            if params.get(field) is not None and is_refused(params[field]):
                yield "field-refused", f'"params.{field}": {advice}'
