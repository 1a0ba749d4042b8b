"""What an answer reports to have used: tokens, the place of inference, paid tools, and what is not in its own counts.

Fields: `Usage` and `BetaUsage` of Anthropic's Python SDK 2.14.0.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from conveyor.money.usage import ModelUsage, Usage

UNCOUNTABLE = 10**15
"""Tokens. No answer has so many; a sum of them would overflow."""
type Count = Annotated[int, msgspec.Meta(ge=0, lt=UNCOUNTABLE)]

_INCLUDED = frozenset({"message", "fallback_message"})
"""Types of `iterations` whose tokens are in the counts of the answer already; those of all others are not."""


class CacheCreation(msgspec.Struct, gc=False):
    """Tokens written to the cache, by how long they are kept."""

    ephemeral_1h_input_tokens: Count | None = 0


class ServerTools(msgspec.Struct, gc=False):
    """Calls of the provider's own tools that are charged for each call."""

    web_search_requests: Count | None = 0


class ReportedUsage(Usage):
    """Counts as an answer of the Messages API has them. `settle` fills the counts that lie deeper."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_creation_input_tokens: Count | None = 0
    cache_read_input_tokens: Count | None = 0
    cache_creation_1h_input_tokens: Count = 0
    web_search_requests: Count = 0
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerTools | None = None
    inference_geo: str | None = None
    iterations: list["Iteration"] | None = None

    def settle(self) -> None:
        """Copy the counts of nested objects to where they are added up."""
        if self.cache_creation is not None:
            self.cache_creation_1h_input_tokens = self.cache_creation.ephemeral_1h_input_tokens or 0
        if self.server_tool_use is not None:
            self.web_search_requests = self.server_tool_use.web_search_requests or 0


class Iteration(ReportedUsage):
    """One step of an answer. A compaction, or a question to an adviser, is billed beside the answer."""

    type: str = ""
    model: str | None = None


def not_included(iterations: Iterable[Iteration] | None) -> tuple[ModelUsage, ...]:
    """Return what steps used that is not in the counts of the answer."""
    return tuple(ModelUsage(step.model or "", _copied(step)) for step in iterations or () if step.type not in _INCLUDED)


def _copied(usage: ReportedUsage) -> Usage:
    usage.settle()
    total = Usage()
    total.add(usage)
    return total


def usage_of(given: dict[str, Any]) -> Usage:
    """Read counts under the names of any API. A count of an unknown form counts as zero."""
    read = [count_of(given.get(name)) for name in ("input_tokens", "prompt_tokens")]
    written = [count_of(given.get(name)) for name in ("output_tokens", "completion_tokens")]
    cached = [count_of(given.get(name)) or 0 for name in ("cache_creation_input_tokens", "cache_read_input_tokens")]
    for_an_hour = count_of(_object(given, "cache_creation").get("ephemeral_1h_input_tokens"))
    searches = count_of(_object(given, "server_tool_use").get("web_search_requests"))
    counts = Usage(_first(read), _first(written), *cached)
    counts.cache_creation_1h_input_tokens, counts.web_search_requests = for_an_hour or 0, searches or 0
    return counts


def not_included_in(given: dict[str, Any]) -> tuple[ModelUsage, ...]:
    """Read what steps used that is not in the counts of the answer, where their form is unusual."""
    steps = given.get("iterations")
    objects = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    left = [step for step in objects if not (isinstance(step.get("type"), str) and step["type"] in _INCLUDED)]
    models = [step.get("model") for step in left]
    names = [model if isinstance(model, str) else "" for model in models]
    return tuple(ModelUsage(name, usage_of(step)) for name, step in zip(names, left, strict=True))


def place_of(given: dict[str, Any]) -> str:
    """Return where inference ran; empty if it is not said."""
    place = given.get("inference_geo")
    return place if isinstance(place, str) else ""


def count_of(given: object) -> int | None:
    """Read a count, which servers also write as `3.0` or `"3"`; None if it is none."""
    if isinstance(given, str):
        given = float(given) if given.replace(".", "", 1).isdecimal() and given.isascii() else None
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return int(given) if 0 <= given < UNCOUNTABLE else None


def _object(given: dict[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name)
    return value if isinstance(value, dict) else {}


def _first(counts: list[int | None]) -> int:
    return next((count for count in counts if count is not None), 0)
