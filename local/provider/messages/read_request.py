"""Reading the `params` of a request: if they are invalid, the reason is kept for its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from local.provider.batches.prompt_cache import prefixes_of
from local.provider.batches.request import QUOTED_CHARS, BatchRequest, digest_of, invalid_request, valid_request
from local.provider.batches.wish import read_wish
from local.provider.decode_errors import describe_error
from local.provider.messages.answer import simulated
from local.provider.messages.betas import missing_beta
from local.provider.messages.model_rules import FORCED, refusal_of
from local.provider.messages.params import VERSIONS, Params
from local.provider.messages.structured import structured_answer
from local.provider.models.table import find_model

if TYPE_CHECKING:
    from datetime import date

USUAL_THINKING = 512
"""Tokens of adaptive thinking, if the settings name none. Of a budget, half is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request is checked against, beside itself."""

    today: date
    """The day by the provider's clock: models retire."""
    version: str = VERSIONS[0]
    betas: frozenset[str] | None = None
    """Those of the create call; None skips the check, for an API without a header for them."""
    ids_of_params: bool = False


def read_request(custom_id: str, params: msgspec.Raw, terms: Terms) -> BatchRequest:
    """Check the params of one request; never raises."""
    digest = digest_of("" if terms.ids_of_params else custom_id, params)
    try:
        read = _PARAMS.decode(params)
        prompt, wish = read_wish(read.prompt)
    except msgspec.DecodeError as error:
        return invalid_request(custom_id, digest, describe_error(error))
    betas = terms.betas
    if reason := read.refusal(terms.version) or ("" if betas is None else missing_beta(read, betas)):
        return invalid_request(custom_id, digest, reason)
    if refusal := refusal_of(read, betas or frozenset(), terms.today):
        return invalid_request(custom_id, digest, refusal.message, refusal.error_type)
    thinks, thinking_tokens = _thinking(read)
    return valid_request(
        custom_id,
        params,
        digest,
        model=read.model,
        quote=prompt[:QUOTED_CHARS],
        structured=structured_answer(read.output_config, digest, simulated(read.model, prompt[:QUOTED_CHARS])),
        max_tokens=read.max_tokens,
        stop_sequences=tuple(read.stop_sequences or ()),
        tool=_tool(read),
        must_use_tool=read.tool_choice_type in FORCED,
        thinks=thinks,
        thinking_tokens=thinking_tokens,
        prefixes=prefixes_of(params),
        wish=wish,
    )


def _tool(params: Params) -> str:
    """Return the tool that is asked for, or the first."""
    names = [params.tool_choice or {}, *(params.tools or [])] if params.tools else []
    return next((tool["name"] for tool in names if isinstance(tool.get("name"), str)), "")


def _thinking(params: Params) -> tuple[bool, int]:
    """Return whether the model thinks, and how many tokens of that are asked for."""
    match params.thinking_type:
        case "":
            model = find_model(params.model)
            return model is not None and model.thinks, 0
        case "enabled":
            return True, params.thinking_budget // 2
        case "adaptive":
            return True, USUAL_THINKING
        case _:
            return False, 0


_PARAMS = msgspec.json.Decoder(Params)
