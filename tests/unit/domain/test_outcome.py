"""What became of a request is told in one shape."""

import orjson
import pytest

from conveyor.domain.outcome import Error, Outcome, Result, failure, failure_form, is_retryable, output_line


def test_a_result_has_the_tutorials_shape() -> None:
    """The message stands in `response` byte for byte."""
    result = Result("n-3", Outcome.SUCCEEDED, response=b'{"id":"msg_1","x":1.50}')
    line = output_line(b'"article_1"', result.response, succeeded=True)
    assert line == b'{"custom_id":"article_1","response":{"id":"msg_1","x":1.50},"error":null}\n'


def test_a_failure_says_which_line_what_and_whether_to_send_it_again() -> None:
    """The same keys as a result, and three more."""
    result = Result("n-3", Outcome.ERRORED, error=Error("overloaded_error", "Overloaded"))
    assert orjson.loads(output_line(b'"a"', failure_form(result, 3), succeeded=False)) == {
        "custom_id": "a",
        "response": None,
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "line": 3,
        "outcome": "errored",
        "retryable": True,
    }


def test_a_failure_without_an_error_of_the_providers_says_why_in_words() -> None:
    """An expired, cancelled or missing request brings no reason of its own."""
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
    """A request that is wrong itself comes back wrong."""
    assert is_retryable(outcome, Error(kind, "") if kind else None) is expected
