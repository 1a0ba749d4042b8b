"""The `params` of one request: what the provider accepts, and the little it keeps to answer from."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from local.provider.messages import betas

VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING_REMOVED_IN = "2026-10-21"
QUOTED_CHARS = 60


class Block(Struct):
    """A part of a turn; only text is looked at."""

    type: str
    text: str = ""


class Turn(Struct):
    """One message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]

    @property
    def text(self) -> str:
        """Give the first text of the turn, or nothing."""
        if isinstance(self.content, str):
            return self.content
        return next((block.text for block in self.content if block.type == "text"), "")


class Params(Struct, forbid_unknown_fields=True):
    """A Messages body as a batch takes it. Fields that are not looked at are `Any`."""

    model: Annotated[str, Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=1)]
    messages: Annotated[list[Turn], Meta(min_length=1, max_length=100_000)]
    system: str | list[dict[str, Any]] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop_sequences: list[str] | None = None
    stream: bool = False
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    speed: Any = None
    fallbacks: Any = None
    billing_policy: dict[str, Any] | None = None
    cache_control: Any = None
    compaction: Any = None
    container: Any = None
    context_management: Any = None
    diagnostics: Any = None
    inference_geo: str | None = None
    mcp_servers: Any = None
    output_config: Any = None
    output_format: Any = None
    user_profile_id: str | None = None

    def refusal(self, version: str, named: frozenset[str] | None) -> str:
        """Say why a batch refuses these params under an API version and betas; empty when it takes them."""
        if self.stream:
            return "stream: Streaming is not supported for requests in a message batch"
        for name in ("speed", "fallbacks"):
            if getattr(self, name) is not None:
                return f"{name}: This parameter is not supported for requests in a message batch"
        if (self.billing_policy or {}).get("bill_to") == "user_profile":
            return "billing_policy.bill_to: 'user_profile' is not supported for requests in a message batch"
        for name in ("temperature", "top_p", "top_k"):
            if version >= SAMPLING_REMOVED_IN and getattr(self, name) is not None:
                return f"{name}: Extra inputs are not permitted"
        return "" if named is None else betas.refusal(self, named)


class Asked(Struct, frozen=True, gc=False):
    """What is kept of a request until its result is written: a few hundred bytes, whatever was sent."""

    custom_id: str
    digest: str  # 22 characters that depend on all of the request
    refusal: str = ""  # why the params are refused; the rest is then empty
    model: str = ""
    quote: str = ""  # the beginning of the last user message
    input_tokens: int = 0
    max_tokens: int = 0


def read_params(custom_id: str, params: msgspec.Raw, version: str, named: frozenset[str] | None = None) -> Asked:
    """Check the params of one request and keep what its answer needs; never raises.

    `named`: the betas of the create call; None where there is no header for them, and all is taken.
    """
    raw = memoryview(params)
    digest = digest_of(custom_id, raw)
    try:
        read = _DECODER.decode(raw)
    except msgspec.DecodeError as error:
        return Asked(custom_id, digest, plainly(error))
    if refusal := read.refusal(version, named):
        return Asked(custom_id, digest, refusal)
    said = next((turn.text for turn in reversed(read.messages) if turn.role == "user"), "")
    return Asked(custom_id, digest, "", read.model, said[:QUOTED_CHARS], 4 + len(raw) // 4, read.max_tokens)


def digest_of(custom_id: str, params: memoryview) -> str:
    """Give what tells a request from every other."""
    return hashlib.blake2b(params, digest_size=11, key=custom_id.encode()[:_KEY_BYTES]).hexdigest()


def plainly(error: msgspec.DecodeError) -> str:
    """Word a decoding error the way the API does: `messages.0.role: Field required`."""
    text, _, place = str(error).partition(" - at ")
    path = re.sub(r"\[(\w+)\]", r".\1", place.strip("`").removeprefix("$"))
    for pattern, words in _WORDS:
        if match := pattern.match(text):
            field, *rest = (*match.groups(), "")
            named = field if words in (_MISSING, _UNKNOWN) else ""
            where = ".".join(part for part in (path.strip("."), named) if part)
            return f"{where}: {words.format(_NOUNS.get(field, field), *rest)}".removeprefix(": ")
    return f"{path.strip('.')}: {text}".removeprefix(": ")


_KEY_BYTES = hashlib.blake2b.MAX_KEY_SIZE
_DECODER = msgspec.json.Decoder(Params)
_MISSING = "Field required"
_UNKNOWN = "Extra inputs are not permitted"
_WORDS = [
    (re.compile(r"Object missing required field `(.+)`"), _MISSING),
    (re.compile(r"Object contains unknown field `(.+)`"), _UNKNOWN),
    (re.compile(r"Expected `(?:int|float)` (>=|<=) (.+)"), "Input should be {0} {1}"),
    (re.compile(r"Expected `(?:array|str)` of length >= (\d+)"), "Input should have at least {0} items"),
    (re.compile(r"Expected `(\w+)"), "Input should be a valid {0}"),
]
_NOUNS = {
    "int": "integer",
    "str": "string",
    "array": "list",
    "object": "dictionary",
    "bool": "boolean",
    "float": "number",
    ">=": "greater than or equal to",
    "<=": "less than or equal to",
}
