"""The user's files, joined from their parts. A function that ends before a file is whole lets the next one go on."""

from collections.abc import Mapping, Sequence

from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Joined, Joining, Run
from conveyor.ledger.state import RunState
from conveyor.receipt.files import is_written
from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate, is_small, write_pieces
from conveyor.s3.multipart import NumberedUpload
from conveyor.s3.pieces import Piece, pieces_of


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
        """Join the parts of each file, unless the only batch of a run has written the file itself."""
        for key, files in parts.items():
            if not is_written(key, files):
                self._join(key, {file.key: file.bytes for file in files})

    def _join(self, key: str, objects: Mapping[str, int]) -> None:
        metadata = self._run.carried_metadata if key == keys.retry(self._run.name, self._run.run) else {}
        if is_small(objects):
            concatenate(self._bucket, key, objects, metadata)
            return
        name = key.rpartition("/")[2].partition(".")[0]
        if name in self._run_state.joined_files:
            return
        pieces = pieces_of(objects)
        write_pieces(self._bucket, self._upload(name, key, pieces, metadata), pieces)
        self._ledger.write(Joined(self._invocation.writer, self._invocation.now()), name)

    def _upload(self, name: str, key: str, pieces: Sequence[Piece], metadata: Mapping[str, str]) -> NumberedUpload:
        """Return the upload in which an earlier function joined the file, or a new one."""
        sizes = {piece.number: piece.bytes for piece in pieces}
        begun = [
            int(place.removeprefix(f"{name}-")) for place in self._run_state.joinings if place.startswith(f"{name}-")
        ]
        last = max(begun, default=0)
        if last:
            joining = self._ledger.read(Joining, f"{name}-{last}")
            if upload := self._bucket.resume_upload(key, joining.upload_id, sizes):
                return upload
        upload = self._bucket.begin_upload(key, metadata)
        joining = Joining(self._invocation.writer, self._invocation.now(), upload.id)
        if self._ledger.write(joining, f"{name}-{last + 1}").upload_id != upload.id:
            upload.abort()
            raise RuntimeError(f"{key}: another function joins this file")
        return upload
