"""What a person writes for a run, as objects under `control/<run>/`. A run only reads them."""

import re
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.s3.bucket import Bucket

_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=-]{0,499}")
_LONGEST = 1000
"""Bytes of an object that is read."""


class Adopt(NamedTuple):
    """The attempt created this batch."""

    batch_id: str


class SubmitAgain(NamedTuple):
    """The attempt created no batch: pay for another."""


class Unclear(NamedTuple):
    """Text that is neither."""

    reason: str


type Release = Adopt | SubmitAgain | Unclear


class Control:
    """What a person wrote for one run, from one listing."""

    def __init__(self, bucket: Bucket, run: str) -> None:
        """List the objects."""
        self._bucket = bucket
        self._run = run
        self._keys = set(bucket.list(keys.control(run)))

    @property
    def is_stopped(self) -> bool:
        """Whether the run is to be stopped."""
        return keys.stop(self._run) in self._keys

    def release(self, batch: int, number: int) -> Release | None:
        """Return what a person says became of attempt `number`; it does not apply to later attempts."""
        key = keys.release(self._run, batch, number)
        if key not in self._keys:
            return None
        text = self._bucket.beginning(key, _LONGEST + 1)
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
