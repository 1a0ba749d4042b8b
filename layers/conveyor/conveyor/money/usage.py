"""Tokens and paid tools, as the provider counts and bills them."""

import msgspec


class Usage(msgspec.Struct):
    """What one answer used, or many together."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = 0
    """Tokens written to the cache, those for one hour included."""
    cache_read_input_tokens: int | None = 0
    cache_creation_1h_input_tokens: int = 0
    """Those of `cache_creation_input_tokens` that are kept for one hour: they cost more."""
    web_search_requests: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompt, cached or not."""
        return self.input_tokens + (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)

    def add(self, other: "Usage") -> None:
        """Add another's counts to these."""
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cache_creation_input_tokens = (self.cache_creation_input_tokens or 0) + (
            other.cache_creation_input_tokens or 0
        )
        self.cache_read_input_tokens = (self.cache_read_input_tokens or 0) + (other.cache_read_input_tokens or 0)
        self.cache_creation_1h_input_tokens += other.cache_creation_1h_input_tokens
        self.web_search_requests += other.web_search_requests


class ModelUsage(msgspec.Struct, frozen=True):
    """What an answer used besides its own tokens: a compaction, or another model that was asked for advice."""

    model: str
    """Empty for the model of the answer."""
    usage: Usage
