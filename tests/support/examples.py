"""A run to word messages about, to look from, and to send a batch of."""

from datetime import UTC, datetime

from conveyor.domain.drop import Drop
from conveyor.domain.plan import Batch
from conveyor.ledger.run_facts import Run
from conveyor.provider.protocol import Origin, Outgoing
from conveyor.settings.settings import Settings

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SETTINGS = Settings(
    api_url="https://provider.test",
    batch_api="messages",
    auth="api-key",
    workspace_id="",
    batch_endpoint="/v1/messages",
    completion_window="24h",
    line_form="params",
    allow_tools="no",
    delete_files="no",
    on_invalid="refuse",
    default_max_tokens=15_000,
    max_requests_per_drop=100_000,
    max_bytes_per_drop=20_000_000_000,
    max_requests_per_batch=100_000,
    max_bytes_per_batch=256_000_000,
    max_tokens_per_batch=1_500_000_000,
    poll_min_seconds=30,
    poll_max_seconds=300,
    post_seconds=600,
    settle_seconds=900,
    reread_seconds=600,
    trouble_seconds=21_600,
    max_queued_requests=200_000,
    max_events=15_000,
)
DROP = Drop("bucket", "inbox/team/articles.jsonl", "v", "e", 9, NOW, {})
RUN = Run("run-1", "team/articles", DROP, SETTINGS)
BATCH = Batch(1, 1, 0, last_line=3, end_byte=99, requests=3, defaulted=1, body_bytes=80, skipped=[])
ORIGIN = Origin(RUN.run, BATCH.number, NOW)


def outgoing(*pieces: bytes, size: int | None = None) -> Outgoing:
    """Give a batch of three requests to send, of which so many bytes are announced."""
    return Outgoing(ORIGIN, BATCH.requests, sum(map(len, pieces)) if size is None else size, lambda: pieces)
