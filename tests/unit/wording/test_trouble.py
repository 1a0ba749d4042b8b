"""Trouble with the provider in words for a person."""

import socket
import ssl

import httpx
import pytest

from conveyor.wording.trouble import in_words, name_of

EVERY_ERROR = [
    kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, httpx.HTTPError) and not kind.__subclasses__()
]


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_each_error_of_the_http_client_has_words_and_its_name_at_the_end(kind: type[httpx.HTTPError]) -> None:
    """None is told by its class alone, nor as a failure of the function."""
    if kind is httpx.HTTPStatusError:  # is never raised here
        return
    name = name_of(kind("x-api-key: sk-ant-secret"))
    told = in_words(name)
    assert told.endswith(f" ({kind.__name__})")
    assert "function" not in told
    assert "secret" not in told


@pytest.mark.parametrize("status", [*range(300, 600), 999])
def test_each_status_has_words_and_its_number_at_the_end(status: int) -> None:
    """As has one with more behind it."""
    for more in ("", " billing_error", " for /v1/messages/batches/msgbatch_1/results"):
        told = in_words(f"HTTP {status}{more}")
        assert told.endswith(f" (HTTP {status}{more})")
        assert told.startswith(("the provider", "the request"))


@pytest.mark.parametrize(
    ("behind", "told"),
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
def test_what_lies_behind_an_error_is_told_where_it_says_more(behind: OSError, told: str) -> None:
    """And never in the words of the exception."""
    try:
        try:
            raise behind
        except OSError as error:
            raise httpx.ConnectError("All connection attempts failed: secret") from error
    except httpx.ConnectError as error:
        said = in_words(name_of(error))
    assert said.endswith(told)
    assert "secret" not in said


@pytest.mark.parametrize(
    "reason", ["the batch could not be decoded", "msgbatch_1 cannot be adopted: it belongs to another run"]
)
def test_words_are_left_alone(reason: str) -> None:
    """They are for a person already."""
    assert in_words(reason) == reason


def test_an_error_of_our_own_is_not_the_providers() -> None:
    """A split that failed by itself leaves its name."""
    assert in_words("ClientError") == "a function of this stack failed (ClientError)"
