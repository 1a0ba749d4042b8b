"""The cache of prompts: what a request writes to it and reads from it.

A prompt is cached up to each block with `cache_control`, and up to its last block with a `cache_control` at the top.
The first request with a prefix writes it, and those that come before it expires read it; each use starts its time
again. Requests count as sent at the creation of their batch, in its order. Not simulated: the minimum size of a
prefix, and that a batch's requests, which run side by side, often miss what another one writes.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgspec import Raw

HOUR, FIVE_MINUTES = 3600.0, 300.0
BYTES_PER_TOKEN = 4
_MARK = b'"cache_control"'


class Prefix(NamedTuple):
    """The beginning of a prompt up to a mark."""

    key: bytes
    """Depends on the model and on all blocks of the prefix."""
    tokens: int
    seconds: float
    """How long it is kept."""


class CacheUse(NamedTuple):
    """Tokens of a request that were written to the cache or read from it."""

    written_5m: int = 0
    written_1h: int = 0
    read: int = 0

    @property
    def written(self) -> int:
        """All tokens written."""
        return self.written_5m + self.written_1h


def prefixes_of(params: Raw) -> tuple[Prefix, ...]:
    """Return the cached prefixes of a request, shortest first; most requests have none, and are not read for it."""
    if _MARK not in bytes(memoryview(params)):
        return ()
    body = msgspec.json.decode(params)
    digest = hashlib.blake2b(str(body["model"]).encode(), digest_size=16)
    blocks, at_end = list(_blocks(body)), body.get("cache_control")
    prefixes: list[Prefix] = []
    size = 0
    for number, block in enumerate(blocks, 1):
        written = msgspec.json.encode({name: value for name, value in block.items() if name != "cache_control"})
        digest.update(written)
        size += len(written)
        mark = block.get("cache_control") or (at_end if number == len(blocks) else None)
        if mark:
            seconds = HOUR if mark.get("ttl") == "1h" else FIVE_MINUTES
            prefixes.append(Prefix(digest.digest(), size // BYTES_PER_TOKEN, seconds))
    return tuple(prefixes)


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the blocks of a prompt in the order in which they are cached."""
    yield from body.get("tools") or []
    yield from _content(body.get("system"))
    for message in body["messages"]:
        for block in _content(message["content"]):
            yield {"role": message["role"], **block}


def _content(content: str | list[dict[str, Any]] | None) -> Iterable[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


class PromptCache:
    """The cache of the workspace."""

    def __init__(self) -> None:
        """Start empty."""
        self._expires: dict[bytes, float] = {}

    def use(self, prefixes: tuple[Prefix, ...], now: float) -> CacheUse:
        """Read the longest prefix that is known, write the others, and start the time of all again."""
        read = max((prefix.tokens for prefix in prefixes if self._expires.get(prefix.key, 0) > now), default=0)
        written = {FIVE_MINUTES: 0, HOUR: 0}
        done = read
        for prefix in prefixes:
            written[prefix.seconds] += max(0, prefix.tokens - done)
            done = max(done, prefix.tokens)
            self._expires[prefix.key] = now + prefix.seconds
        return CacheUse(written[FIVE_MINUTES], written[HOUR], read)
