"""The JSON body of a message: for queues, functions, chat and rules of EventBridge. Schema: `message.schema.json`."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

import msgspec

from conveyor.domain.status import Status

VERSION = 1
"""Of the body. Fields may be added within a version; consumers ignore those that they do not know."""
MOST_CAUSES = 20
_DIGEST = 8

type Usd = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", description="US dollars")]
type Count = Annotated[int, msgspec.Meta(ge=0)]


class Event(StrEnum):
    """What a message is about."""

    STARTED = "started"
    HELD = "held"
    TROUBLE = "trouble"
    AT_RISK = "at-risk"
    UNDECIDED = "undecided"
    BUDGET = "budget"
    ENDED = "ended"


class Needs(StrEnum):
    """Who should act."""

    NOBODY = "nobody"
    USER = "user"
    APPROVER = "approver"
    OPERATOR = "operator"


class Costs(msgspec.Struct, frozen=True):
    """What a run costs. Null: not known, or without a bound."""

    at_most_usd: Usd | None = None
    forecast_usd: Usd | None = None
    cost_usd: Usd | None = None
    """Null while the run goes on, too."""
    complete: bool = False
    """Whether `cost_usd` is all: true once the run has ended and every price is known."""


class FailureCause(msgspec.Struct, frozen=True):
    """Requests that failed for one reason."""

    type: str
    """The type of the error, or the outcome."""
    code: str
    """The same in our own words; `other` for a type that is not known."""
    lines: Count
    retryable: bool


class Todo(msgspec.Struct, frozen=True):
    """Something to do. `command`: of the command line `conveyor`, or of a shell; null if there is none."""

    words: str
    command: str | None = None


class HoldReason(msgspec.Struct, frozen=True):
    """Why a run waits."""

    code: str
    words: str


class Hold(msgspec.Struct, frozen=True):
    """What a run waits for."""

    gate: int
    reasons: list[HoldReason]
    up_to_usd: Usd | None
    """What must be approved; null if the approval names no amount."""
    declined_at: datetime | None
    """When the run is declined without an approval."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message. It has counts, places and our own words: never a prompt, an answer, or the provider's words."""

    v: int = VERSION
    id: str
    """`<run>/<event>`, with more behind it where an event can come twice. The same message has the same id."""
    event: Event
    status: Status
    code: str | None = None
    """Why a run was refused, stopped, declined, or ended early; or why it waits."""
    needs: Needs
    at: datetime
    """When it happened."""
    run: str
    name: str
    project: str
    """Of the run; for the limit of a project that is reached, that project."""
    stack: str
    """Empty if it is not known."""
    subject: str
    """Of the email."""
    first: str
    """What happened."""
    second: str
    """What it cost, and whether anything is open; may be empty."""
    steps: list[Todo] = []
    """What to do, in order."""
    link: str | None = None
    """Of the report in the AWS console, or of the execution while the run goes on; null where there is no console."""
    requests: Count | None = None
    """Null if the drop was not read to its end. The other counts are null while the run goes on."""
    results: Count | None = None
    failures: Count | None = None
    cut_off: Count | None = None
    """Results that reached `max_tokens`."""
    retryable: Count | None = None
    """Failures that are worth sending again."""
    outcomes: dict[str, Count] = {}
    cost: Costs = msgspec.field(default_factory=Costs)
    seconds: Count | None = None
    """From the upload to the last result."""
    rounds: Count | None = None
    """In which failures were sent again."""
    causes: list[FailureCause] = []
    """The most frequent first, at most 20."""
    files: dict[str, str] = {}
    """S3 addresses by name: `results`, `failures`, `retry`, `aside`, `invalid`, `receipt`, `report`."""
    commands: dict[str, str] = {}
    """By word: `fetch`, `retry`, `again`, `approve`, `stop`, `decide`."""
    hold: Hold | None = None


def usd_text(amount: Decimal | None) -> str | None:
    """Return an amount as the body has it: exact, without an exponent."""
    return None if amount is None else f"{amount:f}"


def numbered(event: str, *facts: object) -> str:
    """Return the end of the id of a message whose event can come twice: the same facts have the same end."""
    return f"{event}-{sha256('|'.join(map(str, facts)).encode()).hexdigest()[:_DIGEST]}"
