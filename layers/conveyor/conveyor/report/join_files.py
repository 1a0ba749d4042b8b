"""The user's files, joined from their parts. A function that ends before a file is whole lets the next one go on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Joining, Run
from conveyor.ledger.state import RunState
from conveyor.receipt.files import is_written
from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate, is_small, write_pieces
from conveyor.s3.multipart import NumberedUpload
from conveyor.s3.pieces import Piece, fingerprint, pieces_of

_FOR_THE_REST = timedelta(minutes=3)
"""The files of hundreds of gigabytes are completed, and the receipt and its page are written, within this time."""


class FileJoiner:
    """Writes the files of one run."""

    def __init__(self, run: Run, ledger: Ledger, run_state: RunState, bucket: Bucket, invocation: Invocation) -> None:
        """Write nothing yet."""
        self._run = run
        self._ledger = ledger
        self._run_state = run_state
        self._bucket = bucket
        self._invocation = invocation

    def write(self, parts: Mapping[str, Sequence[OutputFile]]) -> None:
        """Join the parts of each file, unless the only batch of a run has written the file itself.

        Large files appear when all of them are copied. Raises TimeoutError if too little time is left for the rest.
        """
        uploads, written = list[NumberedUpload](), 0
        for key, files in parts.items():
            if is_written(key, files):
                continue
            objects = {file.key: file.bytes for file in files}
            metadata = self._run.carried_metadata if key == keys.retry(self._run.name, self._run.run) else {}
            if is_small(objects):
                concatenate(self._bucket, key, objects, metadata)
                continue
            pieces = pieces_of(objects)
            upload = self._upload(key, pieces, metadata)
            written += write_pieces(self._bucket, upload, pieces)
            uploads.append(upload)
        if written and self._invocation.left < _FOR_THE_REST:
            raise TimeoutError("the files are copied, and the next invocation completes them")
        for upload in uploads:
            upload.complete()

    def _upload(self, key: str, pieces: Sequence[Piece], metadata: Mapping[str, str]) -> NumberedUpload:
        """Return the upload in which an earlier function joined the file, or a new one."""
        name, pieces_id = key.rpartition("/")[2].partition(".")[0], fingerprint(pieces)
        begun = [
            int(place.removeprefix(f"{name}-")) for place in self._run_state.joinings if place.startswith(f"{name}-")
        ]
        last = max(begun, default=0)
        if last:
            joining = self._ledger.read(Joining, f"{name}-{last}")
            sizes = {piece.number: piece.bytes for piece in pieces} if joining.pieces == pieces_id else None
            if upload := self._bucket.resume_upload(key, joining.upload_id, sizes):
                return upload
        upload = self._bucket.begin_upload(key, metadata)
        joining = Joining(self._invocation.writer, self._invocation.now(), upload.id, pieces_id)
        if self._ledger.write(joining, f"{name}-{last + 1}").upload_id != upload.id:
            upload.abort()
            raise RuntimeError(f"{key}: another function joins this file")
        return upload
