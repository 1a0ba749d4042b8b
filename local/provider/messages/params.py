"""The `params` of a request: the fields that a batch accepts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING_REMOVED_IN = "2026-10-21"


class ContentBlock(Struct):
    """A content block; only text is read."""

    type: str
    text: str = ""


class InputMessage(Struct):
    """One message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[ContentBlock]

    @property
    def text(self) -> str:
        """The first text of the message, or an empty string."""
        if isinstance(self.content, str):
            return self.content
        return next((block.text for block in self.content if block.type == "text"), "")


class Params(Struct, forbid_unknown_fields=True):
    """The body of a Messages request. Fields that are not checked are `Any`."""

    model: Annotated[str, Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=1)]
    messages: Annotated[list[InputMessage], Meta(min_length=1, max_length=100_000)]
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

    @property
    def prompt(self) -> str:
        """The first text of the last user message, or an empty string."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def is_prefilled(self) -> bool:
        """Whether the last message is the beginning of the answer."""
        return self.messages[-1].role == "assistant" and bool(self.messages[-1].text)

    @property
    def thinking_type(self) -> str:
        """The kind of thinking that is asked for; empty if none is named."""
        return str((self.thinking or {}).get("type") or "")

    @property
    def thinking_budget(self) -> int:
        """The `budget_tokens` of thinking; 0 without one."""
        budget = (self.thinking or {}).get("budget_tokens")
        return budget if isinstance(budget, int) else 0

    @property
    def tool_choice_type(self) -> str:
        """How tools are chosen; empty if nothing is said."""
        return str((self.tool_choice or {}).get("type") or "")

    def refusal(self, version: str) -> str:
        """Return why a batch refuses these params under an API version; empty if it does not."""
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
        return ""
