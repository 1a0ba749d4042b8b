"""An example run, for messages, polls and new batches."""

from datetime import UTC, datetime

from msgspec.structs import replace

from conveyor.domain.drop import Drop
from conveyor.domain.plan import Batch
from conveyor.ledger.run_facts import Run
from conveyor.provider.protocol import NewBatch, Origin
from conveyor.settings.settings import Settings
from conveyor.wording.notice import Sent
from tests.support.settings import environment

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SENT = Sent(NOW)
"""Of messages about a run that goes on, where there is no console."""
SETTINGS = replace(Settings.from_env(environment("Submit")), api_url="https://provider.test")
DROP = Drop("bucket", "inbox/team/articles.jsonl", "v", "e", 9, NOW, {})
RUN = Run("run-1", "team/articles", DROP, SETTINGS)
BATCH = Batch(1, 1, 0, last_line=3, end_byte=99, requests=3, defaulted=1, body_bytes=80, skipped=[])
ORIGIN = Origin(RUN.run, BATCH.number, NOW)


def new_batch(*pieces: bytes, size: int | None = None) -> NewBatch:
    """Return a new batch of three requests; `size` is the announced number of bytes."""
    return NewBatch(ORIGIN, BATCH.requests, sum(map(len, pieces)) if size is None else size, lambda: pieces)
