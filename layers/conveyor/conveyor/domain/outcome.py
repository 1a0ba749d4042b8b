"""The outcome of one request, decoded from the provider's result line.

Result lines: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from enum import IntEnum, StrEnum

import msgspec

from conveyor.domain.refusal import account_cause
from conveyor.money.usage import ModelUsage, Usage


class Outcome(StrEnum):
    """The outcome of one request.

    `INVALID` was never sent. `MISSING` is not in the provider's results. `STUCK`: the results of its batch could not be
    had, and it may have been billed.
    """

    SUCCEEDED = "succeeded"
    ERRORED = "errored"
    CANCELED = "canceled"
    EXPIRED = "expired"
    MISSING = "missing"
    STUCK = "stuck"
    INVALID = "invalid"


class OutputKind(IntEnum):
    """What a line of output is, and what can be done about it. The numbers are those that an index of lines has."""

    FAILED = 0
    SUCCEEDED = 1
    RETRYABLE = 2
    """A failure. Sending its request again may succeed, if a person wants that."""
    AGAIN = 3
    """The same, and a round sends it again by itself."""

    @property
    def is_retryable(self) -> bool:
        """Whether sending its request again may succeed."""
        return self >= OutputKind.RETRYABLE


MAY_BE_BILLED = frozenset({Outcome.MISSING, Outcome.STUCK})
"""Outcomes of requests without a result: some may have been answered."""
UNREADABLE = "unreadable_result"
"""Our error type for a result line that holds no answer we can deliver. The request may have been billed."""
NO_REASON = "the provider gave no reason"

_NOT_WORTH_RESENDING = frozenset({"invalid_request_error", "not_found_error"})
"""Types of errors that would recur, because the request, or the model it names, is wrong."""
_TRANSIENT = frozenset({
    "overloaded_error", "api_error", "timeout_error", "rate_limit_error",
    "server_error", "internal_server_error", "internal_error", "service_unavailable", "service_unavailable_error",
    "request_timeout", "rate_limit_exceeded",
})  # fmt: skip
"""Types of errors that pass: first those of the Messages API, then those of servers of the files API.

An HTTP status of a result line has one of the first as its type (`provider/files/results.py`).
"""

_EXPLANATIONS = {
    Outcome.CANCELED: "the batch was cancelled before this request was processed",
    Outcome.EXPIRED: "the provider did not process this request within its completion window",
    Outcome.MISSING: "three complete reads of the provider's results did not contain this request",
}


class Error(msgspec.Struct, frozen=True):
    """Why a request failed: the provider's error type, or the outcome or fault code if it gave none."""

    type: str
    message: str


class Result(msgspec.Struct, frozen=True):
    """One decoded line of results, of whichever dialect."""

    wire_id: str
    """Empty where the line could not be read."""
    outcome: Outcome
    raw: bytes = b""
    """The line as the provider wrote it."""
    response: bytes = b""
    """The message as the provider wrote it; empty unless succeeded."""
    error: Error | None = None
    model: str = ""
    usage: Usage = msgspec.field(default_factory=Usage)
    is_repaired: bool = False
    """Whether invalid characters of the response were replaced."""
    is_broken: bool = False
    """Whether the line is not JSON, perhaps because it was cut off: another read may return it complete."""
    stop: str = ""
    """Why the answer ended, as it is counted (`conveyor.answers.stop_reasons`); empty if it does not say."""
    place: str = ""
    """Where inference ran (`inference_geo`): some models cost more in some places. Empty if it is not said."""
    also_used: tuple[ModelUsage, ...] = ()
    """What is billed beside the usage of the answer itself."""

    @property
    def must_be_kept(self) -> bool:
        """Whether the provider's line must be set aside, since not all of it is delivered."""
        return self.is_repaired or (self.error is not None and self.error.type == UNREADABLE)


def unreadable_result(wire_id: str, raw: bytes, why: str, *, is_broken: bool = False) -> Result:
    """Return the failure for a line that holds no answer we can deliver. `why` completes "the result line …"."""
    text = f"the provider's result line {why}; it may have been billed, and is unchanged in aside.jsonl"
    error = Error(UNREADABLE, f'{text}, under the id "{wire_id}"')
    return Result(wire_id, Outcome.ERRORED, raw, error=error, is_broken=is_broken)


def failure(outcome: Outcome, error: Error | None = None) -> Result:
    """Return a failure without a result line, or whose line says no more than its outcome."""
    return Result("", outcome, error=error or Error(outcome.value, _EXPLANATIONS[outcome]))


def missing_beside(nameless: int) -> Result:
    """Return the outcome of a request without a result. `nameless`: number of result lines without a readable id.

    If there are any, the request's result may be among them, and may have been billed.
    """
    if not nameless:
        return failure(Outcome.MISSING)
    if nameless == 1:
        text = "1 line of the provider's results has no readable id and may be for this request: it is unchanged"
    else:
        text = (
            f"{nameless:,} lines of the provider's results have no readable id, and one may be for this request: "
            "they are unchanged"
        )
    return failure(Outcome.MISSING, Error(UNREADABLE, f"{text} in aside.jsonl"))


def is_retryable(outcome: Outcome, error: Error | None) -> bool:
    """Tell whether sending the same line again may succeed: not if the line itself is to blame."""
    if error is not None and error.type == UNREADABLE:
        return False
    if outcome is Outcome.ERRORED:
        is_to_blame = error is not None and error.type in _NOT_WORTH_RESENDING
        return error is None or not is_to_blame or account_cause(error.type, error.message) is not None
    return outcome in (Outcome.CANCELED, Outcome.EXPIRED, Outcome.MISSING)


def is_transient(error: Error | None) -> bool:
    """Tell whether the cause of an error passes by itself. A type that is not known does not, nor does an account's."""
    return error is not None and error.type in _TRANSIENT and account_cause(error.type, error.message) is None


def is_worth_a_round(outcome: Outcome, error: Error | None) -> bool:
    """Tell whether a request is sent again without asking: it failed for a reason that passes, and was not paid for.

    What is missing or was cancelled may have been paid for, or was not wanted.
    """
    return outcome is Outcome.EXPIRED or (outcome is Outcome.ERRORED and is_transient(error))


def will_recur(outcome: Outcome, error: Error | None) -> bool:
    """Tell whether the same request would fail again for the same reason, as far as is known."""
    return outcome is Outcome.ERRORED and not is_transient(error)
