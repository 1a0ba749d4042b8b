"""What a prompt asks of its own answer.

A test that needs a certain answer to a certain line writes it into the last user message, so that it holds in
whichever batch, and at whichever position, the line is sent:

    How are you? <simulate>{"answer_tokens": 40, "thinking_tokens": 200}</simulate>
    How are you? <simulate>{"outcome": "errored:invalid_request_error", "message": "temperature: no"}</simulate>
    How are you? <simulate>{"usage": {"input_tokens": 1000000}}</simulate>
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from local.provider.faults.actions import Count  # noqa: TC001  # msgspec reads the annotations
from local.provider.settings import Outcome  # noqa: TC001

_MARK = re.compile(r"\s*<simulate>(.*?)</simulate>", re.DOTALL)


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Each field replaces what follows from the request; an `outcome` of the provider's settings comes first."""

    answer_tokens: Count | None = None
    """Length of the answer without thinking; the text is as long as that."""
    thinking_tokens: Count | None = None
    outcome: Outcome | None = None
    message: str = ""
    """The words of the error, if the outcome is one."""
    usage: dict[str, Any] = {}
    """Fields of the answer's `usage`."""


NONE = Wish()


def read_wish(prompt: str) -> tuple[str, Wish]:
    """Split a prompt into its text and its wish. Raises `msgspec.DecodeError` for a wish that cannot be read."""
    found = _MARK.search(prompt) if "<simulate>" in prompt else None
    if found is None:
        return prompt, NONE
    return prompt.replace(found[0], ""), _WISH.decode(found[1])


_WISH = msgspec.json.Decoder(Wish)
