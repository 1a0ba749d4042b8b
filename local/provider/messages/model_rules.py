"""Why a model refuses a request, in the vendor's words.

Texts: https://platform.claude.com/docs/en/api/errors and the migration guides named in `models.toml`; those of
`temperature`, `max_tokens` and `not_found_error` as users report them (pr-agent#2488, oh-my-pi#12939). The rule of
`budget_tokens`: docstring of `ThinkingConfigEnabledParam` in anthropic 2.12.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from local.provider.models.table import find_model, is_answered

if TYPE_CHECKING:
    from datetime import date

    from local.provider.messages.params import Params
    from local.provider.models.table import Model

LONG_OUTPUT = "output-300k-2026-03-24"
"""The beta with which some models write longer answers."""
MIN_BUDGET = 1024
FORCED = ("any", "tool")
"""Values of `tool_choice.type` with which the model has to use a tool."""
_PREFILL = "This model does not support assistant message prefill. The conversation must end with a user message."
_FORCED_TOOLS = 'tool_choice: type "tool" and "any" are not supported for this model.'
_BETWEEN_TOOLS = (
    'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of {"type": "disabled"}. '
    "The model does not think before responding. The short updates it writes between tool calls come back as "
    "thinking blocks."
)
_ADVICE = ' Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
_BUDGET_BELOW_LIMIT = "`max_tokens` must be greater than `thinking.budget_tokens`."
_BUDGET_TOO_SMALL = f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_BUDGET}"


class Refusal(NamedTuple):
    """An error in the results."""

    error_type: str
    message: str


def refusal_of(params: Params, betas: frozenset[str], today: date) -> Refusal | None:
    """Return why the model of these params refuses them; None if it answers."""
    if not is_answered(params.model, today):
        return Refusal("not_found_error", f"model: {params.model}")
    model = find_model(params.model)
    if model is None:
        return None
    message = _above_limit(params, model, betas) or _bad_budget(params) or _unsupported(params, model)
    return Refusal("invalid_request_error", message) if message else None


def _above_limit(params: Params, model: Model, betas: frozenset[str]) -> str:
    with_beta = model.max_tokens_with_beta if LONG_OUTPUT in betas else None
    limit = with_beta or model.max_tokens
    if params.max_tokens <= limit:
        return ""
    return (
        f"max_tokens: {params.max_tokens} > {limit}, which is the maximum allowed number of output tokens for "
        f"{params.model}"
    )


def _bad_budget(params: Params) -> str:
    """Check `budget_tokens`, which models that take none refuse by the type of thinking."""
    if params.thinking_type != "enabled":
        return ""
    budget = params.thinking_budget
    if budget < MIN_BUDGET:
        return _BUDGET_TOO_SMALL
    return _BUDGET_BELOW_LIMIT if budget >= params.max_tokens else ""


def _unsupported(params: Params, model: Model) -> str:
    return (
        _sampling(params, model)
        or _thinking(params, model)
        or ("" if model.prefill or not params.is_prefilled else _PREFILL)
        or ("" if model.forced_tools or params.tool_choice_type not in FORCED else _FORCED_TOOLS)
    )


def _sampling(params: Params, model: Model) -> str:
    if model.sampling == "any":
        return ""
    default = 1 if model.sampling == "default" else None
    accepted = {"temperature": (None, default), "top_p": (None, default), "top_k": (None,)}
    for name, values in accepted.items():
        if getattr(params, name) not in values:
            return f"`{name}` is deprecated for this model."
    return ""


def _thinking(params: Params, model: Model) -> str:
    asked = params.thinking_type
    if not asked or asked in model.thinking:
        return ""
    if asked == "disabled" and "between_tools" in model.thinking:
        return _BETWEEN_TOOLS
    if asked == "adaptive":
        return "adaptive thinking is not supported on this model"
    return f'"thinking.type.{asked}" is not supported for this model.{_ADVICE if "adaptive" in model.thinking else ""}'
