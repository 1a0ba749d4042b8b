"""How many input tokens a request of the Messages API can use at most, from its bytes.

A token stands for at least one byte of UTF-8, and text in JSON has at least as many bytes as in UTF-8. So a line of a
drop has at least as many bytes as its text has tokens; what surrounds the text in the line makes up for the tokens
between messages. What is not text has rules of its own. Sources, of November 2026:

- images: https://platform.claude.com/docs/en/build-with-claude/vision (28 x 28 pixels are a token, up to 4,784 tokens)
- PDFs: https://platform.claude.com/docs/en/build-with-claude/pdf-support (text and image of each page)
- tools: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview (the prompt that tools add)
"""

from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

IMAGE_TOKENS = 5_000
"""More than an image of the highest resolution has."""
ADDED_TOKENS = 2_000
"""More than any prompt that the provider adds for tools, or for answers in a given form."""
CITED = 4
"""Tokens for a byte where citations are enabled: the provider cuts the text into sentences, and numbers them."""


class Caching(IntEnum):
    """For how long a request asks the provider to keep its prompt; the longer, the dearer."""

    NONE = 0
    FIVE_MINUTES = 1
    ONE_HOUR = 2


class NoBound(StrEnum):
    """Why the tokens of a request have no bound, or no price."""

    URL = "url"
    FILE = "file"
    TOOLS = "tools"
    CONTENT = "content"
    FIELD = "field"
    PDF = "pdf"
    API = "api"
    PRICE = "price"
    MODELS = "models"


class Bound(NamedTuple):
    """The most that the prompt of one request can be."""

    tokens: int = 0
    caching: Caching = Caching.NONE
    has_pdf: bool = False
    """A page may hold any amount of compressed text: only the model's own limit bounds it."""
    reason: NoBound | None = None
    """Why there is no bound."""


class Addition(NamedTuple):
    """What the fields of a request add to the tokens of its bytes."""

    tokens: int = 0
    caching: Caching = Caching.NONE
    reason: NoBound | None = None


_NOTHING = Addition()
OTHER_API = Bound(reason=NoBound.API)
_COUNTED_FIELDS = frozenset({
    "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "stop_sequences", "metadata",
    "service_tier", "thinking", "tools", "tool_choice", "output_config", "output_format", "cache_control",
    "diagnostics", "inference_geo", "stream", "user_profile_id", "workspace_id", "fallback_credit_token",
    "billing_policy",
})  # fmt: skip
"""Fields that add no tokens besides their own text. Others may start tools, or compact the prompt."""
FIELDS_THAT_ADD = ("tools", "output_config", "output_format", "cache_control")
"""Those of them on which `addition_of` depends."""
_PLAIN_FIELDS = _COUNTED_FIELDS - {*FIELDS_THAT_ADD}
_COUNTED_IN_MESSAGE = frozenset({"role", "content"})
_PLAIN = len(_COUNTED_IN_MESSAGE)
"""Fields of a message of the most usual form. A valid message has both."""
_COUNTED_IN_OUTPUT_CONFIG = frozenset({"effort", "format"})
_NESTED_BLOCKS = ("tool_result", "search_result")
_TEXT_BLOCKS = ("text", "thinking", "redacted_thinking", "tool_use", *_NESTED_BLOCKS)
_OWN_TOOLS = (None, "custom")
"""Types of tools that the user defines and runs."""
_FIVE_MINUTES = (None, "", "5m")


def bound_of(params: dict[str, Any], line_bytes: int) -> Bound:
    """Return the bound of a valid request. `line_bytes`: of its whole line in the drop, without the line feed."""
    return bound_with(params, line_bytes, addition_of(params))


