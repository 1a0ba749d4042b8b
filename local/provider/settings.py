"""The settings of the simulated provider: how long it takes, what becomes of each request, what goes wrong."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from local.provider.faults.actions import Count, Fault, Position, Seconds
from local.provider.file_settings import FileSettings

DAY = 86_400.0

type Outcome = Annotated[
    str,
    Meta(
        pattern=r"^(succeeded(:[A-Za-z0-9_.-]{1,100})?|errored:[a-z_]+_error|canceled|expired|missing)$",
    ),
]
"""`succeeded[:<stop_reason>]` (`null` is JSON's), `errored:<kind>`, `canceled`, `expired`, or `missing`.

Whatever is missing is counted, but has no line.
"""


class Signed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where calls are signed: the workspace they are for, and what a signature is held against."""

    workspace: str
    region: str
    aws: str | None = None  # address of the local AWS, which knows its roles and what they may do
    certificate: str | None = None  # path of its certificate
    credentials: dict[str, str] = {}  # secrets by access key, where no AWS is asked: they may do everything


class Settings(FileSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be told to the provider, as JSON; times are seconds. See also `dialect.py`."""

    seconds: Seconds | None = 2.0  # from creation to the end; null: never by itself. Also holds for running batches
    canceling_seconds: Seconds | None = 0.2  # from cancel to the end; null: never
    finished_share: Annotated[float, Meta(ge=0, le=1)] = 0.5  # of the requests, when a cancel or the expiry ends all
    expires_seconds: Seconds = DAY
    expire: bool = True  # false: the batch outlives its `expires_at`
    retention_seconds: Seconds = 29 * DAY  # from creation until the results are gone

    outcomes: dict[Position, Outcome] = field(default_factory=dict)  # of the request at a position; wins over `every`
    every: dict[Position, Outcome] = field(default_factory=dict)  # of every n-th request; the first rule that fits wins
    answer_chars: Count = 0  # least length of an answer's text

    signed: Signed | None = None  # calls of the Message Batches API are signed instead of carrying a key
    api_key: str | None = None  # the only key that is let in; null: any
    max_body_bytes: Count = 256_000_000
    max_requests: Count = 100_000
    queue_limit: Count | None = None  # requests in batches that have not ended; above it 429, or a failed batch
    results_origin: str | None = None  # scheme and host of `results_url` instead of the one the client asked

    now: float | None = None  # the provider's clock stands at these seconds since 1970; null: it goes
    ahead_seconds: float = 0.0  # how far the clock is before the real one
    faults: list[Fault] = field(default_factory=list)

    def outcome_at(self, position: int) -> str | None:
        """Give the outcome that was asked for at this position; None leaves it to the request itself."""
        if position in self.outcomes:
            return self.outcomes[position]
        return next((outcome for step, outcome in self.every.items() if position % step == 0), None)


def parse_settings(text: str | bytes) -> Settings:
    """Read settings from JSON; raises `msgspec.ValidationError` that names the field."""
    return msgspec.json.decode(text, type=Settings)


def merge_settings(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Replace the settings that are named; each is replaced whole. Raises `msgspec.ValidationError`."""
    merged = msgspec.to_builtins(settings, str_keys=True) | changes
    return msgspec.convert(merged, Settings, str_keys=True)
