"""The outcome of every request is written in one shape."""

import orjson

from conveyor.domain.outcome import Error, Outcome, Result
from conveyor.split.outputs import Output


def test_a_result_has_the_tutorials_shape() -> None:
    """`response` has the message byte for byte."""
    result = Result("n-3", Outcome.SUCCEEDED, response=b'{"id":"msg_1","x":1.50}')
    line = Output.of(result, 3).line(b'"article_1"')
    assert line == b'{"custom_id":"article_1","response":{"id":"msg_1","x":1.50},"error":null}\n'


def test_a_failure_says_which_line_what_and_whether_to_send_it_again() -> None:
    """It has the keys of a result and three more."""
    result = Result("n-3", Outcome.ERRORED, error=Error("overloaded_error", "Overloaded"))
    assert orjson.loads(Output.of(result, 3).line(b'"a"')) == {
        "custom_id": "a",
        "response": None,
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "line": 3,
        "outcome": "errored",
        "retryable": True,
    }