def addition_of(params: dict[str, Any]) -> Addition:
    """Return what the fields beside the messages and the system prompt add."""
    if params.keys() <= _PLAIN_FIELDS:
        return _NOTHING
    if not _is_counted(params, _COUNTED_FIELDS):
        return Addition(reason=NoBound.FIELD)
    tools, config = params.get("tools") or [], params.get("output_config")
    caching, reason = caching_of(params.get("cache_control")), None
    for tool in tools:
        if tool.get("type") not in _OWN_TOOLS:
            reason = NoBound.TOOLS
        if "cache_control" in tool:
            caching = max(caching, caching_of(tool["cache_control"]))
    if config and not _is_counted(config, _COUNTED_IN_OUTPUT_CONFIG):
        reason = reason or NoBound.FIELD
    is_prompted = tools or config or params.get("output_format")
    return Addition(ADDED_TOKENS if is_prompted else 0, caching, reason)


def bound_with(params: dict[str, Any], line_bytes: int, addition: Addition) -> Bound:
    """Return the bound of a request whose `addition_of` is known."""
    added, caching, reason = addition
    system = params.get("system")
    structured = [each for each in params["messages"] if len(each) != _PLAIN or type(each.get("content")) is not str]
    if not structured and type(system) is not list:
        return Bound(line_bytes + added, caching, False, reason)  # noqa: FBT003  # faster than by name
    walk = _Walk(line_bytes, addition)
    walk.look_at_blocks(system)
    for message in structured:
        walk.look_at_message(message)
    tokens = walk.tokens * CITED if walk.is_cited else walk.tokens
    return Bound(tokens + walk.added, walk.caching, walk.has_pdf, walk.reason)


def caching_of(cache_control: Any) -> Caching:  # noqa: ANN401  # JSON has no narrower type
    """Return how long an object asks to be kept."""
    if cache_control is None:
        return Caching.NONE
    ttl = cache_control.get("ttl") if isinstance(cache_control, dict) else None
    return caching_for(ttl)


def caching_for(ttl: Any) -> Caching:  # noqa: ANN401
    """Return the same for the value of `ttl`; an unknown one counts as the dearest."""
    return Caching.FIVE_MINUTES if ttl in _FIVE_MINUTES else Caching.ONE_HOUR


def _is_counted(given: dict[str, Any], counted: frozenset[str]) -> bool:
    return given.keys() <= counted or all(value is None for name, value in given.items() if name not in counted)


class _Walk:
    """One pass over the blocks of a request."""

    def __init__(self, tokens: int, addition: Addition) -> None:
        self.tokens = tokens
        self.added, self.caching, self.reason = addition
        self.is_cited = False
        self.has_pdf = False

    def look_at_message(self, message: dict[str, Any]) -> None:
        """Look at one message."""
        if not _is_counted(message, _COUNTED_IN_MESSAGE):
            self._note(NoBound.FIELD)
        self.look_at_blocks(message.get("content"))

    def look_at_blocks(self, content: Any) -> None:  # noqa: ANN401
        """Look at the blocks of a prompt, a message, a document or the result of a tool."""
        if content is not None and not isinstance(content, (str, list)):
            self._note(NoBound.CONTENT)
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, dict):
                self._note(NoBound.CONTENT)
                continue
            if "cache_control" in block:
                self.caching = max(self.caching, caching_of(block["cache_control"]))
            kind = block.get("type")
            if kind == "text":
                continue
            if kind in ("image", "document"):  # a tuple: the type may be unhashable
                self._look_at_source(block)
            elif kind not in _TEXT_BLOCKS:
                self._note(NoBound.CONTENT)
            elif kind in _NESTED_BLOCKS:
                self.look_at_blocks(block.get("content"))
            citations = block.get("citations")
            self.is_cited |= isinstance(citations, dict) and citations.get("enabled") is not False

    def _look_at_source(self, block: dict[str, Any]) -> None:
        source = block.get("source")
        kind, data = (source.get("type"), source.get("data")) if isinstance(source, dict) else (None, None)
        if kind == "base64" and isinstance(data, str):
            if block["type"] == "image":
                self.tokens -= len(data)
                self.added += IMAGE_TOKENS
            else:
                self.has_pdf = True
        elif kind == "content" and isinstance(source, dict):
            self.look_at_blocks(source.get("content"))
        elif kind != "text":
            self._note({"url": NoBound.URL, "file": NoBound.FILE}.get(str(kind), NoBound.CONTENT))

    def _note(self, reason: NoBound) -> None:
        self.reason = self.reason or reason
