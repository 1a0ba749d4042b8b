"""A fault history on the deployed stack: its faults, and checks that nothing is lost or paid twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.support.belt import request
from tests.support.promises import check_outputs
from tests.support.system.runs import SECONDS, LiveRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.messages import Message
    from local.stack.stack import Stack

SMALLEST_DROP = 30
"""Requests in the smallest drop. Each history has its own size, since a lost batch is searched by size."""


def do_nothing(_: LiveRun) -> None:
    """Do nothing while the run is in progress."""


def no_failures(_: int) -> dict[int, str]:
    """Expect no failures, whatever the size of the drop."""
    return {}


@dataclass(frozen=True)
class History:
    """The faults, the actions during the run, and the expected outcome."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    provider: dict[str, Any] = field(default_factory=dict)
    """The provider's other settings."""
    meanwhile: Callable[[LiveRun], None] = do_nothing
    posts: int = 1
    created: int = 1
    """Batches at the provider, all of them billed."""
    statuses: tuple[str, ...] = ("completed",)
    """The status of each message."""
    says: str = ""
    """Text that the last message contains."""
    failures: Callable[[int], dict[int, str]] = no_failures
    """Returns the outcomes of the failed lines by line number, for the number of all lines."""
    batch: dict[str, Any] = field(default_factory=dict)
    """Expected fields of the batch in the receipt."""
    receipt: dict[str, Any] = field(default_factory=dict)
    """Other expected fields of the receipt."""
    filler: int = 0
    """Bytes added to each request."""
    in_files: dict[str, Any] = field(default_factory=dict)
    """Fields that differ in the file dialect."""


def drop_of(size: int, filler: int) -> bytes:
    """Write a drop."""
    more = {"system": "x" * filler} if filler else {}
    return b"".join(request(f"r-{number}", **more) + b"\n" for number in range(1, size + 1))


def play(stack: Stack, history: History, size: int) -> None:
    """Run a history on a drop, and check the outcome."""
    if stack.parameters["BatchApi"] == "files":
        history = replace(history, **history.in_files)
    before = stack.provider_stats()
    stack.provider_settings(history.provider | {"faults": history.faults})
    key = f"inbox/faults/{size}.jsonl"
    version = stack.drop(drop_of(size, history.filler), key)
    run = LiveRun(stack, stack.wait_for(lambda: stack.run_of(key, version), SECONDS, "run"))
    history.meanwhile(run)
    assert run.ended() == "SUCCEEDED"
    assert not [event for event in run.events() if event["type"].endswith("Failed")], "no task may fail"
    after = stack.provider_stats()
    assert all(fault["struck"] for fault in after["faults"]), "every fault must happen"
    assert after["calls"]["create"] - before["calls"]["create"] == history.posts
    assert after["created"] - before["created"] == history.created
    messages = run.messages()
    assert [message.status for message in messages] == list(history.statuses)
    assert history.says in " ".join(messages[-1].text.split())
    new = [batch["id"] for batch in after["batches"][len(before["batches"]) :]]
    check(run, messages[-1], history, size, new[-1:])


def check(run: LiveRun, final: Message, history: History, size: int, batches: list[str]) -> None:
    """Compare outputs and receipt with the drop and with the run's batch."""
    name, stack = f"faults/{size}", run.stack
    receipt = json.loads(stack.object(f"results/{name}/{run.run}/receipt.json"))
    files = run.outputs()
    assert receipt["status"] == final.status
    assert (receipt["requests"], receipt["not_run"]) == (size, 0 if history.created else size)
    assert receipt["unaccounted"] == []
    assert [batch["id"] for batch in receipt["batches"]] == ([] if final.status == "stuck" else batches)
    assert receipt.items() >= history.receipt.items()
    for batch in receipt["batches"]:
        assert batch.items() >= history.batch.items()
        claim = json.loads(stack.object(f"claims/batches/{batch['id']}"))
        assert claim == {"run": run.run, "batch": 1, "project": "default"}
    if history.created:
        check_outputs(receipt, files, drop_of(size, history.filler))
        check_answers(
            {key.rsplit("/", 1)[-1]: text.splitlines() for key, text in files.items()}, history.failures(size)
        )
    else:
        assert (receipt["results"], receipt["failures"]) == (0, 0)
        assert not [key for key in files if key.endswith(("/results.jsonl", "/failures.jsonl"))]


def check_answers(files: dict[str, list[bytes]], expected: dict[int, str]) -> None:
    """Check that each line failed as expected, or has the answer to its own request."""
    failures = [json.loads(line) for line in files["failures.jsonl"]]
    assert {line["line"]: line["outcome"] for line in failures} == expected
    assert [line["custom_id"] for line in failures] == [f"r-{number}" for number in sorted(expected)]
    for line in map(json.loads, files["results.jsonl"]):
        assert f"“About {line['custom_id']}”" in line["response"]["content"][0]["text"]
