"""Checks that hold for several statements, and the drops that they need."""

from __future__ import annotations

import json
from contextlib import contextmanager
from gzip import compress
from typing import TYPE_CHECKING, Any

from tests.support.system.runs import LOW_LIMITS
from tests.support.system.scene import LINE, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

type Scenes = dict[tuple[str, str], Callable[[Scene], None]]
"""How a run needs a statement, by role and Sid."""


REACHED = "budget-reached"
PACKED = compress(LINE.encode(), mtime=0)
TWO_BATCHES = "\n".join(
    LINE.replace('"a"', f'"{number}"') for number in range(int(LOW_LIMITS["max-requests-per-batch"]) + 1)
)
LARGE_RESULTS = "\n".join(json.dumps(json.loads(line) | {"note": 14_000 * "x"}) for line in TWO_BATCHES.splitlines())
"""More than 5 MiB, so that they are joined in an upload of several parts."""
LOST_ANSWER = {"call": "create", "do": {"kind": "lose", "when": "after"}}
REFUSED_KEY = {"kind": "answer", "status": 401}  # makes a function read the key again, which it caches for minutes
ASKED_OF_POLL = {"call": "retrieve", "do": REFUSED_KEY, "times": None}
ASKED_OF_SPLIT = ASKED_OF_POLL | {"after": 1}


def stops_the_run(
    action: str,
    lines: str | bytes = LINE,
    status: str = "completed",
    expired: str = "",
    metadata: dict[str, str] | None = None,
    **provider: object,
) -> Callable[[Scene], None]:
    """Check that a task of the run fails, and is retried until it has the permission.

    `lines`: bytes for a packed drop. `expired`: a fact whose writer's time limit must be over first, unless the state
    machine was faster than the upload, so that nobody wrote it. `metadata`: of the drop. `provider`: the provider's
    settings meanwhile.
    """

    def check(scene: Scene) -> None:
        scene.stack.provider_settings(provider)
        with scene.without():
            run = scene.drop(lines, metadata=metadata)
            if expired and scene.wait(lambda: run.has(expired) or scene.refusal(run, action), expired) is True:
                run.backdate(expired)
            scene.wait(lambda: scene.refusal(run, action), f"task that may not {action}")
            assert not run.messages()
        scene.stack.provider_settings({"faults": []})
        assert run.first_status() == status

    return check


def logged(scene: Scene, function: str, text: str) -> int:
    """Count the lines of a function's log that contain a text."""
    return len(scene.stack.logs(function, text))


def leaves_no_log(function: str) -> Callable[[Scene], None]:
    """Check that the run completes, but the function's log has no line about it."""

    def check(scene: Scene) -> None:
        with scene.without():
            run = scene.drop()
            assert run.first_status() == "completed"
            assert not logged(scene, function, run.run)
        run = scene.drop(f"{LINE}\n")  # other content than the first drop
        run.wait(lambda: logged(scene, function, run.run) or None, f"log of {function}")
        assert run.first_status() == "completed"

    return check


@contextmanager
def limited(scene: Scene, limits: Any) -> Iterator[None]:
    """Write limits of projects for the length of the block."""
    s3, bucket, key = scene.stack.s3, scene.stack.bucket, "config/budgets.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(limits))
    try:
        yield
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def under_a_ceiling(check: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """Run a check with a drop whose project may spend little more in a day than the drop may cost."""

    def checked(scene: Scene) -> None:
        other = scene.drop(f"{LINE}\n", "inbox/priced.jsonl", {"dry-run": "yes"})
        most = other.receipt()["at_most_usd"]
        with limited(scene, {"projects": {scene.role: {"usd_per_day": round(most * 1.1, 9)}}}):
            check(scene)

    return checked


def in_turn(*checks: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """Run several checks, for a statement that allows several actions."""

    def check(scene: Scene) -> None:
        for one in checks:
            one(scene)
            scene.stack.provider_settings({"seconds": 0, "faults": []})

    return check
