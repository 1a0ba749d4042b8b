"""Prompts that ask the simulated provider for a certain answer, wherever their line is sent."""

from __future__ import annotations

import json
from typing import Any


def wishing(text: str = "How are you?", **wish: Any) -> str:
    """Return a prompt with a wish, whose fields are those of `local.provider.batches.wish.Wish`."""
    return f"{text} <simulate>{json.dumps(wish)}</simulate>"


def ask(text: str = "How are you?", **wish: Any) -> list[dict[str, Any]]:
    """Return the messages of a request with a wish."""
    return [{"role": "user", "content": wishing(text, **wish)}]
