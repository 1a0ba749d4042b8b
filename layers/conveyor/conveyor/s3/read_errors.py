"""Errors of S3 when a drop is read: which of them are permanent, and what a message says about each.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from conveyor.domain.drop import UNREADABLE
from conveyor.jsonl.gzip_stream import Unreadable

GONE = "drop-gone"
"""The version does not exist any more. Every other cause can be removed by a person."""

_TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})
_TRANSIENT = frozenset({
    "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "NoSuchBucket",
    "OperationAborted", "RequestTimeTooSkewed", "RequestTimeout", "SignatureDoesNotMatch", "SlowDown", "Throttling",
    "TokenRefreshRequired", "TooManyRequests",
})  # fmt: skip
"""Codes of 4xx errors about the request, its credentials, its time or the bucket, not about the object."""
_TRANSIENT_WORDS = ("Throttl", "Internal", "Timeout", "Unavailable")
_OF_S3 = "not authorized to perform: s3:"
"""In the message where a policy denies the read; also for a missing object, if the role may not list the bucket."""
_TO_LIST = f"{_OF_S3}ListBucket"
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})


class DropUnreadable(Unreadable):
    """A drop cannot be read, however often it is tried. `code` says why, the message what to do."""

    @property
    def is_gone(self) -> bool:
        """Whether the version no longer exists."""
        return self.code == GONE


class ReadRefused(Exception):
    """S3 refuses a read, and would refuse it again. The message has its status and code only."""


def is_permanent(status: int, code: str) -> bool:
    """Tell whether the same read would be refused again, by S3's status and code."""
    if not 400 <= status < 500 or status in _TRANSIENT_STATUSES or code in _TRANSIENT:  # noqa: PLR2004
        return False
    return not any(word in code for word in _TRANSIENT_WORDS)


def is_hidden(message: str) -> bool:
    """Tell by the message of a 403 whether the object is missing: S3 says so only to those who may list the bucket."""
    return _TO_LIST in message


def unreadable_drop(status: int, code: str, message: str) -> DropUnreadable | None:
    """Return the error to raise after a failed read; None if the same read may succeed later.

    `code`, `message`: S3's own. The message can hold names of roles and keys, so it is never quoted.
    """
    if not is_permanent(status, code):
        return None
    if _OF_S3 in message and not is_hidden(message) and "explicit deny" not in message:
        return None  # the function's own role lacks a permission: no drop can be read until that is corrected
    kind, text = _kind(status, code, message)
    return DropUnreadable(kind, UNREADABLE + text)


def _kind(status: int, code: str, message: str) -> tuple[str, str]:
    if code in _ABSENT or status == 404 or is_hidden(message):  # noqa: PLR2004
        return GONE, "this version of the object was deleted; keep a file under inbox/ until its run has ended"
    if code == "InvalidObjectState":
        return "drop-archived", (
            "its storage class is an archive (HTTP 403 InvalidObjectState): "
            "restore the object, or upload the file with the storage class STANDARD"
        )
    if code.startswith("KMS.") or "kms:" in message:
        return "drop-key-refused", (
            f"S3 may not use the KMS key it is encrypted with (HTTP {status} {code}): enable the key and allow the "
            "roles of the stack's functions kms:Decrypt, or upload the file with the bucket's own encryption"
        )
    if "Server Side Encryption" in message:
        return "drop-encrypted", (
            f"it is encrypted with a key that only you have (SSE-C, HTTP {status} {code}): "
            "upload the file without that key"
        )
    if status == 403:  # noqa: PLR2004
        return "drop-denied", (
            f"S3 denies the stack's function access to it (HTTP 403 {code}): this version was deleted, or a bucket "
            "policy or a key's policy denies s3:GetObjectVersion or kms:Decrypt"
        )
    return "drop-unreadable", f"S3 answers HTTP {status} {code}: see whether you can read this version yourself"
