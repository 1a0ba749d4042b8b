"""Reading the `params` of a request: if they are invalid, the reason is kept for its result."""

from __future__ import annotations

import msgspec

from local.provider.batches.request import BatchRequest, invalid_request, valid_request
from local.provider.decode_errors import describe_error
from local.provider.messages.betas import missing_beta
from local.provider.messages.params import Params


def read_request(
    custom_id: str, params: msgspec.Raw, version: str, betas: frozenset[str] | None = None
) -> BatchRequest:
    """Check the params of one request; never raises.

    `betas`: those of the create call; None skips the check, for an API without a header for them.
    """
    try:
        read = _PARAMS.decode(params)
    except msgspec.DecodeError as error:
        return invalid_request(custom_id, params, describe_error(error))
    if reason := read.refusal(version) or ("" if betas is None else missing_beta(read, betas)):
        return invalid_request(custom_id, params, reason)
    prompt = next((message.text for message in reversed(read.messages) if message.role == "user"), "")
    return valid_request(custom_id, params, model=read.model, prompt=prompt, max_tokens=read.max_tokens)


_PARAMS = msgspec.json.Decoder(Params)
