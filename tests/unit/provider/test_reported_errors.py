"""Errors, statuses and token counts as providers report them: what is a success, and what is sent again."""

import pytest

from conveyor.domain.outcome import NO_REASON, UNREADABLE, Outcome, is_retryable
from conveyor.money.usage import Usage
from tests.support.reported_lines import REPORTS, WIRE_ID, in_every_form, message, read, reported


@pytest.mark.parametrize(
    "error",
    [b"null", b"{}", b'""', b"[]", b"false", b'{"code":null,"message":null}', b'{"code":"","message":null,"param":{}}',
     b'{"error":{"code":null}}', b'{"code":0,"message":""}', b'"null"', b'{"code":"None","message":"None"}',
     b'{"type":"error","message":null}'],
)  # fmt: skip
def test_an_error_filled_with_nulls_is_none(error: bytes) -> None:
    """The answer beside it was charged."""
    line = b'{"custom_id":"%b","response":{"status_code":200,"body":%b},"error":%b}'
    for body in (message(b"a"), message(b"a")[:-1] + b',"error":' + error + b"}"):
        assert read(line % (WIRE_ID.encode(), body, error)).outcome is Outcome.SUCCEEDED


def test_the_reported_error_filled_with_nulls_is_a_success() -> None:
    """It has status 200 and a body."""
    (line,) = reported("null-error-struct.result.jsonl")
    assert read(line).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("status", [b"0", b'"0"', b"0.0", b"-1", b"100", b"199", b"300", b"302", b"304", b"399"])
@pytest.mark.parametrize("body", [b"{}", b'{"id":null}', b"null", b'{"id":"x"}', b'""', b"[]"])
def test_outside_200_to_299_is_never_a_success(status: bytes, body: bytes) -> None:
    """Sending it again may help: the provider gave no reason."""
    line = b'{"custom_id":"%b","response":{"status_code":%b,"request_id":"","body":%b},"error":null}'
    result = read(line % (WIRE_ID.encode(), status, body))
    assert result.error is not None
    assert (result.outcome, result.error.message) == (Outcome.ERRORED, NO_REASON)
    assert is_retryable(result.outcome, result.error)


@pytest.mark.parametrize("status", [b"200", b"201", b'"200"', b'"200 OK"', b"200.0", b"299", b"null"])
def test_all_of_200_to_299_is_a_success(status: bytes) -> None:
    """In every notation of the number, and also if there is only a body."""
    line = b'{"custom_id":"%b","response":{"status_code":%b,"body":%b}}' % (WIRE_ID.encode(), status, message(b"a"))
    result = read(line)
    assert (result.outcome, result.response) == (Outcome.SUCCEEDED, message(b"a"))


def test_the_reported_status_of_zero_is_an_error_worth_sending_again() -> None:
    """Its body does not matter."""
    for line in reported("status-zero.result.jsonl"):
        result = read(line)
        assert result.error is not None
        assert (result.outcome, result.error.message) == (Outcome.ERRORED, NO_REASON)
        assert is_retryable(result.outcome, result.error)


@pytest.mark.parametrize(
    "status", [b'"inf"', b'"Infinity"', b'"1e999"', b"1e400", b'"nan"', b"200.5", b"{}", b"[]", b"true"]
)
def test_a_status_that_is_none_concerns_its_own_request(status: bytes) -> None:
    """One line does not stop the other results of a batch."""
    line = b'{"custom_id":"%b","response":{"status_code":%b,"body":%b},"error":null}'
    result = read(line % (WIRE_ID.encode(), status, message(b"a")))
    assert result.error is not None
    assert (result.wire_id, result.error.type) == (WIRE_ID, UNREADABLE)


