"""A request of a batch, as the provider keeps it until its result is read."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from msgspec import Raw, Struct

from local.provider.batches.prompt_cache import CacheUse, Prefix
from local.provider.batches.wish import NONE, Wish

QUOTED_CHARS = 60
"""Length of the quote from the last user message."""
NO_CACHE = CacheUse()
_KEY_BYTES = hashlib.blake2b.MAX_KEY_SIZE


class AnswerShape(NamedTuple):
    """What the settings say of all answers."""

    chars: int = 0
    """The minimum length of the text."""
    usage: dict[str, Any] = {}  # noqa: RUF012  # never changed
    """Fields of `usage` that replace those that follow from the request."""
    thinking_tokens: int | None = None
    """The length of thinking, also where the model thinks without being asked; None: only where it is asked."""


USUAL = AnswerShape()


class BatchRequest(Struct, frozen=True, gc=False, kw_only=True):
    """What is kept of a request: a few hundred bytes, whatever its size."""

    custom_id: str
    digest: str
    """22 characters that depend on the whole request."""
    outcome: str = "succeeded"
    """How it ends where the settings do not say."""
    refusal: str = ""
    """The words of the error it ends in. If the params are invalid, the fields below are empty."""
    model: str = ""
    quote: str = ""
    """The start of the last user message."""
    structured: str = ""
    """The text of an answer in the form of a JSON Schema, if one is asked for."""
    input_tokens: int = 0
    """All tokens of the prompt, whether cached or not."""
    max_tokens: int = 0
    """0: no limit."""
    stop_sequences: tuple[str, ...] = ()
    tool: str = ""
    """The tool that an answer may use: the one that is asked for, or the first."""
    must_use_tool: bool = False
    thinks: bool = False
    """Whether the request asks for thinking, or its model thinks unless it is told not to."""
    thinking_tokens: int = 0
    """The length of thinking that is asked for, if the settings name none."""
    prefixes: tuple[Prefix, ...] = ()
    """What of the prompt is to be cached."""
    cached: CacheUse = NO_CACHE
    wish: Wish = NONE


def valid_request(custom_id: str, params: Raw, digest: str, **fields: Any) -> BatchRequest:  # noqa: ANN401
    """Keep what the answer to a valid request needs; its input counts as a token for every four bytes."""
    size = len(memoryview(params))
    wish: Wish = fields.get("wish", NONE)
    return BatchRequest(
        custom_id=custom_id,
        digest=digest,
        outcome=wish.outcome or "succeeded",
        refusal=wish.message,
        input_tokens=4 + size // 4,
        **fields,
    )


def invalid_request(
    custom_id: str, digest: str, reason: str, error_type: str = "invalid_request_error"
) -> BatchRequest:
    """Keep why a request will be answered by an error."""
    return BatchRequest(custom_id=custom_id, digest=digest, outcome=f"errored:{error_type}", refusal=reason)


def digest_of(custom_id: str, params: Raw) -> str:
    """Return 22 characters for the ids of a request's result, which are random in the real API."""
    key = custom_id.encode()[:_KEY_BYTES]
    return hashlib.blake2b(memoryview(params), digest_size=11, key=key).hexdigest()
