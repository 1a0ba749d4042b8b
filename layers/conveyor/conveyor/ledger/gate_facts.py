"""Facts of a run about its gates, which are numbered from 1: whether it may pay, and who said so."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from conveyor.domain import keys
from conveyor.ledger.fact import Fact, Place
from conveyor.money.forecast import Forecast


class ReasonCode(StrEnum):
    """Why a gate is closed."""

    ASKED = "asked"
    """The drop asks for an approval."""
    HOLD_ABOVE = "hold-above"
    """It may cost more than the stack sends without an approval."""
    CEILING = "ceiling"
    """It may cost more than its project may spend on one drop."""
    MAX_USD = "max-usd"
    """It may cost more than the drop's own metadata says."""
    MODEL = "model"
    """It names a model that its project may not use."""
    CONFIG = "config"
    """A file under `config/` is wrong, so nobody knows the limits."""
    PAUSED = "paused"
    """A person paused the run."""
    PROBE_FAILED = "probe-failed"
    """Half of the probe's requests for a model failed, and would fail again."""
    CUT_OFF = "cut-off"
    """Half of the probe's answers of a model are cut off at `max_tokens`."""
    UNANSWERED = "unanswered"
    """The probe has no answer yet."""
    PROBE_STUCK = "probe-stuck"
    """The probe ended without any answer."""
    ACCOUNT = "account"
    """The provider refuses the account, in results of a batch."""
    DAY = "day"
    """One batch may cost more than its project may spend in a whole day."""
    BUDGETS_UNREAD = "budgets-unread"
    """`config/budgets.json` cannot be read or understood now, so nobody knows the ceiling of the day."""
    OVER_APPROVED = "over-approved"
    """The next batch may cost more than is left of what was approved."""


class Reason(msgspec.Struct, frozen=True):
    """Why a gate is closed: a code, and a sentence without its end."""

    code: ReasonCode
    message: str


class Gate(Fact, frozen=True):
    """`gate-<g>.json`: from here on the run may pay if the gate is open; a closed one ends by a `GateEnd`."""

    KIND = "gate"
    PLACE = Place.NUMBER
    STATE_FIELD = "gate"

    writer: str
    at: datetime
    open: bool
    reasons: list[Reason] = msgspec.field(default_factory=list)
    """Why it is closed."""
    need_usd: Decimal | None = None
    """What the whole run may cost at most; null if there is no bound."""
    until: datetime | None = None
    """When a closed gate ends by itself, and the run is declined."""
    after_probe: bool = False
    """Whether what is not in the probe may be paid for, once the gate is open or approved."""
    unanswered: bool = False
    """Whether the probe had no answer yet."""
    forecast: Forecast | None = None
    """What the whole run will cost, as far as the probe has shown."""
    up_to: Decimal | None = None
    """What the run may cost in all, by the limits and approvals before this gate; null: any amount."""
    approved: bool = False
    """Whether a person has approved that amount."""
    accounts: list[str | int] = msgspec.field(default_factory=list)
    """The batches whose results say that the account is refused: each counts once (`BatchName.to_event`)."""
    pauses: list[str] = msgspec.field(default_factory=list)
    """The versions of the objects by which people paused the run: each version counts once."""

    def has(self, code: ReasonCode) -> bool:
        """Return whether this is among the reasons."""
        return any(reason.code is code for reason in self.reasons)

    @property
    def has_unread_limits(self) -> bool:
        """Whether nobody knew the limits, be it when the drop came or later. Wrong prices alone leave them known."""
        at_first = [reason for reason in self.reasons if reason.code is ReasonCode.CONFIG]
        return self.has(ReasonCode.BUDGETS_UNREAD) or any(keys.PRICES not in reason.message for reason in at_first)

    @property
    def opens_once_repaired(self) -> bool:
        """Whether it ends by itself once the limits can be read again: it is closed for nothing else."""
        return bool(self.reasons) and all(reason.code is ReasonCode.BUDGETS_UNREAD for reason in self.reasons)


class Ending(StrEnum):
    """How a closed gate ended."""

    APPROVED = "approved"
    DECLINED = "declined"
    """By the clock."""
    STOPPED = "stopped"
    ANSWERED = "answered"
    """By the answer of the probe that it waited for: another gate follows."""
    REPAIRED = "repaired"
    """By itself: the limits can be read again, and the run may pay on."""


class GateEnd(Fact, frozen=True):
    """`passed-<g>.json`: how a closed gate ended. It has one end: the first that is written."""

    KIND = "passed"
    PLACE = Place.NUMBER
    STATE_FIELD = "ended_gates"

    writer: str
    at: datetime
    how: Ending
    up_to: Decimal | None = None
    """What the run may cost from then on, in all; null if the approval names no limit."""
    said_in: str | None = None
    """The key of the object in which a person said so."""
