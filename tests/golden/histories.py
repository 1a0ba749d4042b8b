"""Histories with which the rarer facts come about."""

from collections.abc import Callable

from tests.support.belt import MAX_POLLS, Belt, drop_of
from tests.support.faults.scenes import UNSENT, inject_faults
from tests.support.gates import stop

HOUR = 3600
FILES = {"BATCH_API": "files"}
SELDOM = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}
"""Fewer polls: a batch that is not listed for eight of them is listed too late."""


def until(belt: Belt, run: str, *facts: str) -> str:
    """Run the loop until the ledger has all these facts; return the run."""
    for _ in range(MAX_POLLS):
        found = belt.facts(run)
        if all(any(name.endswith(fact) for name in found) for fact in facts):
            return run
        belt.step(run)
    raise AssertionError(f"no {facts} after {MAX_POLLS} polls")


def reading(belt: Belt) -> str:
    """Read results that break off, and then lack a line."""
    cut = {"call": "results", "do": {"kind": "cut", "at": 100}}
    belt.provider.configure(outcomes={"2": "missing"}, faults=[cut])
    return until(belt, belt.upload(drop_of(3)), "batches/1/unread-1.json", "batches/1/read-2.json")


def foreign(belt: Belt) -> str:
    """Lose a call, and find a batch of the same size with other requests."""
    inject_faults(belt, UNSENT)
    run = belt.upload(drop_of(3))
    belt.upload(drop_of(3), "inbox/other.jsonl")
    for key in belt.stored("claims/batches/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key, VersionId=_version(belt, key))
    return until(belt, run, "foreign-msgbatch_01golden1.json")


def doubled(belt: Belt) -> str:
    """Find a batch that is listed after the next attempt."""
    late = {"call": "create", "do": [{"kind": "unlist", "looks": 8}, {"kind": "lose", "when": "after"}]}
    inject_faults(belt, late, seconds=6 * HOUR)
    return until(belt, belt.upload(drop_of(3)), "duplicate-msgbatch_01golden1.json")


def failed(belt: Belt) -> str:
    """Send a file to a full queue, which fails the batch."""
    belt.provider.configure(queue_limit=2)
    return until(belt, belt.upload(drop_of(3)), "batches/1/failed-1.json")


def discarded(belt: Belt) -> str:
    """Delete the files of a batch that is split."""
    return until(belt, belt.upload(drop_of(3)), "batches/1/discarded.json")


def stuck(belt: Belt) -> str:
    """Give up a batch that does not end after a stop."""
    belt.provider.configure(seconds=None, canceling_seconds=None)
    run = belt.upload(drop_of(3))
    stop(belt, run)
    return until(belt, run, "batches/1/stuck.json")


def troubled(belt: Belt) -> str:
    """Fail to ask about a batch until that is written down, and again for another reason once it is over."""
    away = {"call": "retrieve", "do": {"kind": "answer", "status": 503}, "times": 2}
    denied = {"call": "retrieve", "do": {"kind": "answer", "status": 401}, "after": 1, "times": None}
    belt.provider.configure(seconds=6 * HOUR, faults=[away, denied])
    run = belt.upload(drop_of(3))
    while len(belt.facts(run, "trouble-")) < 2:
        belt.step(run)
    return run


def _version(belt: Belt, key: str) -> str:
    (version,) = belt.s3.list_object_versions(Bucket=belt.bucket, Prefix=key)["Versions"]
    found: str = version["VersionId"]
    return found


type Odd = tuple[str, Callable[[Belt], str], dict[str, str], str]

ODD: dict[str, Odd] = {
    "reading": ("results lack a line, and are read again", reading, {}, "completed"),
    "foreign": ("a batch of the same size has other requests", foreign, {}, "completed"),
    "doubled": ("a batch was listed too late", doubled, SELDOM, "completed"),
    "failed": ("the provider ran nothing of a batch", failed, FILES, "completed"),
    "discarded": ("the files at the provider are deleted", discarded, FILES | {"DELETE_FILES": "yes"}, "completed"),
    "troubled": ("the provider refuses the key when it is asked about a batch", troubled, {}, "completed"),
    "stuck": ("a batch is given up", stuck, SELDOM, "stuck"),
}
