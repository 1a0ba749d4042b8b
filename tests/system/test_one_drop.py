"""The promise of the README's first line: a drop comes back as results and one message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.stack.stack import Stack

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}


def test_a_drop_comes_back_as_results_in_its_own_order_and_one_message(stack: Stack) -> None:
    """The promise of the README's first line, on the deployed stack."""
    ids = ["zebra", "Ähre 1", "aardvark"]
    lines = [json.dumps({"custom_id": custom_id, "params": PARAMS}, ensure_ascii=False) for custom_id in ids]
    stack.drop("\n".join(lines).encode(), "inbox/three lines.jsonl")
    message = stack.wait_for_message("inbox/three lines.jsonl")
    assert message.attributes == {
        "event": "ended",
        "status": "completed",
        "needs": "nobody",
        "run": message.run,
        "name": "three_lines",
        "project": "default",
    }
    results = stack.lines(f"results/three_lines/{message.run}/results.jsonl")
    assert [result["custom_id"] for result in results] == ids
