"""The outcome of a request, and whether sending it again may help."""

import pytest

from conveyor.domain.outcome import UNREADABLE, Error, Outcome, failure, is_retryable, is_transient, will_recur


def test_a_failure_without_an_error_of_the_provider_has_a_reason() -> None:
    """An expired, cancelled or missing request has no error of the provider."""
    for outcome in (Outcome.CANCELED, Outcome.EXPIRED, Outcome.MISSING):
        error = failure(outcome).error
        assert error is not None
        assert error.type == outcome.value
        assert error.message


@pytest.mark.parametrize(
    ("outcome", "kind", "expected"),
    [
        (Outcome.SUCCEEDED, None, False),
        (Outcome.ERRORED, "invalid_request_error", False),
        (Outcome.ERRORED, "not_found_error", False),
        (Outcome.ERRORED, "overloaded_error", True),
        (Outcome.ERRORED, "api_error", True),
        (Outcome.ERRORED, "a_kind_of_next_year", True),
        (Outcome.CANCELED, None, True),
        (Outcome.EXPIRED, None, True),
        (Outcome.MISSING, None, True),
        (Outcome.INVALID, "not-json", False),
    ],
)
def test_only_what_may_succeed_is_sent_again(outcome: Outcome, kind: str | None, expected: bool) -> None:  # noqa: FBT001
    """An invalid request would fail again."""
    assert is_retryable(outcome, Error(kind, "") if kind else None) is expected


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("overloaded_error", "Overloaded", True),
        ("api_error", "Internal server error", True),
        ("timeout_error", "Request timed out", True),
        ("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests", True),
        ("server_error", "The server had an error", True),
        ("request_timeout", "", True),
        ("rate_limit_error", "insufficient_quota: You exceeded your current quota", False),
        ("api_error", "Your credit balance is too low", False),
        ("billing_error", "", False),
        ("authentication_error", "", False),
        ("invalid_request_error", "", False),
        ("a_kind_of_next_year", "", False),
        (UNREADABLE, "", False),
    ],
)
def test_an_error_passes_only_if_its_type_says_so_and_the_account_is_not_its_cause(
    kind: str,
    message: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """A full quota is behind some rate limits; what is not known may come again on every line of a drop."""
    error = Error(kind, message)
    assert is_transient(error) is expected
    assert will_recur(Outcome.ERRORED, error) is not expected


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.ERRORED])
def test_only_an_error_recurs(outcome: Outcome) -> None:
    """What was not processed says nothing about the request."""
    assert not will_recur(outcome, Error("invalid_request_error", ""))
    assert will_recur(Outcome.ERRORED, None)
