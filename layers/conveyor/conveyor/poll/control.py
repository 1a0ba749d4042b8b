"""What a person tells a run, as objects under `control/<run>/`. A run only ever reads them."""

import re
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.s3.bucket import Bucket

_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=-]{0,499}")
_LONGEST = 1000


class Adopt(NamedTuple):
    """The attempt created this batch."""

    batch_id: str


class SubmitAgain(NamedTuple):
    """The attempt created no batch: pay for another."""


class Unclear(NamedTuple):
    """Words that are neither."""

    reason: str


type Release = Adopt | SubmitAgain | Unclear


class Control:
    """What has been told to one run, from one listing."""

    def __init__(self, bucket: Bucket, run: str) -> None:
        """List what is there."""
        self._storage = bucket
        self._run = run
        self._told = set(bucket.list(keys.control(run)))

    @property
    def is_stopped(self) -> bool:
        """Whether the run is to be stopped."""
        return keys.stop(self._run) in self._told

    def release(self, batch: int, number: int) -> Release | None:
        """Return what a person knows of an attempt; a word about an earlier attempt is none about a later one."""
        key = keys.release(self._run, batch, number)
        if key not in self._told:
            return None
        text = self._storage.beginning(key, _LONGEST + 1)
        return read_release(key, text.decode(errors="replace") if len(text) <= _LONGEST else "")


def read_release(key: str, text: str) -> Release:
    """Read `adopt <batch id>` or `submit again`."""
    match text.split():
        case ["adopt", batch_id] if _BATCH_ID.fullmatch(batch_id):
            return Adopt(batch_id)
        case ["submit", "again"]:
            return SubmitAgain()
        case _:
            return Unclear(f'{key} says neither "adopt <batch id>" nor "submit again"')
