"""What a person writes for a run, as objects under `control/<run>/` or `control/<project>/<run>/`.

The second can be granted by project, since IAM does not know the runs of one. A run only reads these objects, and none
under another project.
"""

from conveyor.domain import keys
from conveyor.gates.approval import Approval, Insufficient, read_approval
from conveyor.gates.release import Release, Unclear, read_release
from conveyor.s3.bucket import Bucket, naming_refusals
from conveyor.s3.read_errors import ReadRefused

_LONGEST = 1000
"""Bytes of an object that is read."""


class Control:
    """What people wrote for one run, from one listing of each prefix."""

    def __init__(self, bucket: Bucket, run: str, project: str = keys.DEFAULT_PROJECT) -> None:
        """List the objects."""
        self._bucket = bucket
        self._keys: dict[str, list[str]] = {}
        """By name under the prefix: one key, or one under each prefix."""
        for prefix in keys.controls(run, project):
            for key in bucket.list(prefix):
                self._keys.setdefault(key.removeprefix(prefix), []).append(key)

    @property
    def is_stopped(self) -> bool:
        """Whether the run is to be stopped."""
        return keys.STOP in self._keys

    @property
    def pauses(self) -> list[str]:
        """The versions of the objects that pause the run."""
        versions = [self._bucket.version(key) for key in self._keys.get(keys.PAUSE, [])]
        return [version for version in versions if version is not None]

    def approval(self, gate: int) -> tuple[str, Approval | Insufficient] | None:
        """Return the key of an approval of a gate, and what it says. It does not apply to other gates.

        Of two people who say different things, none is followed.
        """
        written = self._keys.get(keys.approval_name(gate), [])
        approvals = [self._approval(key) for key in written]
        if any(approval != approvals[0] for approval in approvals):
            return written[0], Insufficient(f"{' and '.join(written)} say different things")
        return next(iter(zip(written, approvals, strict=True)), None)

    def release(self, batch: int, number: int, leg: str = "") -> Release | None:
        """Return what a person says became of attempt `number`; it does not apply to later attempts.

        Of two people who say different things, none is followed.
        """
        written = self._keys.get(keys.release_name(batch, number, leg), [])
        releases = [self._release(key) for key in written]
        if any(release != releases[0] for release in releases):
            return Unclear(f"{' and '.join(written)} say different things")
        return next(iter(releases), None)

    def _release(self, key: str) -> Release:
        return read_release(key, self._text(key))

    def _approval(self, key: str) -> Approval | Insufficient:
        try:
            with naming_refusals():
                return read_approval(self._text(key))
        except ReadRefused as error:
            return Insufficient(f"it cannot be read ({error}): write it again")

    def _text(self, key: str) -> str:
        """Return what an object says; nothing if it says more than any command does."""
        text = self._bucket.beginning(key, _LONGEST + 1)
        return text.decode(errors="replace") if len(text) <= _LONGEST else ""
