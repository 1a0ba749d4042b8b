"""A request to an endpoint whose rules are not checked: only what shapes the answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from local.provider.batches.request import QUOTED_CHARS, BatchRequest, digest_of, invalid_request, valid_request
from local.provider.batches.wish import read_wish
from local.provider.decode_errors import describe_error
from local.provider.messages.read_request import USUAL_THINKING

if TYPE_CHECKING:
    from local.provider.messages.read_request import Terms


class OtherBody(Struct):
    """The body of the request."""

    model: Annotated[str, Meta(min_length=1)]
    messages: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    stop: Any = None
    tools: Any = None
    tool_choice: Any = None
    reasoning_effort: Any = None

    @property
    def limit(self) -> int:
        """The most tokens of the answer; 0 if no limit is given."""
        limits = (self.max_completion_tokens, self.max_tokens)
        return next((limit for limit in limits if isinstance(limit, int)), 0)

    @property
    def stop_sequences(self) -> tuple[str, ...]:
        """Where the answer ends."""
        given = self.stop if isinstance(self.stop, list) else [self.stop]
        return tuple(sequence for sequence in given if isinstance(sequence, str))

    @property
    def tool(self) -> str:
        """The function that is asked for, or the first; empty if there is none."""
        given = [self.tool_choice, *self.tools] if isinstance(self.tools, list) else []
        functions = [item["function"] for item in given if isinstance(item, dict) and "function" in item]
        names = [function.get("name") for function in functions if isinstance(function, dict)]
        return next((name for name in names if isinstance(name, str)), "")

    @property
    def prompt(self) -> str:
        """The last text in the messages."""
        messages = self.messages if isinstance(self.messages, list) else []
        contents = [message.get("content") for message in reversed(messages) if isinstance(message, dict)]
        return next((content for content in contents if isinstance(content, str)), "")


def read_other(custom_id: str, body: Raw, terms: Terms) -> BatchRequest:
    """Keep what the answer needs; never raises."""
    digest = digest_of("" if terms.ids_of_params else custom_id, body)
    try:
        read = _OTHER_BODY.decode(body)
        prompt, wish = read_wish(read.prompt)
    except msgspec.DecodeError as error:
        return invalid_request(custom_id, digest, describe_error(error))
    thinks = read.reasoning_effort not in (None, "none")
    return valid_request(
        custom_id,
        body,
        digest,
        model=read.model,
        quote=prompt[:QUOTED_CHARS],
        max_tokens=read.limit,
        stop_sequences=read.stop_sequences,
        tool=read.tool,
        must_use_tool=read.tool_choice == "required" or isinstance(read.tool_choice, dict),
        thinks=thinks,
        thinking_tokens=USUAL_THINKING if thinks else 0,
        wish=wish,
    )


_OTHER_BODY = msgspec.json.Decoder(OtherBody)
