"""What became of one request: from the provider's result line to ours.

Result lines: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from enum import StrEnum

import msgspec

from conveyor.domain.refusal import account_cause


class Outcome(StrEnum):
    """What became of one request.

    `INVALID` was never sent; of `MISSING` the provider says nothing; `STUCK`: nobody knows, and it may have been paid.
    """

    SUCCEEDED = "succeeded"
    ERRORED = "errored"
    CANCELED = "canceled"
    EXPIRED = "expired"
    MISSING = "missing"
    STUCK = "stuck"
    INVALID = "invalid"


UNREADABLE = "unreadable_result"
"""Our word for a result line that holds no answer we can deliver, and may have been paid for."""
NO_REASON = "the provider gave no reason"

_NOT_WORTH_RESENDING = frozenset({"invalid_request_error", "not_found_error"})
"""Kinds of error that come again, since the request or the model it names is wrong."""

_EXPLANATIONS = {
    Outcome.CANCELED: "the batch was cancelled before this request was processed",
    Outcome.EXPIRED: "the provider did not process this request within its completion window",
    Outcome.MISSING: "three complete reads of the provider's results did not hold this request",
}


class Error(msgspec.Struct, frozen=True):
    """Why a request failed: the provider's error type, or the outcome or fault code where it gave none."""

    type: str
    message: str


class Usage(msgspec.Struct):
    """Tokens as the provider counts and bills them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0

    def add(self, other: "Usage") -> None:
        """Add another's tokens to these."""
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cache_creation_input_tokens = (self.cache_creation_input_tokens or 0) + (
            other.cache_creation_input_tokens or 0
        )
        self.cache_read_input_tokens = (self.cache_read_input_tokens or 0) + (other.cache_read_input_tokens or 0)


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
    """Whether characters of the response that no reader takes were replaced."""
    is_broken: bool = False
    """Whether the line is no JSON at all, cut off perhaps: another read may bring it whole."""
    stop: str = ""
    """Why the answer ended, as it is counted (`conveyor.domain.stop_reasons`); empty where it does not say."""

    @property
    def must_be_kept(self) -> bool:
        """Whether the provider's own bytes hold more than what is delivered of them."""
        return self.is_repaired or (self.error is not None and self.error.type == UNREADABLE)


def unreadable_result(wire_id: str, raw: bytes, why: str, *, is_broken: bool = False) -> Result:
    """Return what is made of a line from which no answer can be delivered. `why` completes "the result line …"."""
    told = f"the provider's result line {why}; it may have been paid for, and stands as it came in aside.jsonl"
    error = Error(UNREADABLE, f'{told}, under the id "{wire_id}"')
    return Result(wire_id, Outcome.ERRORED, raw, error=error, is_broken=is_broken)


def failure(outcome: Outcome, error: Error | None = None) -> Result:
    """Return a failure that no result line tells of, or that says no more than its outcome."""
    return Result("", outcome, error=error or Error(outcome.value, _EXPLANATIONS[outcome]))


def missing_beside(nameless: int) -> Result:
    """Return what became of a request without a result, where so many result lines do not say whose they are.

    Where there are any, the request's may be among them, and have been paid for.
    """
    if not nameless:
        return failure(Outcome.MISSING)
    if nameless == 1:
        told = (
            "1 line of the provider's results does not say whose it is, and may be this request's: it stands as it came"
        )
    else:
        told = (
            f"{nameless:,} lines of the provider's results do not say whose they are, and this request's may be one: "
            "they stand as they came"
        )
    return failure(Outcome.MISSING, Error(UNREADABLE, f"{told} in aside.jsonl"))


def is_retryable(outcome: Outcome, error: Error | None) -> bool:
    """Tell whether sending the same line again may succeed: it does not where the line itself is to blame."""
    if error is not None and error.type == UNREADABLE:
        return False
    if outcome is Outcome.ERRORED:
        is_to_blame = error is not None and error.type in _NOT_WORTH_RESENDING
        return error is None or not is_to_blame or account_cause(error.type, error.message) is not None
    return outcome in (Outcome.CANCELED, Outcome.EXPIRED, Outcome.MISSING)
