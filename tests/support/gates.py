"""What people do at the gates of a run, and what they are told."""

from typing import Any

import orjson

from conveyor.domain import keys
from tests.support.belt import Belt, request
from tests.support.faults.scenes import write_control
from tests.support.faults.taps import At, When

HOUR = 3600
HOLD = 72 * HOUR
"""Seconds that a run waits at a gate for a person: `HoldHours`, unless a test sets it."""
HELD = {"hold": "always"}
DEAR = b"".join(request(f"r-{number}", max_tokens=64_000) + b"\n" for number in range(1, 4))
"""Requests that may cost about $0.16 each."""


def say(belt: Belt, run: str, words: str, gate: int = 1, project: str = "") -> None:
    """Write an approval, under the run or under its project."""
    prefix = f"{project}/{run}" if project else run
    write_control(belt, prefix, f"approve-{gate}", words.encode())


def pause(belt: Belt, run: str) -> None:
    """Pause a run; once more is another version of the same object."""
    write_control(belt, run, "pause", b"")


def stop(belt: Belt, run: str) -> None:
    """Stop a run."""
    write_control(belt, run, "cancel", b"stop\n")


def message(belt: Belt, run: str) -> dict[str, Any]:
    """Poll once, and return the message that is due."""
    state = belt.poll(run)
    assert state["next"] == "notify"
    notice: dict[str, Any] = state["notice"]
    return notice


def send_one(belt: Belt, run: str) -> None:
    """Poll once, and send the batch that is due."""
    assert belt.poll(run)["next"] == "submit"
    belt.submit({"run": run})


def the_run(belt: Belt) -> str:
    """Return the only run of the bucket."""
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    return run


def paused_meanwhile(belt: Belt, when: When, name_part: str) -> At:
    """Pause the only run at a call, and poll it."""

    def do() -> None:
        run = the_run(belt)
        pause(belt, run)
        belt.poll(run)

    return At(when, name_part, do)


def make_older(belt: Belt, run: str) -> None:
    """Leave out of a plan what the code before gates did not write: gates, the estimate, prices, limits."""
    new = {"is_gated", "estimate", "prices", "usd_per_drop", "models", "at_most_usd"}
    lines = (orjson.loads(line) for line in belt.read(keys.plan(run)).splitlines())
    kept = ({name: value for name, value in line.items() if name not in new} for line in lines)
    data = b"".join(orjson.dumps(line) + b"\n" for line in kept)
    belt.s3.put_object(Bucket=belt.bucket, Key=keys.plan(run), Body=data)
