"""The user's files, joined from their parts."""

from collections.abc import Mapping, Sequence

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.run_facts import Run
from conveyor.receipt.files import is_written
from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate


def write_files(run: Run, bucket: Bucket, parts: Mapping[str, Sequence[OutputFile]]) -> None:
    """Join the parts of each file, unless the only batch of a run has written the file itself."""
    for key, files in parts.items():
        if not is_written(key, files):
            metadata = run.carried_metadata if key == keys.retry(run.name, run.run) else {}
            concatenate(bucket, key, {file.key: file.bytes for file in files}, metadata)
