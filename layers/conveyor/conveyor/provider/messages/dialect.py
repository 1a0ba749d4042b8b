"""What a drop must keep for Anthropic's Message Batches API. Needs no HTTP: a desk checks files with it.

Facts: https://platform.claude.com/docs/en/api/creating-message-batches.
"""

from conveyor.domain.dialect import Dialect, Form
from conveyor.settings.settings import Settings

_FORM = Form(b'{"requests":[', b'{"custom_id":"', b'","params":', b",", b"]}")
DIALECT = Dialect(_FORM, max_requests=100_000, max_bytes=256_000_000, takes_betas=True)


def dialect_of(_: Settings) -> Dialect:
    """Return the dialect, which is the same for all settings."""
    return DIALECT
