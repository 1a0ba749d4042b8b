"""Descriptions of trouble with the provider."""

import socket
import ssl

import httpx
import pytest

from conveyor.domain.observed import TroubleWith
from conveyor.domain.refusal import CREATED
from conveyor.wording.trouble import describe_refusal, in_words, is_about_room, name_of, trouble_with

EVERY_ERROR = [
    kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, httpx.HTTPError) and not kind.__subclasses__()
]


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_each_error_of_the_http_client_is_described_with_its_name_at_the_end(kind: type[httpx.HTTPError]) -> None:
    """None is described by its class name alone, nor as a failure of a function."""
    if kind is httpx.HTTPStatusError:  # never raised here
        return
    name = name_of(kind("x-api-key: sk-ant-secret"))
    description = in_words(name)
    assert description.endswith(f" ({kind.__name__})")
    assert "function" not in description
    assert "secret" not in description


@pytest.mark.parametrize("status", [*range(300, 600), 999])
def test_each_status_is_described_with_its_number_at_the_end(status: int) -> None:
    """A status with a suffix keeps it."""
    for suffix in ("", " billing_error", " for /v1/messages/batches/msgbatch_1/results"):
        description = in_words(f"HTTP {status}{suffix}")
        assert description.endswith(f" (HTTP {status}{suffix})")
        assert description.startswith(("the provider", "the request"))


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (
            ssl.SSLCertVerificationError("certificate of secret.example"),
            "certificate is not accepted (SSLCertVerificationError)",
        ),
        (ssl.SSLEOFError("odd"), "no TLS connection to the provider could be made (SSLError)"),
        (socket.gaierror(-2, "secret.example"), "was not found (gaierror)"),
        (ConnectionRefusedError(), "the connection was refused (ConnectionRefusedError)"),
        (ConnectionResetError(), "reset the connection (ConnectionResetError)"),
        (OSError("secret.example"), "no connection to the provider could be made (ConnectError)"),
    ],
)
def test_the_cause_of_an_error_is_described_if_it_is_more_precise(cause: OSError, expected: str) -> None:
    """The text of the exception is never quoted."""
    try:
        try:
            raise cause
        except OSError as error:
            raise httpx.ConnectError("All connection attempts failed: secret") from error
    except httpx.ConnectError as error:
        description = in_words(name_of(error))
    assert description.endswith(expected)
    assert "secret" not in description


@pytest.mark.parametrize(
    "reason", ["the batch could not be decoded", "msgbatch_1 cannot be adopted: it belongs to another run"]
)
def test_a_description_is_left_unchanged(reason: str) -> None:
    """They can be read as they are."""
    assert in_words(reason) == reason


def test_an_error_of_our_own_is_not_blamed_on_the_provider() -> None:
    """A failed split leaves only the name of its exception."""
    assert in_words("ClientError") == "a function of this stack failed (ClientError)"


@pytest.mark.parametrize(
    ("reason", "is_room"),
    [
        ("HTTP 429 rate_limit_error", True),
        (describe_refusal(429, "rate_limit_error"), True),
        (describe_refusal(CREATED, "token_limit_exceeded"), True),
        (describe_refusal(529, "overloaded_error"), False),
        ("HTTP 503", False),
        ("ConnectTimeout", False),
        ("the file line 429 is wrong", False),
    ],
)
def test_a_provider_without_room_is_told_apart_from_one_that_fails(reason: str, *, is_room: bool) -> None:
    """A run then waits for room; nothing is wrong."""
    assert is_about_room(reason) is is_room


@pytest.mark.parametrize(
    "kind", [kind for kind in EVERY_ERROR if kind is not httpx.HTTPStatusError], ids=lambda kind: kind.__name__
)
def test_each_error_of_the_http_client_means_that_the_provider_is_unavailable(kind: type[httpx.HTTPError]) -> None:
    """Whether the technical name or words are given."""
    name = kind.__name__
    assert {trouble_with(name), trouble_with(in_words(name)), trouble_with(f"{name} while the list was read")} == {
        TroubleWith.UNAVAILABLE
    }
