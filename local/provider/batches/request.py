"""A request of a batch, as the provider keeps it until its result is read."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from msgspec import Raw, Struct

QUOTED_CHARS = 60
"""Length of the quote from the last user message."""
_KEY_BYTES = hashlib.blake2b.MAX_KEY_SIZE


class AnswerShape(NamedTuple):
    """What the settings say of all answers."""

    chars: int = 0
    """The minimum length of the text."""
    usage: dict[str, Any] = {}  # noqa: RUF012  # never changed
    """Fields of `usage` that replace those that follow from the request."""


USUAL = AnswerShape()


class BatchRequest(Struct, frozen=True, gc=False):
    """What is kept of a request: a few hundred bytes, whatever its size."""

    custom_id: str
    digest: str
    """22 characters that depend on the whole request."""
    refusal: str = ""
    """Why the params are invalid; the fields below are empty then."""
    model: str = ""
    quote: str = ""
    """The start of the last user message."""
    input_tokens: int = 0
    max_tokens: int = 0

    @property
    def default_outcome(self) -> str:
        """The outcome where the settings name none: invalid params are an error, all others succeed."""
        return "errored:invalid_request_error" if self.refusal else "succeeded"


def valid_request(custom_id: str, params: Raw, *, model: str, prompt: str, max_tokens: int = 0) -> BatchRequest:
    """Keep what the answer to a valid request needs; its input counts as a token for every four bytes."""
    size = len(memoryview(params))
    return BatchRequest(
        custom_id, _digest(custom_id, params), "", model, prompt[:QUOTED_CHARS], 4 + size // 4, max_tokens
    )


def invalid_request(custom_id: str, params: Raw, reason: str) -> BatchRequest:
    """Keep why a request will be answered by an error."""
    return BatchRequest(custom_id, _digest(custom_id, params), reason)


def _digest(custom_id: str, params: Raw) -> str:
    key = custom_id.encode()[:_KEY_BYTES]
    return hashlib.blake2b(memoryview(params), digest_size=11, key=key).hexdigest()
