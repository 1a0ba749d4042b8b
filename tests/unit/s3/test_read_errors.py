"""Which responses of S3 mean that a drop cannot be read, and their messages."""

import pytest

from conveyor.domain.drop import UNREADABLE, Source
from conveyor.jsonl.gzip_stream import Unreadable
from conveyor.s3.bucket import Bucket
from conveyor.s3.read_errors import DropUnreadable, unreadable_drop
from tests.support.fake_aws import answer, client, failure

KMS_DENIED = (
    "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:key/1"
)
SSE_C = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided."
ROLE = "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: s3:"
PERMANENT = [
    (404, "NoSuchVersion", "", "drop-gone"),
    (404, "NoSuchKey", "", "drop-gone"),
    (404, "404", "Not Found", "drop-gone"),
    (405, "MethodNotAllowed", "", "drop-gone"),
    (403, "AccessDenied", f"{ROLE}ListBucket because no identity-based policy allows the action", "drop-gone"),
    (403, "AccessDenied", f"{ROLE}ListBucketVersions because no identity-based policy allows the action", "drop-gone"),
    (403, "AccessDenied", f"{ROLE}GetObjectVersion with an explicit deny in a resource-based policy", "drop-denied"),
    (403, "InvalidObjectState", "", "drop-archived"),
    (403, "AccessDenied", KMS_DENIED, "drop-key-refused"),
    (400, "KMS.DisabledException", "arn:aws:kms:key/1 is disabled.", "drop-key-refused"),
    (400, "KMS.KMSInvalidStateException", "", "drop-key-refused"),
    (400, "KMS.NotFoundException", "", "drop-key-refused"),
    (400, "InvalidRequest", SSE_C, "drop-encrypted"),
    (403, "AccessDenied", "Access Denied", "drop-denied"),
    (403, "403", "Forbidden", "drop-denied"),
    (403, "InvalidAccessPoint", "", "drop-denied"),
    (400, "InvalidRequest", "", "drop-unreadable"),
    (410, "Odd", "", "drop-unreadable"),
    (416, "InvalidRange", "", "drop-unreadable"),
]
TEMPORARY = [
    (500, "InternalError"), (503, "SlowDown"), (503, "503"), (429, "TooManyRequests"), (408, "RequestTimeout"),
    (400, "RequestTimeout"), (409, "OperationAborted"), (400, "ThrottlingException"), (400, "KMS.ThrottlingException"),
    (400, "KMS.KMSInternalException"), (400, "KMS.KeyUnavailableException"), (400, "KMS.DependencyTimeoutException"),
    (400, "ExpiredToken"), (400, "InvalidToken"), (403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch"),
    (403, "RequestTimeTooSkewed"), (404, "NoSuchBucket"), (301, "PermanentRedirect"), (200, ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "text", "kind"), PERMANENT)
def test_a_permanent_error_has_its_own_code_and_next_step(status: int, code: str, text: str, kind: str) -> None:
    """S3's own text, which may name roles and keys, is not quoted."""
    error = unreadable_drop(status, code, text)
    assert isinstance(error, Unreadable)
    assert error.code == kind
    assert error.is_gone == (kind == "drop-gone")
    message = str(error)
    assert message.startswith(UNREADABLE)
    assert "arn:" not in message
    assert len(message) > len(UNREADABLE) + 40


def test_each_kind_has_its_own_message() -> None:
    """The next step differs."""
    messages = {kind: str(unreadable_drop(status, code, text)) for status, code, text, kind in PERMANENT}
    assert len(set(messages.values())) == len(messages) == 6


@pytest.mark.parametrize(("status", "code"), TEMPORARY)
def test_a_temporary_error_refuses_no_drop(status: int, code: str) -> None:
    """These are temporary errors of S3 and errors of our credentials."""
    assert unreadable_drop(status, code, "") is None


@pytest.mark.parametrize("action", ["GetObject", "GetObjectVersion"])
def test_a_missing_permission_of_the_role_refuses_no_drop(action: str) -> None:
    """The deployment is at fault, for every drop: runs continue once it is corrected."""
    assert unreadable_drop(403, "AccessDenied", f"{ROLE}{action} because no identity-based policy allows it") is None


@pytest.mark.parametrize(("status", "code", "text", "kind"), [row for row in PERMANENT if row[1] != "404"])
def test_a_head_that_fails_is_explained_by_the_error_of_a_get(status: int, code: str, text: str, kind: str) -> None:
    """A HEAD response has no body."""
    body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
    s3 = client("s3", lambda request: answer(status, b"" if request.method == "HEAD" else body))
    with pytest.raises(DropUnreadable) as caught:
        Bucket(s3, "bucket").describe("inbox/a.jsonl", "v1")
    assert caught.value.code == kind
    with pytest.raises(DropUnreadable) as caught:
        list(Bucket(s3, "bucket").stream(Source("inbox/a.jsonl", "v1"), 0, 10))
    assert caught.value.code == kind


@pytest.mark.parametrize(("status", "code"), [(400, "ExpiredToken"), (503, "SlowDown"), (403, "SignatureDoesNotMatch")])
def test_a_head_that_fails_for_another_reason_is_an_error(status: int, code: str) -> None:
    """Retries of the function repeat the request."""
    s3 = client("s3", lambda request: answer(status) if request.method == "HEAD" else failure(status, code))
    with pytest.raises(s3.exceptions.ClientError, match=code):
        Bucket(s3, "bucket").describe("inbox/a.jsonl", "v1")


def test_a_head_that_fails_once_is_an_error_and_no_refusal() -> None:
    """The object can be read, so the next attempt can describe it."""
    s3 = client("s3", lambda request: answer(403) if request.method == "HEAD" else answer(206, b"x"))
    with pytest.raises(s3.exceptions.ClientError, match="403"):
        Bucket(s3, "bucket").describe("inbox/a.jsonl", "v1")
