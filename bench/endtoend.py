"""Time from drop to submission and from the batch's end to the message, on the deployed local stack."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cost import transitions
from bench.drops import write_drop
from bench.figures import Figure
from local.stack.stack import Stack
from local.stack.start import local_stack
from tests.support import template

WAIT_SCALE = 0.001
DROPS = {"100": (100, 1), "10000": (10_000, 1), "100000": (100_000, 1), "5batches": (5_000, 5)}
"""Requests and batches."""
BYTES_PER_REQUEST = 600
MAX_TOKENS_PER_BATCH = 60_000_000
"""Only the drop whose requests have a high `max_tokens` is split into several batches."""
MAX_TOKENS = 512
SECONDS = 600.0
_CHECK_STATES = ("Wait", "Poll", "Next?")


def figures(most: int) -> Iterator[Figure]:
    """Measure drops of up to so many requests on one stack, whose waits are a thousand times shorter."""
    parameters = {
        "MaxRequestsPerDrop": "1000000",
        "MaxQueuedRequests": "1000000",
        "Tuning": f"max-tokens-per-batch={MAX_TOKENS_PER_BATCH}",
    }
    with (
        TemporaryDirectory(prefix="conveyor-bench-") as name,
        local_stack(wait_scale=WAIT_SCALE, parameters=parameters) as stack,
    ):
        list(_measure(stack, Path(name) / "first.jsonl", 1, 1))  # starts the processes of the functions
        for label, (requests, batches) in DROPS.items():
            if requests <= most or batches > 1:
                yield from _measure(stack, Path(name) / f"{label}.jsonl", requests, batches)


def _measure(stack: Stack, path: Path, requests: int, batches: int) -> Iterator[Figure]:
    max_tokens = MAX_TOKENS if batches == 1 else MAX_TOKENS_PER_BATCH * batches // requests
    write_drop(path, BYTES_PER_REQUEST * requests, requests, max_tokens)
    key = f"inbox/{path.name}"
    stack.provider_settings({"seconds": None})
    start = time.monotonic()
    version = stack.drop(path, key)
    run = stack.wait_for(lambda: stack.run_of(key, version), SECONDS, "run")
    stack.wait_for(lambda: _submitted(stack, run) == batches or None, SECONDS, "submission")
    submitted = time.monotonic() - start
    stack.provider_settings({"seconds": 0})
    ended = time.monotonic()
    message = stack.wait_for_message(run, SECONDS)
    notified = time.monotonic() - ended
    if message.status != "completed":
        raise RuntimeError(message.text)
    yield Figure(f"endtoend.{path.stem}.submitted", round(submitted, 1), "s")
    yield Figure(f"endtoend.{path.stem}.notified", round(notified, 1), "s")
    entered, expected = _transitions(stack, run), _expected(batches)
    against = f"{expected} by the definition"
    yield Figure(f"endtoend.{path.stem}.transitions", entered, "without checks", against, entered / expected)


def _submitted(stack: Stack, run: str) -> int:
    return sum(key.endswith("/batch-1.json") for key in stack.keys(f"runs/{run}/batches/"))


def _transitions(stack: Stack, run: str) -> int:
    """Return the transitions of a run without those of checks, whose number depends on the shortened waits."""
    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run}"
    pages = stack.states.get_paginator("get_execution_history").paginate(executionArn=arn)
    entered = (event.get("stateEnteredEventDetails") for page in pages for event in page["events"])
    return sum(_entered(details["name"], details.get("input", "")) for details in entered if details)


def _entered(name: str, input_text: str) -> int:
    """Return the transitions of an entered state, with those inside a Map, which the local history omits."""
    state = template.definition()["States"].get(name)
    if state is None or name in _CHECK_STATES:
        return 0
    inside = state.get("ItemProcessor", {}).get("States", ())
    return 1 + (len(inside) * len(json.loads(input_text)["batches"]) if inside else 0)


def _expected(batches: int) -> int:
    """Return the expected transitions if the upload sends the first batch, and one Map splits all batches.

    Shortened waits may add a Submit if a check happens while the Submit of the upload still runs.
    """
    followings = ["submit"] * (batches - 1) + ["split", "report"]
    excluded = 1 + batches + 2 * (batches + 1)  # the start; a wait before each check except the one after the split
    return transitions(template.definition(), followings, batches) - excluded
