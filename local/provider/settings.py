"""The settings of the simulated provider: how long batches take, how requests end, what goes wrong."""

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
"""`succeeded[:<stop_reason>]` (`null` is JSON's), `errored:<type>`, `canceled`, `expired`, or `missing`.

A missing result is counted, but has no line.
"""


class SigningSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The workspace that signed calls are for, and who checks the signatures."""

    workspace: str
    region: str
    aws: str | None = None  # URL of the local AWS, which checks signatures and permissions
    certificate: str | None = None  # path to its TLS certificate
    credentials: dict[str, str] = {}  # secrets by access key, checked if there is no AWS; all are permitted everything


class Settings(FileSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, as JSON; times are in seconds. Those of the file batch API are in `file_settings.py`."""

    seconds: Seconds | None = 2.0  # from creation to the end; null: no end. A change applies to running batches
    batch_seconds: dict[Position, Seconds | None] = field(default_factory=dict)  # the same, by order of creation from 1
    batch_ids: dict[Position, str] = field(default_factory=dict)  # by order of creation from 1; otherwise random
    canceling_seconds: Seconds | None = 0.2  # from cancel to the end; null: never
    finished_share: Annotated[float, Meta(ge=0, le=1)] = 0.5  # of the requests are done at a cancel or the expiry
    expires_seconds: Seconds = DAY
    expire: bool = True  # false: the batch continues after its `expires_at`
    retention_seconds: Seconds = 29 * DAY  # from creation until the results are deleted

    outcomes: dict[Position, Outcome] = field(default_factory=dict)  # by position of the request; overrides `every`
    every: dict[Position, Outcome] = field(default_factory=dict)  # of every n-th request; the first match counts
    answer_chars: Count = 0  # minimum length of an answer's text
    thinking_tokens: Count | None = None  # of every answer whose model thinks; null: only where thinking is asked for
    usage: dict[str, Any] = field(default_factory=dict)  # fields of every answer's `usage`, instead of its own
    ids_of_params: bool = False  # true: the id of an answer depends on the params only, and not on the custom_id

    signed: SigningSettings | None = None  # calls of the Message Batches API are signed instead of carrying a key
    api_key: str | None = None  # the only key accepted; null: any
    max_body_bytes: Count = 256_000_000
    max_requests: Count = 100_000
    queue_limit: Count | None = None  # requests in batches that have not ended; more are a 429, or a failed batch
    results_origin: str | None = None  # scheme and host of `results_url`; null: those of the call

    now: float | None = None  # fixed time of the provider, in seconds since 1970; null: real time
    ahead_seconds: float = 0.0  # added to the time
    faults: list[Fault] = field(default_factory=list)

    def seconds_of(self, number: int) -> float | None:
        """Return how long the batch that was created as the n-th takes; None: it has no end."""
        return self.batch_seconds.get(number, self.seconds)

    def outcome_at(self, position: int) -> str | None:
        """Return the outcome set for a position; None: the request decides."""
        if position in self.outcomes:
            return self.outcomes[position]
        return next((outcome for step, outcome in self.every.items() if position % step == 0), None)


def parse_settings(text: str | bytes) -> Settings:
    """Read settings from JSON; raises `msgspec.ValidationError` that names the field."""
    return msgspec.json.decode(text, type=Settings)


def merge_settings(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Replace the settings that are named, each as a whole. Raises `msgspec.ValidationError`."""
    merged = msgspec.to_builtins(settings, str_keys=True) | changes
    return msgspec.convert(merged, Settings, str_keys=True)
