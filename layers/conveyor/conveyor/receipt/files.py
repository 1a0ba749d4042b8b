"""The user's files: which parts each consists of, and where parts can be read before a run has ended."""

from collections.abc import Iterable, Mapping, Sequence

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile, joined
from conveyor.ledger.run_facts import Run
from conveyor.receipt.batch_account import SplitBatch


def parts_by_file(
    run: Run, batches: Iterable[SplitBatch], legs: Iterable[SplitBatch] = ()
) -> dict[str, list[OutputFile]]:
    """Return the parts of each of the user's files, by the key of the file, in the order of the drop.

    `legs`: batches of the probe and of rounds. Their outputs are in the parts of the other batches already, except for
    what they have set aside.
    """
    parts: dict[str, list[OutputFile]] = {}
    of_batches = [file for batch in batches for file in batch.files]
    of_legs = [file for batch in legs for file in batch.part.files if keys.file_of(file.key) == keys.ASIDE]
    for file in of_batches + of_legs:
        parts.setdefault(keys.output(run.name, run.run, keys.file_of(file.key)), []).append(file)
    return parts


def accounts_of(parts: Mapping[str, Sequence[OutputFile]]) -> list[OutputFile]:
    """Return the account of each file."""
    return [files[0] if is_written(key, files) else joined(key, list(files)) for key, files in parts.items()]


def early_parts(run: Run, batches: Iterable[SplitBatch]) -> list[str]:
    """Return the keys of the parts that people could read before the run ended."""
    prefix = keys.early_parts(run.name, run.run)
    return [file.key for batch in batches for file in batch.part.files if file.key.startswith(prefix)]


def is_written(key: str, files: Sequence[OutputFile]) -> bool:
    """Return whether the only batch of a run has written the file itself."""
    return [file.key for file in files] == [key]
