"""Requests for the vendor's SDK, and waiting with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import anthropic
    from anthropic.types.messages import MessageBatch
    from anthropic.types.messages.batch_create_params import Request


def sdk_requests(total: int) -> list[Request]:
    """Return valid requests `line-1` and on, in the SDK's types."""
    return [
        {
            "custom_id": f"line-{number}",
            "params": {
                "model": "claude-haiku-5-5",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": f"Question {number}"}],
            },
        }
        for number in range(1, total + 1)
    ]


def wait_for_end(sdk: anthropic.Anthropic, batch: MessageBatch) -> MessageBatch:
    """Poll until the batch has ended."""
    while batch.processing_status != "ended":
        time.sleep(0.01)
        batch = sdk.messages.batches.retrieve(batch.id)
    return batch
