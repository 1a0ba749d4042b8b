"""The outcome of a request, and whether sending it again may help."""

import pytest

from conveyor.domain.outcome import Error, Outcome, failure, is_retryable


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
