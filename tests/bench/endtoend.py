"""From drop to submitted and from the batch's end to the message, on the deployed local stack, by size of the drop."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from local.provider.settings import Settings
from local.stack import Stack, local_stack
from tests.bench.figures import Figure
from tests.bench.memory import write_drop

WAIT_SCALE = 0.001
DROPS = {"100": (100, 1), "10000": (10_000, 1), "100000": (100_000, 1), "5batches": (5_000, 5)}
"""Requests and batches."""
BYTES_PER_REQUEST = 600
SECONDS = 600.0


def figures() -> Iterator[Figure]:
    """Measure each drop on one stack; the state machine's waits take a thousandth of their time."""
    provider = msgspec.to_builtins(Settings(seconds=None), str_keys=True)
    parameters = {"MaxRequestsPerDrop": "1000000", "MaxQueuedRequests": "1000000"}
    with (
        TemporaryDirectory(prefix="conveyor-bench-") as name,
        local_stack(wait_scale=WAIT_SCALE, provider_settings=provider, parameters=parameters) as stack,
    ):
        for label, (requests, batches) in DROPS.items():
            yield from _measure(stack, Path(name) / f"{label}.jsonl", requests, batches)


def _measure(stack: Stack, path: Path, requests: int, batches: int) -> Iterator[Figure]:
    write_drop(path, BYTES_PER_REQUEST * requests, requests)
    key = f"inbox/{path.name}"
    # A sum of max_tokens that is too large for one batch cuts the drop into more.
    stack.provider_settings({"seconds": None})
    start = time.monotonic()
    version = stack.drop(path, key)
    run = stack.wait_for(lambda: stack.run_of(key, version), SECONDS, "run")
    stack.wait_for(lambda: _submitted(stack, run) == batches or None, SECONDS, "submission")
    submitted = time.monotonic() - start
    stack.provider_settings({"seconds": 0})
    ended = time.monotonic()
    message = stack.wait_for_message(run, SECONDS)
    if message.status != "completed":
        raise RuntimeError(message.text)
    yield Figure(f"endtoend.{path.stem}.submitted", round(submitted, 1), "s")
    yield Figure(f"endtoend.{path.stem}.notified", round(time.monotonic() - ended, 1), "s")
    yield Figure(f"endtoend.{path.stem}.transitions", _transitions(stack, run), "transitions a run")


def _submitted(stack: Stack, run: str) -> int:
    return sum(key.endswith("/batch.json") for key in stack.keys(f"runs/{run}/batches/"))


def _transitions(stack: Stack, run: str) -> int:
    """Count the states that were entered, but for the looks that the shortened waits add."""
    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run}"
    pages = stack.states.get_paginator("get_execution_history").paginate(executionArn=arn)
    entered = Counter(
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if event["type"].endswith("StateEntered")
    )
    return sum(count for name, count in entered.items() if name not in ("Wait", "Poll", "Next?"))