@pytest.mark.parametrize("body", [b"{}", b"{ }", b'{"id":null}', b'{"id":"","choices":null}'])
def test_a_body_that_is_filled_with_nulls_is_no_answer(body: bytes) -> None:
    """Its raw line is kept."""
    line = b'{"custom_id":"%b","response":{"status_code":200,"body":%b},"error":null}' % (WIRE_ID.encode(), body)
    result = read(line)
    assert result.error is not None
    assert (result.error.type, result.must_be_kept) == (UNREADABLE, True)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "authentication_error"), (402, "billing_error"), (403, "permission_error")]
)
def test_a_status_that_refuses_the_account_is_worth_sending_again_whatever_type_the_error_has(
    status: int, kind: str
) -> None:
    """Servers may use an error type that blames the request."""
    error = b'{"error":{"type":"invalid_request_error","message":"no"}}'
    line = b'{"custom_id":"%b","response":{"status_code":%d,"body":%b},"error":null}' % (
        WIRE_ID.encode(),
        status,
        error,
    )
    result = read(line)
    assert result.error is not None
    assert (result.error.type, is_retryable(result.outcome, result.error)) == (kind, True)


@pytest.mark.parametrize("response", [b'{"status_code":200,"body":%b}', b"%b"])
def test_an_answer_beside_an_error_is_kept_and_not_paid_for_again(response: bytes) -> None:
    """It is unknown which of the two is right."""
    line = b'{"custom_id":"%b","response":%b,"error":{"code":"odd","message":"m"}}'
    result = read(line % (WIRE_ID.encode(), response % message(b"a")))
    assert result.error is not None
    assert (result.error.type, result.must_be_kept) == (UNREADABLE, True)


def test_the_reported_error_texts_are_kept() -> None:
    """In every reported format."""
    words = ["boom", "Internal server error", "Internal server error", "body: field required"]
    for line, told in zip(reported("error-words-lost.result.jsonl"), words, strict=True):
        for dialect in ("files", "messages") if b'"result"' in line else ("files",):
            result = read(line, dialect)
            assert result.error is not None
            assert result.error.message == told


def test_refusals_of_the_account_are_worth_sending_again() -> None:
    """Their type is `invalid_request_error`."""
    for line in reported("account-refusals.result.jsonl"):
        result = read(line, "messages" if b'"result"' in line else "files")
        assert result.error is not None
        assert result.outcome is Outcome.ERRORED
        assert result.error.type == ("authentication_error" if b":401" in line else "invalid_request_error")
        assert is_retryable(result.outcome, result.error)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (b'{"input_tokens":3.0,"output_tokens":4}', Usage(3, 4)),
        (b'{"input_tokens":"3","output_tokens":"4.0"}', Usage(3, 4)),
        (b'{"input_tokens":3,"output_tokens":null}', Usage(3, 0)),
        (b'{"input_tokens":-1,"output_tokens":true,"cache_read_input_tokens":5}', Usage(0, 0, 0, 5)),
        (b'{"input_tokens":1e300,"output_tokens":4}', Usage(0, 4)),
        (b'{"input_tokens":%b,"output_tokens":4}' % (b"9" * 400), Usage(0, 4)),
        (b'{"input_tokens":-5,"output_tokens":4}', Usage(0, 4)),
        (b'{"input_tokens":"many","output_tokens":4}', Usage(0, 4)),
        (b'{"prompt_tokens":3.0,"completion_tokens":4.0,"total_tokens":7}', Usage(3, 4)),
        (b"5", Usage()),
    ],
)
@pytest.mark.parametrize("form", range(4))
def test_each_count_is_read_by_itself(usage: bytes, counted: Usage, form: int) -> None:
    """An invalid count hides neither the others nor the model."""
    dialect, line = in_every_form(message(b"a", usage))[form]
    result = read(line, dialect)
    assert (result.model, result.usage) == ("m", counted)


def test_the_reported_null_count_hides_nothing() -> None:
    """Model and other tokens are read."""
    (line,) = (REPORTS / "08-result-null-count.jsonl").read_bytes().splitlines()
    result = read(line, "messages")
    assert (result.model, result.usage) == ("claude-haiku-4-5", Usage(5, 0))
