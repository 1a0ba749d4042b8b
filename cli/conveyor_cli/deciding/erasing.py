"""Deleting what is in a run: all but its facts, in every version."""

from collections import Counter
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import read_index_entry
from conveyor_cli.aws.errors import explained
from conveyor_cli.aws.versions import Left, Version, Versions
from conveyor_cli.trouble import Trouble

_GOES_ON = "The same command goes on where it stopped."


class Stored(NamedTuple):
    """What is in a run, of one kind."""

    kind: str
    versions: list[Version]

    @property
    def bytes(self) -> int:
        """The size of all versions."""
        return sum(version.bytes for version in self.versions)


def has_ended(bucket: Bucket, run: Run) -> bool:
    """Tell whether a run has ended: by its entry in the index, or its receipt, as earlier versions wrote no entry."""
    listed = bucket.list(keys.index_entry(run.project, run.run, ""))
    return any(map(read_index_entry, listed)) or bucket.find(keys.receipt(run.name, run.run)) is not None


def stored(versions: Versions, run: Run) -> list[Stored]:
    """Return all that is in a run and is no fact. Its errors are botocore's: see `explained`."""
    results, failures = keys.outputs(run.name, run.run)
    return [
        Stored("drop", _of_drop(versions, run)),
        Stored("content", versions.under(run.content) if run.content else []),
        Stored("results", versions.under(results)),
        Stored("failures", versions.under(failures)),
    ]


def erase(versions: Versions, run: Run, found: list[Stored]) -> None:
    """Delete what was found, the receipt last: as long as it exists, the run shows how it has ended. Raises Trouble."""
    receipt = keys.receipt(run.name, run.run)
    ordered = sorted((each for kind in found for each in kind.versions), key=lambda each: each.key == receipt)
    gone, left = 0, list[Left]()
    try:
        with explained():
            for deleted, refused in versions.delete(ordered):
                gone += deleted
                left += refused
    except Trouble as trouble:
        about = f"{gone:,} of {len(ordered):,} versions are deleted. {_GOES_ON}"
        raise Trouble(trouble.code, trouble.message, about, commands=trouble.commands) from trouble
    if left:
        raise _not_deleted(left, len(ordered))


def _of_drop(versions: Versions, run: Run) -> list[Version]:
    """Return the version that is the run's drop. Another version of the key is the drop of another run.

    The delete markers of the key go with its last version.
    """
    every = [each for each in versions.under(run.drop.key) if each.key == run.drop.key]
    own = [each for each in every if each.id == run.drop.version]
    is_last = all(each.is_marker or each in own for each in every)
    return own + [each for each in every if each.is_marker and is_last]


def _not_deleted(left: list[Left], count: int) -> Trouble:
    codes = ", ".join(f"{code} ({number:,})" for code, number in Counter(each.code for each in left).most_common())
    return Trouble(
        "not-deleted",
        f"{len(left):,} of {count:,} versions could not be deleted: {codes}",
        f"One of them: {left[0].key}.",
        "AccessDenied means that your role may not delete versions (s3:DeleteObjectVersion), or that S3 Object Lock "
        f"keeps them. {_GOES_ON}",
    )
